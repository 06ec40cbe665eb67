"""Offers that are claimed, and awards that last longer."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.clock import moved_to
from apps.credits.models import Hold, Lot
from apps.credits.services.holds import hold_amount, release_hold
from apps.partners import selectors
from apps.partners.errors import AwardCannotLast, AwardOver, InvalidAward
from apps.partners.models import PartnerCredit
from apps.partners.services.claims import claim_awards, extend
from apps.partners.services.programmes import Terms
from tests.partners.awarding import fill, give, in_hand, in_pool, make_active_member, spend
from tests.partners.programme import make_members, make_programme

pytestmark = pytest.mark.django_db
Status = PartnerCredit.Status
DAY = timedelta(days=1)


@pytest.fixture(params=["return", "lapse"])
def partner(request):
    return make_programme(credits=100, terms=Terms(unused=request.param, validity_days=60))


def ends(member) -> list:
    lots = Lot.objects.filter(wallet=member.wallet, has_credits=True)
    return sorted(lots.values_list("expires_at", flat=True))


def test_what_is_offered_lasts_from_its_claim_on(partner):
    (member,) = make_members(partner, "ada@example.com")
    offer = give(member, 10, validity_days=20)
    later = timezone.now() + 29 * DAY
    with moved_to(later):
        (claimed,) = claim_awards(member=member)
        assert selectors.standing_of(claimed).status == Status.AVAILABLE
        assert claim_awards(member=member) == []
    assert claimed == offer
    assert (claimed.claimed_at, claimed.expires_at) == (later, later + 20 * DAY)
    assert ends(member) == [claimed.expires_at]
    assert in_pool(partner) == 90


def test_an_offer_past_its_date_cannot_be_claimed(partner):
    (member,) = make_members(partner, "ada@example.com")
    offer = give(member, 10)
    with moved_to(offer.expires_at):
        assert claim_awards(member=member) == []
        assert selectors.standing_of(offer).status == Status.EXPIRED
        assert in_hand(member) == 0


def test_what_is_claimed_ends_with_the_pools_credits_at_the_latest():
    partner = make_programme(terms=Terms(validity_days=60))
    soon = timezone.now() + 40 * DAY
    fill(partner, 10, expires_at=soon)
    fill(partner, 10)
    (member,) = make_members(partner, "ada@example.com")
    give(member, 15)
    (claimed,) = claim_awards(member=member)
    assert ends(member) == [soon, claimed.expires_at]
    assert claimed.expires_at == claimed.claimed_at + 60 * DAY


def test_the_claim_of_one_member_is_no_other_members(partner):
    ada, bea = make_members(partner, "ada@example.com", "bea@example.com")
    give(ada, 10)
    offer = give(bea, 10)
    claim_awards(member=ada)
    offer.refresh_from_db()
    assert offer.claimed_at is None


def test_claiming_asks_as_often_for_many_as_for_few(partner, django_assert_num_queries):
    few, many = make_members(partner, "ada@example.com", "bea@example.com")
    for member, offers in ((few, 1), (many, 12)):
        for _ in range(offers):
            give(member, 1)
    with CaptureQueriesContext(connection) as queries:
        claim_awards(member=few)
    with django_assert_num_queries(len(queries)):
        assert len(claim_awards(member=many)) == 12


def test_an_award_is_made_to_last_longer(partner):
    member = make_active_member(partner)
    award = give(member, 10)
    spend(member, 4)
    until = award.expires_at + 30 * DAY
    longer = extend(award=award, until=until)
    assert longer.expires_at == until
    assert ends(member) == [until]
    with moved_to(until - DAY):
        assert selectors.standing_of(longer).left == 6


def test_an_offer_is_made_to_wait_longer_and_then_lasts_its_days(partner):
    (member,) = make_members(partner, "ada@example.com")
    offer = give(member, 10)
    extend(award=offer, until=offer.expires_at + 30 * DAY)
    with moved_to(offer.expires_at + 29 * DAY):
        (claimed,) = claim_awards(member=member)
    assert claimed.expires_at == claimed.claimed_at + 60 * DAY


def test_an_award_does_not_end_earlier_by_being_extended(partner):
    award = give(make_active_member(partner), 10)
    with pytest.raises(InvalidAward, match="later than"):
        extend(award=award, until=award.expires_at)
    with pytest.raises(InvalidAward, match="within 3650 days"):
        extend(award=award, until=timezone.now() + 3651 * DAY)


def test_an_award_cannot_outlast_the_pools_credits():
    partner = make_programme(terms=Terms(validity_days=60))
    fill(partner, 10, expires_at=timezone.now() + 90 * DAY)
    award = give(make_active_member(partner), 10)
    with pytest.raises(AwardCannotLast):
        extend(award=award, until=award.expires_at + 31 * DAY)
    extend(award=award, until=award.expires_at + 29 * DAY)


def test_what_is_used_up_is_not_extended(partner):
    member = make_active_member(partner)
    award = give(member, 10)
    spend(member, 10)
    with pytest.raises(AwardOver, match="used"):
        extend(award=award, until=award.expires_at + DAY)


def test_what_a_job_gave_back_is_extended_again(partner):
    member = make_active_member(partner)
    award = give(member, 10, validity_days=20)
    with transaction.atomic():
        hold = hold_amount(
            wallet=member.wallet, amount=4, reference="job:1", source="test", ttl=DAY
        ).hold
    first = extend(award=award, until=award.expires_at + DAY)
    release_hold(hold=Hold.objects.get(pk=hold.id), source="test")
    again = extend(award=first, until=first.expires_at + DAY)
    assert again.expires_at == award.expires_at + 2 * DAY
    assert ends(member) == [again.expires_at] * 2
    assert in_hand(member) == selectors.standing_of(again).left == 10
