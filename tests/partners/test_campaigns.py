"""Campaigns: their budget and window, how they end, and what became of their credits."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.partners.errors import CampaignClosed, PartnerSuspended
from apps.partners.errors.asking import CampaignNameTaken, CampaignOver, InvalidCampaign
from apps.partners.models import Partner, PartnerCredit
from apps.partners.selectors.campaigns import day_rows, report_of, stands
from apps.partners.services.awards import award
from apps.partners.services.campaigns import (
    LARGEST_BUDGET,
    Plan,
    change_campaign,
    create_campaign,
    end_campaign,
)
from apps.partners.services.programmes import Terms, set_status
from apps.partners.services.settling import revoke
from apps.tenants.models import AuditLog
from tests.partners.awarding import asked, give, make_active_member, spend
from tests.partners.programme import make_members, make_programme

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def partner():
    return make_programme(credits=1000)


def plan(**changes):
    now = timezone.now()
    return Plan(**{"name": "Spring", "budget": 100, "begins_at": now - DAY, **changes})


def make(partner, **changes):
    return create_campaign(partner=partner, plan=plan(**changes))


def test_a_campaign_has_a_budget_and_a_window(partner):
    made = make(partner, ends_at=timezone.now() + DAY)
    assert (made.name, made.budget, made.awarded) == ("Spring", 100, 0)
    assert AuditLog.objects.filter(action="campaign.create").count() == 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": "  "}),
        ("budget", {"budget": 0}),
        ("budget", {"budget": LARGEST_BUDGET + 1}),
        ("ends_at", {"ends_at": timezone.now() - 2 * DAY}),
        ("ends_at", {"ends_at": timezone.now() - DAY / 2}),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(partner, field, wrong):
    with pytest.raises(InvalidCampaign) as refused:
        make(partner, **wrong)
    assert refused.value.details["field"] == field


def test_two_campaigns_have_two_names(partner):
    make(partner)
    with pytest.raises(CampaignNameTaken):
        make(partner)
    other = make(partner, name="Autumn")
    with pytest.raises(CampaignNameTaken):
        change_campaign(campaign=other, changes={"name": "Spring"})
    assert make(make_programme(name="Another")).name == "Spring"


def test_a_suspended_programme_plans_nothing(partner):
    set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
    with pytest.raises(PartnerSuspended):
        make(partner)


def test_what_it_says_is_changed_and_written_down(partner):
    campaign = make(partner)
    changed = change_campaign(campaign=campaign, changes={"budget": 50})
    assert (changed.budget, changed.name) == (50, "Spring")
    change_campaign(campaign=campaign, changes={"budget": 50})
    assert AuditLog.objects.filter(action="campaign.change").count() == 1


def test_its_budget_is_never_less_than_what_is_awarded(partner):
    campaign = make(partner)
    give(make_active_member(partner), 60, campaign=campaign)
    with pytest.raises(InvalidCampaign):
        change_campaign(campaign=campaign, changes={"budget": 59})
    assert change_campaign(campaign=campaign, changes={"budget": 60}).awarded == 60


def test_ended_nothing_is_awarded_in_it_and_it_stays_as_it_was(partner):
    campaign = make(partner)
    member = make_active_member(partner)
    ended = end_campaign(campaign=campaign)
    assert end_campaign(campaign=campaign).ends_at == ended.ends_at
    assert AuditLog.objects.filter(action="campaign.end").count() == 1
    with pytest.raises(CampaignClosed):
        award(partner=partner, request=asked(member, campaign=campaign))
    with pytest.raises(CampaignOver):
        change_campaign(campaign=campaign, changes={"budget": 500})


def test_one_that_has_not_begun_can_be_ended(partner):
    campaign = make(partner, begins_at=timezone.now() + DAY)
    ended = end_campaign(campaign=campaign)
    assert ended.begins_at < ended.ends_at <= timezone.now()


def test_it_stands_as_its_window_and_budget_say(partner):
    now = timezone.now()
    campaign = make(partner, ends_at=now + DAY)
    assert stands(campaign, now) == "open"
    assert stands(campaign, now - 2 * DAY) == "to come"
    assert stands(campaign, now + DAY) == "over"
    campaign.awarded = campaign.budget
    assert stands(campaign, now) == "spent"


@pytest.mark.parametrize("unused", ["return", "lapse"])
def test_its_report_says_what_became_of_each_credit(unused):
    partner = make_programme(credits=1000, terms=Terms(unused=unused))
    campaign = make(partner)
    ada, (bob,) = make_active_member(partner), make_members(partner, "bob@example.com")
    first = give(ada, 40, campaign=campaign)
    give(bob, 20, campaign=campaign)  # an offer
    give(ada, 500)  # of no campaign
    spend(ada, 15)  # of the campaign's award: it ends a moment before the other
    revoke(award=first, reason="over")
    report = report_of(campaign)
    used = report.total("used")
    gone = {"return": "returned", "lapse": "lapsed"}[unused]
    assert (report.total("awarded"), report.total("claimed")) == (60, 40)
    assert (used, report.total(gone), report.left) == (15, 25, 20)
    assert report.total("returned") + report.total("lapsed") == 25


def test_its_days_are_those_of_the_organization(partner):
    partner.organization.time_zone = "Pacific/Auckland"
    partner.organization.save()
    campaign = make(partner, begins_at=timezone.now() - 400 * DAY)
    evening = timezone.now().replace(year=2026, month=3, day=1, hour=23, minute=0)
    give(make_active_member(partner), 10, campaign=campaign)
    PartnerCredit.objects.filter(campaign=campaign).update(created_at=evening)
    days = {row[0]: row[1] for row in day_rows(report_of(campaign)) if row[1]}
    assert days == {"2026-03-02": 10}


def test_its_report_asks_as_often_for_many_as_for_few(partner, django_assert_num_queries):
    campaign = make(partner)
    give(make_active_member(partner), 1, campaign=campaign)
    with CaptureQueriesContext(connection) as few:
        report_of(campaign)
    for number in range(5):
        give(make_active_member(partner, f"more{number}@example.com"), 1, campaign=campaign)
    with django_assert_num_queries(len(few)):
        assert report_of(campaign).total("awarded") == 6
