"""Awards: out of the pool, to a member, once per key."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.errors import DomainError, NotFound
from apps.credits.errors import InsufficientCredits
from apps.credits.models import CreditTransaction, Lot
from apps.partners import selectors
from apps.partners.errors import (
    AwardKeyReused,
    AwardsRefused,
    CampaignBudgetSpent,
    CampaignClosed,
    InvalidAward,
    MemberCannotReceive,
    MemberNotFound,
    PartnerSuspended,
)
from apps.partners.models import Campaign, Partner, PartnerCredit, PartnerMember
from apps.partners.services.award_checks import LARGEST_AWARD
from apps.partners.services.awards import award_many
from apps.partners.services.programmes import Terms, change_terms, set_status
from apps.tenants.models import AuditLog
from tests.partners.awarding import asked, fill, give, in_hand, in_pool, make_active_member
from tests.partners.programme import make_members, make_programme

pytestmark = pytest.mark.django_db
Status = PartnerCredit.Status


def make_campaign(partner: Partner, *, budget: int = 100, **dates) -> Campaign:
    now = timezone.now()
    dates = {"begins_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1), **dates}
    return Campaign.objects.create(
        organization=partner.organization, partner=partner, name="Spring", budget=budget, **dates
    )


def test_an_award_moves_credits_out_of_the_pool_to_the_member():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    award = give(member, 30, note="For the spring")
    assert (in_pool(partner), in_hand(member)) == (70, 30)
    assert selectors.standing_of(award) == selectors.AwardStanding(Status.AVAILABLE, 30, 0, 0, 0)
    assert award.expires_at - award.claimed_at == timedelta(days=90)
    lot = Lot.objects.get(wallet=member.wallet)
    assert (lot.kind, lot.expires_at) == ("partner", award.expires_at)
    assert lot.returns_to is not None
    entry = CreditTransaction.objects.get(wallet=member.wallet)
    assert (entry.reference, entry.source_id) == (award.reference, award.public_id)
    assert AuditLog.objects.get(action="partner.award").object_id == award.public_id


def test_a_member_is_found_by_his_address_however_it_is_written():
    """As addresses are kept: one form of Unicode, so an accent beside its letter is the same."""
    partner = make_programme(credits=100)
    member = make_active_member(partner, "ada@m\u00fcller.example")
    award = give(member)
    for written in (" Ada@M\u00fcller.example", "ada@mu\u0308ller.example"):
        assert selectors.receiver_of(partner, written) == member
        found = selectors.awards_of(partner, selectors.AwardFilter(email=written))
        assert list(found) == [award]


@pytest.mark.parametrize("written", ["ada", f"{'a' * 400}@example.com", "eve@example.com"])
def test_what_is_no_members_address_finds_nobody(written):
    partner = make_programme(credits=100)
    give(make_active_member(partner))
    with pytest.raises(MemberNotFound):
        selectors.receiver_of(partner, written)
    assert not selectors.awards_of(partner, selectors.AwardFilter(email=written)).exists()


def test_an_award_to_who_has_not_claimed_is_an_offer():
    partner = make_programme(credits=100)
    (member,) = make_members(partner, "ada@example.com")
    award = give(member, 30)
    assert selectors.standing_of(award).status == Status.OFFERED
    days = (award.expires_at - timezone.now()) / timedelta(days=1)
    assert (award.claimed_at, round(days)) == (None, 30)


def test_an_award_keeps_the_terms_that_it_was_made_by():
    partner = make_programme(credits=100, terms=Terms(unused="lapse", validity_days=7))
    award = give(make_active_member(partner))
    change_terms(partner=partner, terms=Terms(), reason="agreed")
    assert (award.terms.unused, award.validity_days) == ("lapse", 7)
    assert Lot.objects.get(wallet=award.member.wallet).returns_to is None


def test_an_award_ends_with_the_pools_credits_at_the_latest():
    partner = make_programme()
    soon = timezone.now() + timedelta(days=3)
    fill(partner, 10, expires_at=soon)
    fill(partner, 10)
    member = make_active_member(partner)
    first, second = give(member, 10), give(member, 10)
    assert first.expires_at == soon
    assert second.expires_at > soon


def test_the_same_key_awards_once():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    first, again, other = award_many(
        partner=partner,
        requests=[asked(member, 10, key="k"), asked(member, 10, key="k"), asked(member, 5)],
    )
    (later,) = award_many(partner=partner, requests=[asked(member, 10, key="k")])
    assert [one.is_replayed for one in (first, again, other, later)] == [False, True, False, True]
    assert first.award == again.award == later.award
    assert (in_pool(partner), in_hand(member)) == (85, 15)


def test_a_repeat_is_answered_although_nothing_could_be_awarded_now():
    partner = make_programme(credits=10)
    member = make_active_member(partner)
    made = give(member, 10, key="k")
    set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
    assert give(member, 10, key="k") == made


@pytest.mark.parametrize("other", [{"credits": 11}, {"validity_days": 1}])
def test_a_key_that_means_something_else_is_refused(other):
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    give(member, 10, key="k")
    with pytest.raises(AwardKeyReused):
        give(member, **{"credits": 10, **other}, key="k")
    with pytest.raises(AwardKeyReused):
        give(make_active_member(partner, "bea@example.com"), 10, key="k")
    assert in_pool(partner) == 90


def test_a_refusal_stops_only_itself():
    partner = make_programme(credits=25)
    member = make_active_member(partner)
    wanted = [asked(member, 20), asked(member, 20), asked(member, 0), asked(member, 5)]
    answers = award_many(partner=partner, requests=wanted)
    assert isinstance(answers[1], InsufficientCredits)
    assert isinstance(answers[2], InvalidAward)
    assert [isinstance(one, DomainError) for one in answers] == [False, True, True, False]
    assert (in_pool(partner), in_hand(member)) == (0, 25)
    assert PartnerCredit.objects.count() == 2


def test_all_or_nothing_awards_nothing_if_one_is_refused():
    partner = make_programme(credits=25)
    member = make_active_member(partner)
    campaign = make_campaign(partner)
    wanted = [asked(member, 20, campaign=campaign), asked(member, 20)]
    with pytest.raises(AwardsRefused, match="1 of 2 awards were refused"):
        award_many(partner=partner, requests=wanted, all_or_nothing=True)
    campaign.refresh_from_db()
    assert (in_pool(partner), in_hand(member), campaign.awarded) == (25, 0, 0)
    assert not PartnerCredit.objects.exists()
    assert len(award_many(partner=partner, requests=wanted[:1], all_or_nothing=True)) == 1


@pytest.mark.parametrize("status", ["suspended", "left"])
def test_who_is_deactivated_cannot_receive(status):
    partner = make_programme(credits=10)
    (member,) = make_members(partner, "ada@example.com")
    left_at = timezone.now() if status == "left" else None
    PartnerMember.objects.filter(pk=member.pk).update(status=status, left_at=left_at)
    with pytest.raises(MemberCannotReceive, match=status):
        give(member)
    assert in_pool(partner) == 10


def test_a_suspended_programme_awards_nothing():
    partner = make_programme(credits=10)
    member = make_active_member(partner)
    set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
    with pytest.raises(PartnerSuspended):
        give(member)
    assert in_pool(partner) == 10


def test_another_partners_member_and_campaign_are_not_found():
    partner, other = make_programme(credits=10), make_programme(credits=10)
    stranger = make_active_member(other)
    member = make_active_member(partner, "bea@example.com")
    wanted = [asked(stranger), asked(member, campaign=make_campaign(other))]
    answers = award_many(partner=partner, requests=wanted)
    assert [type(one) for one in answers] == [NotFound, NotFound]


@pytest.mark.parametrize(
    "wrong",
    [
        {"credits": -1},
        {"credits": True},
        {"key": ""},
        {"key": "k" * 201},
        {"note": "n" * 201},
        {"validity_days": 0},
        {"validity_days": 3651},
        {"claim_by": timezone.now() - timedelta(days=1)},
        {"claim_by": timezone.now() + timedelta(days=366)},
    ],
)
def test_an_award_that_cannot_be_is_refused(wrong):
    member = make_active_member(make_programme(credits=10))
    with pytest.raises(InvalidAward):
        give(member, **wrong)


def test_an_award_is_no_larger_than_one_movement_can_be():
    member = make_active_member(make_programme(credits=10))
    with pytest.raises(InvalidAward, match="from 1 to 1,000,000,000,000,000"):
        give(member, LARGEST_AWARD + 1)


def test_a_campaign_awards_no_more_than_its_budget():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    campaign = make_campaign(partner, budget=25)
    wanted = [asked(member, n, campaign=campaign) for n in (20, 6, 5)]
    first, refused, last = award_many(partner=partner, requests=wanted)
    assert isinstance(refused, CampaignBudgetSpent)
    assert refused.details == {"name": "Spring", "left": 5, "wanted": 6}
    campaign.refresh_from_db()
    assert (campaign.awarded, in_hand(member)) == (25, 25)
    assert first.award.campaign == last.award.campaign == campaign


def test_what_the_pool_refuses_counts_in_no_campaign():
    partner = make_programme(credits=10)
    campaign = make_campaign(partner)
    wanted = [asked(make_active_member(partner), n, campaign=campaign) for n in (11, 4)]
    award_many(partner=partner, requests=wanted)
    campaign.refresh_from_db()
    assert campaign.awarded == 4


@pytest.mark.parametrize(
    "dates",
    [
        {"begins_at": timezone.now() + timedelta(hours=1)},
        {"ends_at": timezone.now() - timedelta(hours=1)},
    ],
)
def test_nothing_is_awarded_outside_of_a_campaigns_window(dates):
    partner = make_programme(credits=10)
    campaign = make_campaign(partner, **dates)
    with pytest.raises(CampaignClosed):
        give(make_active_member(partner), campaign=campaign)
    assert in_pool(partner) == 10


def test_queries_do_not_grow_with_the_awards(django_assert_num_queries):
    partner = make_programme(credits=1000)
    members = make_members(partner, *(f"m{n}@example.com" for n in range(40)))
    campaign = make_campaign(partner, budget=1000)
    few, many = members[:2], members[2:]
    with CaptureQueriesContext(connection) as queries:
        award_many(partner=partner, requests=[asked(one, campaign=campaign) for one in few])
    with django_assert_num_queries(len(queries)):
        award_many(partner=partner, requests=[asked(one, campaign=campaign) for one in many])
    assert in_pool(partner) == 600
