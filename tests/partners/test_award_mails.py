"""The mail that tells an active member of an award."""

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.partners.models import PartnerCredit
from apps.partners.services.awards import award_many
from apps.partners.services.settling import revoke
from apps.partners.services.standing import suspend
from tests.mails import send
from tests.partners.awarding import asked, give, make_active_member
from tests.partners.programme import make_members

pytestmark = pytest.mark.django_db(transaction=True)
Source = PartnerCredit.Source


@pytest.fixture
def member(partner):
    return make_active_member(partner)


def test_tells_credits_end_and_where_they_are_once(member):
    award = give(member, 30, note="For the spring")
    assert send("awards") == 1
    (told,) = mail.outbox
    assert told.to == [member.user.email]
    assert told.subject == "Green Neighbours gave you 30 credits"
    assert f"until {award.expires_at:%-d %B %Y, %H:%M} UTC" in told.body
    assert "For the spring" in told.body
    assert f"/o/{member.organization.slug}/my-credits/" in told.body
    give(member, 30, key=award.key)  # the same award again
    assert send("awards") == 0


def test_asks_no_more_for_many_awards(partner):
    members = [make_active_member(partner, f"{name}@example.com") for name in ("ada", "bo", "cy")]

    def queries(some) -> int:
        requests = [asked(one, 5, source=Source.UPLOAD) for one in some]
        with CaptureQueriesContext(connection) as found:
            award_many(partner=partner, requests=requests)
        return len(found)

    assert queries(members[:1]) == queries(members)
    assert send("awards") == 4
    assert {one.to[0] for one in mail.outbox} == {one.user.email for one in members}


@pytest.mark.parametrize("source", [Source.RULE, Source.REQUEST])
def test_tells_nothing_that_is_known(member, source):
    """Who joins by a rule takes the credits himself; the answer to a request tells of its own."""
    give(member, source=source)
    assert send("awards") == 0


def test_tells_nothing_of_an_offer(partner):
    """The mail with the link does."""
    (invited,) = make_members(partner, "new@example.com")
    give(invited)
    assert send("awards") == 0


def test_tells_nothing_of_what_was_revoked(member):
    revoke(award=give(member), reason="By mistake")
    assert send("awards") == 0


def test_tells_nobody_who_is_suspended(member):
    give(member)
    suspend(member=member, reason="Asked to")
    assert send("awards") == 0
    assert mail.outbox == []


def test_tells_nobody_who_is_gone(member):
    give(member)
    member.user.is_active = False
    member.user.save()
    assert send("awards") == 0
