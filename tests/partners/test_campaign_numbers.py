"""What became of the credits of each campaign, however their lots were changed."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.credits.ledger.commands import ChangeExpiry, Deduct
from apps.credits.ledger.posting import post_one
from apps.credits.models import Lot
from apps.partners.models import Campaign
from apps.partners.selectors.campaign_numbers import campaigns_standing
from apps.partners.selectors.campaigns import report_of
from apps.partners.services.awards import award_many
from apps.partners.services.claims import claim_awards
from apps.partners.services.settling import revoke
from tests.partners.awarding import asked, give, make_active_member, spend
from tests.partners.programme import make_members, make_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner():
    return make_programme(credits=10_000)


def make_campaign(partner, name="Spring", days=1):
    return Campaign.objects.create(
        organization=partner.organization,
        partner=partner,
        name=name,
        budget=1000,
        begins_at=timezone.now() - timedelta(days=days),
    )


def standing(partner, name="Spring"):
    [found] = [one for one in campaigns_standing(partner) if one.name == name]
    return found


def test_a_campaign_without_awards_is_all_zero(partner):
    campaign = make_campaign(partner)
    found = standing(partner)
    assert (found.public_id, found.budget) == (campaign.public_id, 1000)
    assert (found.awards, found.awarded, found.claimed, found.used, found.left) == (0,) * 5


def test_a_campaign_counts_its_own_awards_alone(partner):
    spring, winter = make_campaign(partner), make_campaign(partner, "Winter", days=90)
    ada = make_active_member(partner)
    give(ada, 100, campaign=spring)
    give(ada, 40, campaign=winter)
    give(ada, 7)
    spend(ada, 100)  # of whichever ends first
    found = campaigns_standing(partner)
    assert [one.name for one in found] == ["Spring", "Winter"]
    assert [(one.awards, one.awarded, one.claimed) for one in found] == [(1, 100, 100), (1, 40, 40)]
    for one in found:
        assert one.awarded - one.used - one.returned - one.lapsed + one.corrected == one.left
    assert sum(one.left for one in found) + 7 >= 47
    assert 93 <= sum(one.used for one in found) <= 100


def test_what_moved_to_a_lot_with_another_end_still_belongs_to_it(partner):
    campaign = make_campaign(partner)
    [ada] = make_members(partner, "ada@example.com")
    award = give(ada, 100, campaign=campaign)
    assert (standing(partner).claimed, standing(partner).left) == (0, 100)
    ada.status, ada.user, ada.claimed_at = (
        "active",
        make_active_member(partner, "other@example.com").user,
        timezone.now(),
    )
    claim_awards(member=ada)
    found = standing(partner)
    assert (found.claimed, found.left, found.used) == (100, 100, 0)
    spend(ada, 30)
    revoke(award=award, reason="left the team")
    found = standing(partner)
    assert (found.awarded, found.used, found.returned, found.left) == (100, 30, 70, 0)


def test_the_report_of_a_campaign_says_what_the_overview_says(partner, django_assert_num_queries):
    spring, winter = make_campaign(partner), make_campaign(partner, "Winter", days=90)
    ada, ben = make_active_member(partner), make_active_member(partner, "ben@example.com")
    taken = give(ada, 100, campaign=spring)
    give(ben, 50, campaign=winter)
    spend(ada, 30)
    spend(ben, 5)
    correct = {"wallet_id": ada.wallet_id, "source": "correction"}
    lot = Lot.objects.get(wallet=ada.wallet, has_credits=True)
    later = {"lot_id": lot.id, "expires_at": lot.expires_at + timedelta(days=9)}
    with transaction.atomic():  # as staff do
        post_one(Deduct(**correct, reference="correction:less", amount=8))
        post_one(ChangeExpiry(**correct, reference="correction:later", **later))
    revoke(award=taken, reason="left the team")
    names = ("awarded", "claimed", "used", "returned", "lapsed", "corrected")
    for campaign in (spring, winter):
        with django_assert_num_queries(1):
            report = report_of(campaign)
        found = standing(partner, campaign.name)
        assert [report.total(name) for name in names] == [getattr(found, name) for name in names]
        assert report.left == found.left
    sums = standing(partner)
    assert (sums.used, sums.returned, sums.corrected, sums.left) == (30, 62, -8, 0)


def test_campaigns_are_one_query_however_many_awards(partner, django_assert_num_queries):
    campaign = make_campaign(partner)
    members = make_members(partner, *(f"{number}@example.com" for number in range(10)))
    award_many(partner=partner, requests=[asked(one, 5, campaign=campaign) for one in members])
    with django_assert_num_queries(1):
        assert standing(partner).left == 50
