"""Mails before an API key ends: 7 days and 1 day, once each."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.rbac.models import ApiKey, UserRole
from apps.rbac.services import key_warnings, keys
from apps.rbac.services.key_warnings import warn_of_key_expiry
from apps.rbac.services.rotation import rotate_key
from apps.rbac.tasks import warn_of_key_expiry as task
from tests.people import make_key, make_member, make_organization, make_person
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


@pytest.fixture
def organization():
    owner = make_person(email="owner@example.com")
    return make_organization(slug="acme", name="A & B", owner=owner)


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer", email="dev@example.com")


@pytest.fixture
def key(organization, developer):
    """A key that was made long ago and ends in six days."""
    row, _ = make_key(organization, developer, "jobs:read")
    return set_end(row, 6)


def set_end(row: ApiKey, days: float, *, age: float = 60) -> ApiKey:
    now = timezone.now()
    ApiKey.objects.filter(pk=row.pk).update(expires_at=now + days * DAY, created_at=now - age * DAY)
    row.refresh_from_db()
    return row


class TestAWarning:
    def test_goes_to_maker_and_owners_in_text_and_html(self, key):
        task()

        (sent,) = mail.outbox
        assert sent.to == ["dev@example.com", "owner@example.com"]
        assert sent.subject == "The API key Test of A & B ends within 7 days"
        html, kind = sent.alternatives[0]
        for text in (sent.body, html):
            assert key.hint in text
            assert "/o/acme/keys/" in text
        assert ("A & B" in sent.body, "A &amp; B" in html, kind) == (True, True, "text/html")

    def test_is_sent_once_for_each_threshold(self, key):
        warn_of_key_expiry()
        warn_of_key_expiry()
        set_end(key, 0.5)
        warn_of_key_expiry()
        warn_of_key_expiry()

        assert [sent.subject[-6:] for sent in mail.outbox] == ["7 days", " 1 day"]

    def test_of_the_nearest_threshold_stands_for_the_other(self, key):
        set_end(key, 0.5)

        warn_of_key_expiry()
        warn_of_key_expiry()

        assert len(mail.outbox) == 1

    @pytest.mark.parametrize(
        "case", ["later", "never", "over", "revoked", "stopped", "inactive", "just made", "closed"]
    )
    def test_is_not_sent_where_it_would_tell_nothing(self, key, developer, organization, case):
        if case == "later":
            set_end(key, 8)
        elif case == "never":
            ApiKey.objects.update(expires_at=None)
        elif case == "over":
            set_end(key, -1)
        elif case == "revoked":
            keys.revoke_key(key=key)
        elif case == "stopped":
            UserRole.objects.filter(user=developer).delete()
        elif case == "inactive":
            type(developer).objects.filter(pk=developer.pk).update(is_active=False)
        elif case == "just made":
            set_end(key, 6, age=0.5)
        else:
            type(organization).objects.update(is_active=False)

        assert warn_of_key_expiry().mails == 0
        assert mail.outbox == []

    def test_is_tried_again_when_the_mail_server_failed(self, key, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(key_warnings, "send_mail", fail)
            assert warn_of_key_expiry().failed == 1
        assert warn_of_key_expiry().mails == 0  # its claim still stands

        ApiKey.objects.update(warning_claimed_until=timezone.now())

        assert warn_of_key_expiry().mails == 1

    def test_is_not_sent_of_a_key_revoked_since_its_claim(self, key):
        claims = key_warnings._claim(10)
        keys.revoke_key(key=key)

        assert [key_warnings._deliver(*claim) for claim in claims] == [None]
        assert mail.outbox == []

    def test_is_sent_once_by_many_workers(self, key):
        done = at_once([warn_of_key_expiry] * 6)

        assert sum(one.mails for one in done) == len(mail.outbox) == 1

    def test_comes_again_for_the_next_end(self, key, developer):
        warn_of_key_expiry()
        rotated, _ = rotate_key(key=key, user=developer, expires_at=timezone.now() + 90 * DAY)
        warn_of_key_expiry()
        set_end(rotated, 6)

        warn_of_key_expiry()

        assert len(mail.outbox) == 2


def fail(**_: object) -> None:
    raise OSError("no mail server")
