"""Each invariant of programmes finds what breaks it, and says nothing otherwise."""

import pytest
from django.utils import timezone

from apps.core.invariants import verify
from apps.credits.selectors import main_wallet
from apps.credits.services.transfers import transfer_credits
from apps.partners.models import Campaign, PartnerCredit, PartnerMember
from apps.partners.services.settling import revoke
from tests.partners.awarding import give, make_active_member, spend
from tests.partners.programme import make_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    member = make_active_member(make_programme(credits=100))
    now = timezone.now()
    campaign = Campaign.objects.create(
        organization=member.organization,
        partner=member.partner,
        name="Spring",
        budget=100,
        begins_at=now,
    )
    give(member, 10, campaign=campaign)
    spend(member, 7)
    revoke(award=give(member, 20), reason="a mistake")
    return member


def broken() -> set[str]:
    return {one.invariant.code for one in verify() if one.failures}


def hand_on(member, source: str) -> None:
    transfer_credits(
        wallet=main_wallet(member.organization),
        target=member.wallet,
        amount=1,
        reference="no award",
        source=source,
    )


def test_what_is_awarded_used_and_revoked_breaks_none(member):
    assert broken() == set()


def test_an_award_without_its_transfer_is_found(member):
    PartnerCredit.objects.filter(settled_at=None).update(reference="award:pcr_another")
    assert broken() == {"H01", "H02"}


def test_credits_that_nobody_awarded_are_found(member):
    hand_on(member, "partner")
    assert broken() == {"H02"}


def test_credits_that_left_no_pool_are_found(member):
    hand_on(member, "somewhere")
    assert broken() == {"H02", "H03"}


def test_a_campaign_that_counts_wrong_is_found(member):
    Campaign.objects.update(awarded=11)
    assert broken() == {"H04"}


def test_who_left_with_an_award_is_found(member):
    PartnerMember.objects.update(status="left", left_at=timezone.now())
    assert broken() == {"H05"}
