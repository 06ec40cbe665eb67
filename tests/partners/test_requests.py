"""Members ask for more credits; the programme answers once, and mails go both ways."""

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from apps.credits.errors import InsufficientCredits
from apps.partners.errors import MemberCannotReceive, PartnerSuspended
from apps.partners.errors.asking import (
    InvalidCreditRequest,
    MemberCannotAsk,
    RequestDecided,
    RequestPending,
)
from apps.partners.models import CreditRequest, Partner, PartnerCredit, PartnerMember
from apps.partners.selectors.asked_by_person import credit_requests_of
from apps.partners.services.forgetting_requests import forget_requests
from apps.partners.services.programmes import set_status
from apps.partners.services.requests import (
    MOST_CREDITS,
    approve_request,
    decline_request,
    request_credits,
    withdraw_request,
)
from apps.rbac.selectors.erasures import identity_of
from apps.tenants.models import AuditLog
from tests.mails import send
from tests.partners.awarding import in_hand, in_pool, make_active_member
from tests.people import make_member, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(partner):
    return make_active_member(partner)


@pytest.fixture
def manager(partner):
    return make_member(partner.organization, "partner manager")


@pytest.fixture
def asked(member):
    return request_credits(member=member, credits=40, reason="A poster for the fair")


def test_what_is_asked_for_waits_and_moves_nothing(partner, asked):
    assert (asked.status, asked.credits) == ("pending", 40)
    assert in_pool(partner) == 100
    assert AuditLog.objects.filter(action="credit_request.ask").count() == 1


def test_a_member_asks_for_one_thing_at_a_time(member, asked):
    with pytest.raises(RequestPending):
        request_credits(member=member, credits=1)
    withdraw_request(request=asked)
    assert request_credits(member=member, credits=1).status == "pending"


def test_the_database_keeps_a_second_request_out_as_well(member, asked):
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditRequest.objects.create(
            organization=asked.organization, partner=asked.partner, member=member, credits=1
        )


@pytest.mark.parametrize("credits", [0, -5, MOST_CREDITS + 1])
def test_what_nobody_can_ask_for_is_refused(member, credits):
    with pytest.raises(InvalidCreditRequest):
        request_credits(member=member, credits=credits)


@pytest.mark.parametrize("status", ["suspended", "left"])
def test_who_may_not_spend_may_not_ask(member, status):
    left_at = member.claimed_at if status == "left" else None
    PartnerMember.objects.filter(pk=member.pk).update(status=status, left_at=left_at)
    with pytest.raises(MemberCannotAsk):
        request_credits(member=member, credits=1)


def test_a_suspended_programme_is_asked_for_nothing(partner, member):
    set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
    with pytest.raises(PartnerSuspended):
        request_credits(member=member, credits=1)


def test_approving_awards_what_was_asked_for(partner, member, manager, asked):
    done = approve_request(request=asked, by=manager, answer="Enjoy the fair")
    assert (done.status, done.award.credits, done.decided_by) == ("approved", 40, manager)
    assert (done.award.source, done.award.key) == ("request", f"request:{asked.public_id}")
    assert (in_pool(partner), in_hand(member)) == (60, 40)


def test_approving_may_award_another_number(member, manager, asked):
    done = approve_request(request=asked, by=manager, credits=15)
    assert (done.credits, done.award.credits, in_hand(member)) == (40, 15, 15)


def test_approved_twice_is_approved_once(member, manager, asked):
    first = approve_request(request=asked, by=manager)
    again = approve_request(request=asked, by=manager)
    assert first.award == again.award
    assert (PartnerCredit.objects.count(), in_hand(member)) == (1, 40)
    assert AuditLog.objects.filter(action="credit_request.approve").count() == 1
    with pytest.raises(RequestDecided):
        approve_request(request=asked, by=manager, credits=41)


def test_what_the_pool_does_not_have_leaves_the_request_waiting(member, manager):
    asked = request_credits(member=member, credits=101)
    with pytest.raises(InsufficientCredits):
        approve_request(request=asked, by=manager)
    asked.refresh_from_db()
    assert (asked.status, PartnerCredit.objects.count()) == ("pending", 0)


def test_who_was_suspended_since_gets_nothing(member, manager, asked):
    PartnerMember.objects.filter(pk=member.pk).update(status="suspended")
    with pytest.raises(MemberCannotReceive):
        approve_request(request=asked, by=manager)


def test_no_number_is_approved_that_nobody_can_get(manager, asked):
    with pytest.raises(InvalidCreditRequest):
        approve_request(request=asked, by=manager, credits=0)


def test_declining_needs_an_answer_and_gives_nothing(partner, manager, asked):
    with pytest.raises(InvalidCreditRequest):
        decline_request(request=asked, by=manager, answer="  ")
    done = decline_request(request=asked, by=manager, answer="Not this month")
    assert (done.status, done.answer, in_pool(partner)) == ("declined", "Not this month", 100)
    assert decline_request(request=asked, by=manager, answer="Again").answer == "Not this month"


def end(how, request, manager):
    if how == "approve":
        return approve_request(request=request, by=manager)
    if how == "decline":
        return decline_request(request=request, by=manager, answer="No")
    return withdraw_request(request=request)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("approve", "decline"),
        ("approve", "withdraw"),
        ("decline", "approve"),
        ("decline", "withdraw"),
        ("withdraw", "approve"),
        ("withdraw", "decline"),
    ],
)
def test_what_is_over_stays_as_it_ended(member, manager, asked, first, then):
    done = end(first, asked, manager)
    with pytest.raises(RequestDecided):
        end(then, asked, manager)
    asked.refresh_from_db()
    assert asked.status == done.status
    assert in_hand(member) == (40 if first == "approve" else 0)


class TestMails:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_tell_those_who_hand_credits_on(self, manager, asked):
        make_member(asked.organization, "read-only")
        assert send("credit_requests") == 1
        (told,) = mail.outbox
        assert manager.email in told.to
        assert not [one for one in told.to if "read-only" in one]
        assert "40 credits" in told.subject
        assert "A poster for the fair" in told.body
        assert f"/programme/requests/{asked.public_id}/" in told.body

    @pytest.mark.parametrize("how", ["approve", "decline"])
    def test_tell_the_member_the_answer(self, member, manager, asked, how):
        end(how, asked, manager)
        assert send("credit_requests") == 1
        (told,) = mail.outbox
        assert told.to == [member.user.email]
        assert ("gave you 40 credits" if how == "approve" else "declined") in told.subject

    def test_tell_nothing_of_what_was_withdrawn(self, asked):
        withdraw_request(request=asked)
        assert send("credit_requests") == 0
        assert mail.outbox == []

    def test_tell_nobody_who_is_gone(self, member, manager, asked):
        member.user.is_active = False
        member.user.save()
        decline_request(request=asked, by=manager, answer="No")
        assert send("credit_requests") == 0


def test_a_suspended_programme_answers_with_no_credits(partner, asked):
    set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
    with pytest.raises(PartnerSuspended):
        approve_request(request=asked, by=make_person())


class TestPersonalData:
    def test_is_in_the_persons_file(self, member, asked):
        (told,) = [dict(row) for row in credit_requests_of(member.user)]
        assert (told["credits"], told["reason"]) == (40, "A poster for the fair")

    def test_is_forgotten_and_what_waits_withdrawn(self, partner, member, asked):
        other = request_credits(member=make_active_member(partner, "bob@x.example"), credits=1)
        with transaction.atomic():
            forget_requests(user=member.user, identity=identity_of(member.user))
        asked.refresh_from_db()
        other.refresh_from_db()
        assert (asked.status, asked.reason) == ("withdrawn", "(erased)")
        assert other.status == "pending"
