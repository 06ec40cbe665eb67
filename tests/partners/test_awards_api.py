"""The API of awards."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.partners.models import PartnerCredit
from tests.partners.awarding import fill, give, in_pool, make_active_member, spend
from tests.partners.programme import make_members, make_programme
from tests.people import make_key, make_member, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db
ASSIGN, AWARDS = "/api/v1/partner/assign-credits", "/api/v1/partner/awards"


@pytest.fixture
def client(partner):
    return client_of(partner, "partners:read", "partners:write")


def client_of(partner, *scopes):
    owner = make_member(partner.organization, "owner")
    return with_key(make_key(partner.organization, owner, *scopes)[1])


def assign(client, body, key=None):
    headers = {"Idempotency-Key": key or str(uuid4())}
    return client.post(ASSIGN, body, content_type="application/json", headers=headers)


def act(client, award, deed, body):
    headers = {"Idempotency-Key": str(uuid4())}
    path = f"{AWARDS}/{award.public_id}/{deed}"
    return client.post(path, body, content_type="application/json", headers=headers)


class TestAssigning:
    def test_awards_to_a_member_by_id(self, client, partner):
        member = make_active_member(partner)
        body = {"member": member.public_id, "credits": 30, "note": "Spring"}

        answer = assign(client, body)

        assert answer.status_code == 201
        award = answer.json()
        assert answer["Location"].endswith(f"{AWARDS}/{award['id']}")
        assert (award["email"], award["status"]) == ("ada@example.com", "available")
        assert (award["credits"], award["left"], award["used"], award["note"]) == (
            30,
            30,
            0,
            "Spring",
        )
        assert in_pool(partner) == 70

    @pytest.mark.parametrize(
        "named", [{"member": " Ada@Example.com "}, {"memberId": "ada@example.com"}]
    )
    def test_awards_to_a_member_by_address_and_by_the_old_name(self, client, partner, named):
        make_members(partner, "ada@example.com")
        answer = assign(client, {**named, "credits": 30})
        assert (answer.status_code, answer.json()["status"]) == (201, "offered")

    def test_awards_once_for_a_key(self, client, partner):
        body = {"member": make_active_member(partner).public_id, "credits": 30}
        first, again = assign(client, body, "k"), assign(client, body, "k")
        assert first.json() == again.json()
        assert again["Idempotent-Replayed"] == "true"
        assert in_pool(partner) == 70
        other = assign(client, {**body, "credits": 31}, "k")
        assert problem_of(other, status=422)["code"] == "idempotency_key_reused"

    def test_says_what_is_missing(self, client, partner):
        member = make_active_member(partner).public_id
        too_many = assign(client, {"member": member, "credits": 101})
        assert problem_of(too_many, status=402)["code"] == "insufficient_credits"
        nobody = assign(client, {"member": "bea@example.com", "credits": 1})
        assert problem_of(nobody, status=404)["code"] == "member_not_found"
        for wrong in ({"credits": 1}, {"member": member}, {"member": member, "credits": 0}):
            problem_of(assign(client, wrong), status=400)
        twice = {"member": member, "memberId": "bea@example.com", "credits": 1}
        problem_of(assign(client, twice), status=400)
        assert in_pool(partner) == 100

    def test_takes_the_partner_from_the_caller_and_never_from_what_is_asked(self, client, partner):
        other = make_programme(credits=100)
        stranger = make_active_member(other)
        answer = client.post(
            f"{ASSIGN}?partnerId={other.public_id}",
            {"member": stranger.public_id, "credits": 1},
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )
        assert problem_of(answer, status=404)["code"] == "member_not_found"
        assert in_pool(other) == 100

    def test_needs_the_scope_that_writes(self, partner):
        body = {"member": make_active_member(partner).public_id, "credits": 1}
        problem_of(assign(client_of(partner, "partners:read"), body), status=403)


class TestLooking:
    def test_lists_by_every_filter(self, client, partner):
        ada, bea = make_active_member(partner), make_active_member(partner, "bea@example.com")
        used, half = give(ada, 5), give(bea, 10, note="Half_a_day")
        spend(ada, 5)
        (cid,) = make_members(partner, "cid@example.com")
        offer = give(cid, 1)
        for query, found in (
            ("", [offer, half, used]),
            ("?email=BEA@example.com", [half]),
            ("?status=used", [used]),
            ("?status=available", [half]),
            ("?status=offered", [offer]),
            ("?status=revoked", []),
            ("?search=half_a", [half]),
            (f"?member={ada.public_id}", [used]),
            ("?source=upload", []),
            ("?since=2000-01-01T00:00Z&until=2000-01-02T00:00Z", []),
        ):
            answer = client.get(AWARDS + query)
            assert [one["id"] for one in answer.json()["data"]] == [
                one.public_id for one in found
            ], query
        problem_of(client.get(f"{AWARDS}?partnerId=ptn_x"), status=400)
        problem_of(client.get(f"{AWARDS}?member=nobody"), status=404)

    def test_lists_in_pages_with_as_many_queries_for_many_as_for_few(self, client, partner):
        member = make_active_member(partner)
        give(member, 1)
        client.get(AWARDS)  # the first use of a key is written down
        with CaptureQueriesContext(connection) as few:
            client.get(AWARDS)
        for _ in range(9):
            give(member, 1)
        with CaptureQueriesContext(connection) as many:
            page = client.get(f"{AWARDS}?limit=6").json()
        assert len(many) == len(few)
        rest = client.get(f"{AWARDS}?limit=6&cursor={page['next_cursor']}").json()
        assert (len(page["data"]), len(rest["data"]), rest["has_more"]) == (6, 4, False)

    def test_hands_out_a_file(self, client, partner):
        award = give(make_active_member(partner), 5, note="=1+1")
        text = b"".join(client.get(f"{AWARDS}.csv").streaming_content).decode()
        head, row = text.splitlines()
        assert head.startswith("id,member,email,status,credits,left,used,returned,lapsed")
        assert row.startswith(f"{award.public_id},{award.member.public_id},ada@example.com")
        assert ",5,5,0,0,0,manual,,'=1+1," in row

    def test_shows_one_and_no_other_partners(self, client, partner):
        mine = give(make_active_member(partner), 5)
        theirs = give(make_active_member(make_programme(credits=10)), 5)
        assert client.get(f"{AWARDS}/{mine.public_id}").json()["left"] == 5
        for path in (f"{AWARDS}/{theirs.public_id}", f"{AWARDS}/nonsense"):
            problem_of(client.get(path), status=404)


class TestTakingBack:
    def test_revokes_what_is_left(self, client, partner):
        member = make_active_member(partner)
        award = give(member, 10)
        spend(member, 4)
        done = act(client, award, "revoke", {"reason": "left"}).json()
        assert (done["status"], done["left"], done["used"], done["returned"]) == (
            "revoked",
            0,
            4,
            6,
        )
        assert act(client, award, "revoke", {"reason": "again"}).json() == done
        assert in_pool(partner) == 96

    def test_revokes_nothing_that_is_used_or_another_partners(self, client, partner):
        member = make_active_member(partner)
        award = give(member, 10)
        spend(member, 10)
        refused = act(client, award, "revoke", {"reason": "left"})
        assert problem_of(refused, status=409)["code"] == "award_over"
        theirs = give(make_active_member(make_programme(credits=10)), 5)
        problem_of(act(client, theirs, "revoke", {"reason": "x"}), status=404)
        problem_of(act(client, theirs, "extend", {"until": "2099-01-01T00:00Z"}), status=404)
        problem_of(act(client, award, "revoke", {}), status=400)

    def test_extends(self, client, partner):
        award = give(make_active_member(partner), 10)
        until = award.expires_at + timedelta(days=5)
        done = act(client, award, "extend", {"until": until.isoformat()}).json()
        assert PartnerCredit.objects.get(pk=award.pk).expires_at == until
        assert done["left"] == 10
        refused = act(client, award, "extend", {"until": until.isoformat()})
        assert problem_of(refused, status=400)["code"] == "invalid_award"

    def test_says_when_the_pools_credits_end(self, client):
        partner = make_programme()
        award_end = timedelta(days=100)
        member = make_active_member(partner)
        fill(partner, 10, expires_at=member.claimed_at + award_end)
        award = give(member, 10)
        until = member.claimed_at + award_end + timedelta(days=1)
        writer = client_of(partner, "partners:read", "partners:write")
        refused = act(writer, award, "extend", {"until": until.isoformat()})
        assert problem_of(refused, status=409)["code"] == "award_cannot_last"
