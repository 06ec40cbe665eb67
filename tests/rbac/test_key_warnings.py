"""Mails before an API key ends: 7 days and 1 day, once each."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.core import mail as core_mail
from apps.core.clock import moved_to
from apps.rbac.models import ApiKey, UserRole
from apps.rbac.services import keys
from apps.rbac.services.keys import create_key
from apps.rbac.services.rotation import rotate_key
from config.celery import app as celery
from tests.mails import send_round
from tests.people import make_member, make_organization, make_person
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
START = timezone.now()


@pytest.fixture(autouse=True)
def _clock_can_be_moved(settings):
    settings.MOVABLE_CLOCK = True


@pytest.fixture
def organization():
    owner = make_person(email="owner@example.com")
    return make_organization(slug="acme", name="A & B", owner=owner)


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer", email="dev@example.com")


@pytest.fixture
def key(organization, developer):
    return make_key(organization, developer, days=60)


def make_key(organization, developer, *, days: float | None) -> ApiKey:
    """A key made at START that ends so many days later."""
    with moved_to(START):
        key, _ = create_key(
            organization=organization,
            created_by=developer,
            name="Test",
            scopes=["jobs:read"],
            expires_at=None if days is None else START + days * DAY,
        )
    return key


def warn(days: float):
    """Let a round of warnings be sent so many days after START."""
    with moved_to(START + days * DAY):
        return send_round("key_expiry")


class TestAWarning:
    def test_goes_to_maker_and_owners_in_text_and_html(self, key):
        with moved_to(START + 54 * DAY):
            celery.tasks["core.send_mails"](queue="key_expiry")

        (sent,) = mail.outbox
        assert sent.to == ["dev@example.com", "owner@example.com"]
        assert sent.subject == "The API key Test of A & B ends within 7 days"
        html, kind = sent.alternatives[0]
        for text in (sent.body, html):
            assert key.hint in text
            assert "/o/acme/keys/" in text
        assert ("A & B" in sent.body, "A &amp; B" in html, kind) == (True, True, "text/html")

    def test_is_sent_once_for_each_threshold(self, key):
        sent = [warn(days).mails for days in (52.9, 53, 53, 58.9, 59, 59.5)]

        assert sent == [0, 1, 0, 0, 1, 0]
        assert [one.subject[-6:] for one in mail.outbox] == ["7 days", " 1 day"]

    def test_of_the_nearest_threshold_stands_for_the_other(self, key):
        assert [warn(59.5).mails, warn(59.6).mails] == [1, 0]
        assert mail.outbox[0].subject.endswith(" 1 day")

    @pytest.mark.parametrize(
        "case", ["later", "never", "over", "revoked", "stopped", "inactive", "just made", "closed"]
    )
    def test_is_not_sent_where_it_would_tell_nothing(self, key, developer, organization, case):
        after = 54
        if case == "later":
            after = 52
        elif case == "over":
            after = 60
        elif case == "revoked":
            keys.revoke_key(key=key)
        elif case == "stopped":
            UserRole.objects.filter(user=developer).delete()
        elif case == "inactive":
            type(developer).objects.filter(pk=developer.pk).update(is_active=False)
        elif case == "closed":
            type(organization).objects.update(is_active=False)
        else:
            ApiKey.objects.all().delete()
            make_key(organization, developer, days=None if case == "never" else 6)
            after = 1

        assert warn(after).mails == 0
        assert mail.outbox == []

    def test_is_tried_again_when_the_mail_server_failed(self, key, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(core_mail, "send_mail", fail)
            assert warn(53).failed == 1
        assert warn(53).mails == 0  # its pause lasts still

        with moved_to(START + 53 * DAY + core_mail.LEASE):
            assert send_round("key_expiry").mails == 1

    def test_that_was_given_up_leaves_the_next_one_all_its_attempts(self, key, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(core_mail, "send_mail", fail)
            for attempt in range(core_mail.MOST_ATTEMPTS):
                assert warn(53 + attempt / 1.5).failed == 1
        key.refresh_from_db()

        assert (key.mail_due_at, key.mail_attempts) == (START + 59 * DAY, 0)
        assert warn(59).mails == 1

    def test_is_not_sent_of_a_key_revoked_since_its_claim(self, key):
        queue = core_mail.queues()["key_expiry"]
        with moved_to(START + 53 * DAY):
            (claim,) = core_mail.claim_mails(queue.rows(), limit=10)
            keys.revoke_key(key=key)

            assert core_mail._deliver(queue, claim) is None
        assert mail.outbox == []

    def test_is_not_sent_of_a_key_whose_maker_left_since_its_claim(self, key, developer):
        queue = core_mail.queues()["key_expiry"]
        with moved_to(START + 53 * DAY):
            (claim,) = core_mail.claim_mails(queue.rows(), limit=10)
            UserRole.objects.filter(user=developer).delete()

            assert core_mail._deliver(queue, claim) is None
        assert mail.outbox == []

    def test_is_sent_once_by_many_workers(self, key):
        done = at_once([lambda: warn(53)] * 6)

        assert sum(one.mails for one in done) == len(mail.outbox) == 1

    def test_comes_again_for_the_next_end(self, key, developer):
        sent = [warn(53).mails]
        with moved_to(START + 54 * DAY):
            rotate_key(key=key, user=developer, expires_at=START + 144 * DAY)
        sent += [warn(days).mails for days in (59, 137, 143)]

        assert sent == [1, 0, 1, 1]

    def test_of_an_end_that_stays_is_not_sent_again_for_a_rotation(self, key, developer):
        sent = [warn(53).mails]
        with moved_to(START + 54 * DAY):
            rotate_key(key=key, user=developer)
        sent += [warn(days).mails for days in (54, 59)]

        assert sent == [1, 0, 1]

    def test_that_waits_for_its_next_attempt_is_not_lost_by_a_rotation(
        self, key, developer, monkeypatch
    ):
        with monkeypatch.context() as broken:
            broken.setattr(core_mail, "send_mail", fail)
            warn(53)
        with moved_to(START + 53.5 * DAY):
            rotate_key(key=key, user=developer)

        assert warn(53.5).mails == 1


def fail(**_: object) -> None:
    raise OSError("no mail server")
