"""Every table of a programme as a file: on its pages, and in the back office."""

import csv

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.partners.models import MemberGroup
from apps.partners.services.campaigns import Plan, create_campaign, end_campaign
from apps.partners.services.groups import create_group
from apps.partners.services.requests import decline_request, request_credits
from apps.partners.services.rules import create_rule
from tests.partners.awarding import give, make_active_member
from tests.partners.uploading import make_upload
from tests.people import make_member, make_person, signed_in

pytestmark = pytest.mark.django_db
ADMIN = (
    *("application", "awardrule", "campaign", "creditrequest", "membergroup", "partner"),
    *("partnercredit", "partnermember", "partnerterms", "upload", "uploadrow"),
)


@pytest.fixture
def member(partner):
    member = make_active_member(partner)
    member.group = create_group(partner=partner, name="Team", cost_centre="4711")
    member.save()
    return member


@pytest.fixture
def campaign(partner, member):
    plan = Plan(name="Spring", budget=50, begins_at=timezone.now(), ends_at=None)
    made = create_campaign(partner=partner, plan=plan, by=make_person())
    give(member, 20, campaign=made)
    return made


@pytest.fixture
def client(partner):
    return signed_in(make_member(partner.organization, "owner"))


def rows_of(answer) -> list[dict[str, str]]:
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))


def file_of(client, partner, page: str, query: str = "") -> list[dict[str, str]]:
    here = reverse(f"partners:{page}", args=[partner.organization.slug])
    return rows_of(client.get(f"{here}?format=csv{query}"))


def test_requests_are_handed_out_by_state_and_run_no_formula(client, partner, member):
    asked = request_credits(member=member, credits=5, reason="=1+1")
    decline_request(request=asked, by=make_person(), answer="Not now")
    request_credits(member=member, credits=7)
    (row,) = file_of(client, partner, "requests", "&status=declined")
    assert (row["id"], row["email"], row["group"]) == (asked.public_id, member.email, "Team")
    assert (row["credits"], row["reason"], row["answer"]) == ("5", "'=1+1", "Not now")
    assert row["awarded"] == ""
    assert len(file_of(client, partner, "requests", "&status=pending")) == 1


def test_more_requests_take_no_more_queries(client, partner, member):
    file_of(client, partner, "requests")  # what is asked once for each sign-in
    asked = []
    for name in ("bo", "cy"):
        request_credits(member=make_active_member(partner, f"{name}@example.com"), credits=1)
        with CaptureQueriesContext(connection) as queries:
            rows = file_of(client, partner, "requests")
        asked.append((len(rows), len(queries)))
    assert [rows for rows, _ in asked] == [1, 2]
    assert asked[0][1] == asked[1][1]


def test_rules_campaigns_groups_uploads_and_terms_are_handed_out(client, partner, campaign):
    rule = create_rule(
        partner=partner, domain="example.org", credits=3, campaign=campaign, by=make_person()
    )
    upload = make_upload(partner, "ada@example.com,Ada,1")
    (row,) = file_of(client, partner, "rules")
    assert (row["id"], row["credits"], row["campaign"]) == (rule.public_id, "3", "Spring")
    (row,) = file_of(client, partner, "campaigns")
    assert (row["name"], row["budget"], row["awarded"]) == ("Spring", "50", "20")
    (row,) = file_of(client, partner, "groups")
    assert (row["name"], row["cost_centre"], row["members"]) == ("Team", "4711", "1")
    (row,) = file_of(client, partner, "uploads")
    assert (row["id"], row["status"], row["rows"]) == (upload.public_id, "preview", "1")
    (row,) = file_of(client, partner, "terms")
    assert (row["number"], row["validity_days"], row["unused"]) == ("1", "90", "return")


@pytest.mark.parametrize("table", ["groups", "campaigns"])
def test_the_overview_hands_out_what_it_shows(client, partner, campaign, table):
    (row,) = file_of(client, partner, "overview", f"&table={table}")
    names = ("awarded", "used", "returned", "lapsed", "corrected", "left")
    assert [row[name] for name in names] == ["20", "0", "0", "0", "0", "20"]
    assert row["name"] == {"groups": "Team", "campaigns": "Spring"}[table]


class TestStaff:
    def test_take_every_list_away(self, partner, member, campaign):
        request_credits(member=member, credits=5)
        create_rule(partner=partner, domain="example.org", credits=3, by=make_person())
        make_upload(partner, "ada@example.com,Ada,wrong")
        root = signed_in(make_person(is_staff=True, is_superuser=True))
        found = {name: len(rows_of(root.get(f"/admin/partners/{name}/export/"))) for name in ADMIN}
        assert found == {**dict.fromkeys(ADMIN, 1), "application": 0}
        link = "/admin/partners/campaign/export/?name=Spring"
        assert link in root.get("/admin/partners/campaign/?name=Spring").content.decode()

    def test_rename_a_group_as_its_partner_may(self, partner, member):
        create_group(partner=partner, name="Taken")
        root = signed_in(make_person(is_staff=True, is_superuser=True))
        here = f"/admin/partners/membergroup/{member.group.pk}"
        assert "4711" in root.get(f"{here}/change/").content.decode()
        refused = root.post(f"{here}/rename/", {"name": "taken", "cost_centre": ""})
        assert "taken" in refused.content.decode()
        assert refused.status_code == 409
        root.post(f"{here}/rename/", {"name": "Crew", "cost_centre": "12"})
        found = MemberGroup.objects.get(pk=member.group.pk)
        assert (found.name, found.cost_centre) == ("Crew", "12")


def test_an_ended_campaign_stays_in_the_file(client, partner, campaign):
    end_campaign(campaign=campaign)
    assert file_of(client, partner, "campaigns")[0]["ends_at"]
