"""The API of requests, rules, campaigns, and a member's own credits."""

from uuid import uuid4

import pytest
from django.utils import timezone

from apps.core.invariants import verify
from apps.credits.services.holders import set_holder
from apps.partners.models import AwardRule, Campaign, CreditRequest, PartnerCredit
from apps.partners.services.campaigns import Plan, create_campaign
from apps.partners.services.requests import request_credits
from apps.partners.services.rules import create_rule
from apps.rbac.services.roles import assign_role, system_role
from tests.partners.awarding import give, in_hand, make_active_member, spend
from tests.partners.programme import make_programme
from tests.people import make_key, make_member, signed_in, with_key
from tests.problem_documents import problem_of
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_is_broken():
    yield
    assert [finding for finding in verify() if finding.failures] == []


@pytest.fixture
def member(partner):
    made = make_active_member(partner)
    assign_role(user=made.user, role=system_role("member"), organization=partner.organization)
    return made


@pytest.fixture
def client(partner):
    person = make_member(partner.organization, "partner manager")
    scopes = ("partners:read", "partners:write")
    return with_key(make_key(partner.organization, person, *scopes)[1])


def post(client, path, body=None, key=None):
    headers = {"Idempotency-Key": key or str(uuid4())}
    place = f"/api/v1/{path}"
    return client.post(place, body or {}, content_type="application/json", headers=headers)


def get(client, path):
    return client.get(f"/api/v1/{path}")


class TestRequests:
    def test_are_listed_and_approved_once(self, client, member):
        asked = request_credits(member=member, credits=40)
        (shown,) = get(client, "partner/requests?status=pending").json()["data"]
        assert (shown["id"], shown["email"]) == (asked.public_id, member.email)
        path, key = f"partner/requests/{asked.public_id}/approve", str(uuid4())
        first = post(client, path, {"credits": 25}, key)
        again = post(client, path, {"credits": 25}, key)
        once_more = post(client, path, {"credits": 25})
        assert first.json() == again.json() == once_more.json()
        assert (first.json()["status"], first.json()["awarded"]) == ("approved", 25)
        assert (PartnerCredit.objects.count(), in_hand(member)) == (1, 25)
        assert get(client, "partner/requests?status=pending").json()["data"] == []

    def test_are_declined_with_an_answer(self, client, member):
        asked = request_credits(member=member, credits=40)
        path = f"partner/requests/{asked.public_id}/decline"
        assert post(client, path).status_code == 400
        assert post(client, path, {"answer": "No"}).json()["status"] == "declined"
        refused = post(client, path.replace("decline", "approve"))
        assert problem_of(refused, 409)["code"] == "credit_request_decided"

    def test_of_another_partner_are_not_there(self, client):
        asked = request_credits(member=make_active_member(make_programme(name="X")), credits=1)
        path = f"partner/requests/{asked.public_id}"
        assert get(client, path).status_code == 404
        assert post(client, f"{path}/approve").status_code == 404
        assert get(client, "partner/requests").json()["data"] == []


class TestRules:
    def test_are_made_changed_and_ended(self, client, partner):
        campaign = create_campaign(partner=partner, plan=Plan("Spring", 100, timezone.now()))
        body = {"domain": "green.example", "credits": 30, "campaign": campaign.public_id}
        made = post(client, "partner/rules", body)
        assert made.status_code == 201
        place = made["Location"]
        assert client.get(place).json()["campaign"] == campaign.public_id
        for change, expected in (
            ({"credits": 5}, (5, campaign.public_id)),
            ({"campaign": None}, (5, None)),
        ):
            changed = client.patch(place, change, content_type="application/json").json()
            assert (changed["credits"], changed["campaign"]) == expected
        assert client.delete(place).status_code == 204
        assert client.get(place).json()["is_active"] is False
        assert len(get(client, "partner/rules").json()["data"]) == 1

    def test_are_within_no_campaign_of_another_partner(self, client):
        theirs = create_campaign(
            partner=make_programme(name="X"), plan=Plan("Spring", 100, timezone.now())
        )
        body = {"domain": "green.example", "credits": 30, "campaign": theirs.public_id}
        assert post(client, "partner/rules", body).status_code == 404
        assert not AwardRule.objects.exists()

    def test_are_for_no_public_domain(self, client):
        refused = post(client, "partner/rules", {"domain": "gmail.com", "credits": 30})
        assert problem_of(refused, 400)["code"] == "invalid_award_rule"


class TestCampaigns:
    def test_are_made_changed_reported_and_ended(self, client, member):
        made = post(client, "partner/campaigns", {"name": "Spring", "budget": 100})
        assert (made.status_code, made.json()["state"]) == (201, "open")
        place = made["Location"]
        give(member, 40, campaign=Campaign.objects.get())
        spend(member, 15)
        changed = client.patch(place, {"budget": 40}, content_type="application/json").json()
        assert (changed["budget"], changed["state"]) == (40, "spent")
        report = client.get(f"{place}/report").json()
        assert (report["awarded"], report["used"], report["left"]) == (40, 15, 25)
        assert len(report["days"]) == 1
        lines = b"".join(client.get(f"{place}/report.csv").streaming_content).splitlines()
        assert (lines[0][:12], len(lines)) == (b"date,awarded", 2)
        assert post(client, place.removeprefix("/api/v1/") + "/end").json()["state"] == "over"

    def test_of_another_partner_are_not_there(self, client):
        theirs = create_campaign(
            partner=make_programme(name="X"), plan=Plan("Spring", 100, timezone.now())
        )
        for rest in ("", "/report", "/report.csv"):
            assert get(client, f"partner/campaigns/{theirs.public_id}{rest}").status_code == 404
        assert post(client, f"partner/campaigns/{theirs.public_id}/end").status_code == 404


class TestOnesOwn:
    def test_are_told_with_who_gave_them_and_what_moved(self, member):
        set_holder(wallet=member.wallet, user=member.user)
        give(member, 40, note="For the fair")
        spend(member, 15)
        client = signed_in(member.user)
        own = get(client, "my-credits").json()
        assert (own["available"], own["programme"]) == (25, member.partner.name)
        assert own["lots"][0]["award"]["note"] == "For the fair"
        moved = get(client, "credits/own/transactions").json()["data"]
        assert [one["amount"] for one in moved] == [-15, 40]
        assert get(client, "my-credits/transactions").status_code == 404  # listed at one place
        assert len(list(get(client, "my-credits/transactions.csv").streaming_content)) == 3

    def test_are_asked_for_once_for_each_key_and_withdrawn(self, member):
        client, key = signed_in(member.user), str(uuid4())
        first = post(client, "my-credits/requests", {"credits": 40}, key)
        again = post(client, "my-credits/requests", {"credits": 40}, key)
        assert (first.status_code, again.json()) == (201, first.json())
        refused = post(client, "my-credits/requests", {"credits": 40})
        assert problem_of(refused, 409)["code"] == "credit_request_pending"
        path = f"my-credits/requests/{first.json()['id']}/withdraw"
        assert post(client, path).json()["status"] == "withdrawn"
        assert [one["status"] for one in get(client, "my-credits/requests").json()["data"]] == [
            "withdrawn"
        ]

    def test_are_no_other_members(self, partner, member):
        asked = request_credits(member=make_active_member(partner, "bob@example.com"), credits=7)
        path = f"my-credits/requests/{asked.public_id}/withdraw"
        assert post(signed_in(member.user), path).status_code == 404
        assert CreditRequest.objects.get().status == "pending"

    def test_are_none_of_who_is_no_member(self, partner):
        client = signed_in(make_member(partner.organization, "owner"))
        headers = {"Coffer-Organization": partner.organization.public_id}
        refused = client.get("/api/v1/my-credits", headers=headers)
        assert problem_of(refused, 409)["code"] == "not_a_partner_member"


class TestProgrammes:
    def test_are_listed_and_joined_by_the_person_himself(self, partner, client):
        rule = create_rule(partner=partner, domain="green.example", credits=30)
        ada = signed_in(make_verified("ada@green.example"))
        (shown,) = get(ada, "programmes").json()["data"]
        assert (shown["programme"], shown["is_taken"]) == (partner.name, False)
        joined = post(ada, f"programmes/{rule.public_id}/join").json()
        assert joined["organization"] == partner.organization.public_id
        assert get(ada, "programmes").json()["data"][0]["is_taken"] is True
        assert get(client, "programmes").status_code == 403  # a key is nobody

    def test_of_others_domains_are_not_there(self, partner):
        rule = create_rule(partner=partner, domain="green.example", credits=30)
        eve = signed_in(make_verified("eve@elsewhere.example"))
        assert get(eve, "programmes").json()["data"] == []
        assert post(eve, f"programmes/{rule.public_id}/join").status_code == 404
