"""The API of capacity: look, ask, reserve once for a key, release, cancel."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.capacity.models import Allocation, Reservation
from apps.capacity.selectors.blocks import blocks_held_for
from apps.capacity.services.settling import settle
from apps.core import ids
from tests.capacity.plants import (
    add_block,
    allocate,
    counters,
    hold,
    make_payment,
    make_project,
    past_its_hold,
)
from tests.people import make_key, make_member, make_organization, with_key

PROJECTS, ALLOCATIONS = "/api/v1/projects", "/api/v1/allocations"


@pytest.fixture
def acme(db):
    return make_organization()


@pytest.fixture
def buyer(acme):
    return make_member(acme, "billing manager")


@pytest.fixture
def client(acme, buyer):
    return with_key(make_key(acme, buyer, "capacity:read", "capacity:write")[1])


def post(client, path, body=None, key=None):
    headers = {"Idempotency-Key": key or str(ids.new_id())}
    return client.post(path, body or {}, content_type="application/json", headers=headers)


class TestProjects:
    def test_show_how_they_are_divided_now(self, client, acme):
        project = make_project(5, 3, 2, capacity_kw=Decimal(20), fee=700)
        make_project(status="draft")
        allocate(acme, project, 5)
        hold(make_organization(), project, 3)

        (found,) = client.get(PROJECTS).json()["data"]

        assert found["id"] == project.public_id
        shown = [found[name] for name in ("capacity_kw", "allocated_kw", "held_kw", "free_kw")]
        assert shown == ["20.000", "5.000", "3.000", "2.000"]
        assert (found["fee"], found["credits_per_kwh"]) == (700, "0.500000")
        for name in (project.public_id, project.code):
            assert client.get(f"{PROJECTS}/{name}").json() == found
            available = client.get(f"{PROJECTS}/{name}/available").json()
            assert available["available_kw"] == "2.000"

    def test_show_their_blocks_and_not_whose_they_are(self, client, acme):
        project = make_project(5, 3)
        hold(make_organization(), project, 5)

        blocks = client.get(f"{PROJECTS}/{project.code}/blocks").json()["data"]

        assert [(one["capacity_kw"], one["status"]) for one in blocks] == [
            ("3.000", "free"),
            ("5.000", "held"),
        ]
        assert {one["project"] for one in blocks} == {project.public_id}
        one = client.get(f"{PROJECTS}/{project.code}/blocks/{blocks[0]['serial']}").json()
        assert one == blocks[0]

    def test_ask_the_database_no_more_often_when_there_are_more(self, client, acme):
        project = make_project(1, 1)
        allocate(acme, project, 2)
        hold(acme, make_project(1), 1)
        asked = [PROJECTS, ALLOCATIONS, "/api/v1/reservations", f"{PROJECTS}/{project.code}/blocks"]
        before = [_queries(client, path) for path in asked]

        for _ in range(3):
            other = make_project(1, 1)
            allocate(acme, other, 1)
            add_block(project, 1)

        assert [_queries(client, path) for path in asked] == before

    def test_that_are_drafts_or_not_there_look_alike(self, client):
        draft = make_project(status="draft")
        for name in (draft.code, draft.public_id, "nowhere", ids.encode("prj", ids.new_id())):
            for path in ("", "/available", "/blocks", "/blocks/B1"):
                assert client.get(f"{PROJECTS}/{name}{path}").status_code == 404
        assert client.get(f"{PROJECTS}/{make_project().code}/blocks/B1").status_code == 404


def _queries(client, path) -> int:
    client.get(path)  # what is cached is cached
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


class TestAllocating:
    def test_quotes_what_would_be_taken(self, client):
        project = make_project(4, 3)

        quote = post(
            client, f"{ALLOCATIONS}/quote", {"project": project.code, "capacity_kw": "5"}
        ).json()

        assert quote["capacity_kw"] == "7.000"
        assert quote["overshoot_kw"] == "2.000"
        assert (quote["blocks"], quote["is_agreed"], quote["is_within_cap"]) == (2, False, True)
        assert (quote["monthly_fee"], quote["currency"]) == (7 * 1250, "eur")
        assert counters(project) == ("7", "0", "0")

    def test_reserves_once_for_a_key(self, client, buyer):
        project = make_project(5, 5)
        body = {"project": project.public_id, "capacity_kw": 5}

        first, again = (post(client, ALLOCATIONS, body, key="once") for _ in range(2))

        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        reservation = Reservation.objects.get()
        assert reservation.user == buyer
        assert first.headers["Location"].endswith(f"/reservations/{reservation.public_id}")
        assert first.json()["status"] == "held"
        assert first.json()["monthly_fee"] == 5 * 1250
        assert counters(project) == ("10", "0", "5")

    def test_allocates_what_costs_nothing(self, client):
        project = make_project(5, 3, fee=0)
        made = post(client, ALLOCATIONS, {"project": project.code, "capacity_kw": "8"}).json()

        assert made["status"] == "allocated"
        shown = client.get(ALLOCATIONS).json()["data"]
        assert {(one["capacity_kw"], one["status"]) for one in shown} == {
            ("5.000", "active"),
            ("3.000", "active"),
        }
        assert {one["reservation"] for one in shown} == {made["id"]}

    @pytest.mark.parametrize(
        ("terms", "status", "code"),
        [
            ({}, 409, "overshoot_not_agreed"),
            ({"mode": "exact"}, 409, "no_exact_fit"),
            ({"capacity_kw": "99"}, 409, "insufficient_capacity"),
            ({"project": "nowhere"}, 404, "not_found"),
            ({"capacity_kw": "0"}, 400, "validation_error"),
            ({"capacity_kw": "0.0001"}, 400, "validation_error"),
            ({"mode": "largest"}, 400, "validation_error"),
        ],
    )
    def test_refuses_with_a_reason(self, client, terms, status, code):
        body = {"project": make_project(4, 3).code, "capacity_kw": "5", **terms}

        response = post(client, ALLOCATIONS, body)

        assert (response.status_code, response.json()["code"]) == (status, code)
        assert not Reservation.objects.exists()

    def test_needs_a_key_of_the_request_and_the_scope(self, acme, client, buyer):
        body = {"project": make_project(5).code, "capacity_kw": "5"}
        bare = client.post(ALLOCATIONS, body, content_type="application/json")
        reader = with_key(make_key(acme, buyer, "capacity:read")[1])

        assert bare.json()["code"] == "idempotency_key_required"
        assert post(reader, ALLOCATIONS, body).status_code == 403

    def test_lists_by_project_and_status(self, client, acme):
        first, second = make_project(5, 3), make_project(2)
        allocate(acme, first, 8)
        allocate(acme, second, 2)

        for query, many in (
            (f"?project={first.code}", 2),
            (f"?project={second.public_id}&status=active", 1),
            ("?status=ended", 0),
        ):
            assert len(client.get(ALLOCATIONS + query).json()["data"]) == many
        assert client.get(f"{ALLOCATIONS}?colour=red").status_code == 400


class TestReservations:
    def test_are_released_by_their_owner(self, client, acme):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        path = f"/api/v1/reservations/{reservation.public_id}"

        assert client.get(path).json()["status"] == "held"
        for _ in range(2):
            assert post(client, f"{path}/release").json()["status"] == "released"
        assert counters(project) == ("5", "0", "0")

    def test_are_expired_as_soon_as_their_time_has_passed(self, client, acme):
        reservation = hold(acme, make_project(5), 5)
        with past_its_hold():
            (found,) = client.get("/api/v1/reservations").json()["data"]

        assert (found["id"], found["status"]) == (reservation.public_id, "expired")

    def test_of_others_do_not_exist(self, client):
        theirs = hold(make_organization(), make_project(5), 5)
        path = f"/api/v1/reservations/{theirs.public_id}"

        assert client.get(path).status_code == 404
        assert post(client, f"{path}/release").status_code == 404

    def test_take_blocks_that_others_let_pass(self, client):
        """Behind the second wall, where the other's reservation is not to be seen."""
        project = make_project(5)
        theirs = hold(make_organization(), project, 5)
        with past_its_hold():
            made = post(client, ALLOCATIONS, {"project": project.code, "capacity_kw": "5"})

        assert made.status_code == 201
        assert not blocks_held_for(theirs).exists()
        assert counters(project) == ("5", "0", "5")


class TestCancelling:
    def test_ends_allocations_with_notice(self, client, acme):
        allocations = allocate(acme, make_project(5, 3), 8)
        named = [one.public_id for one in allocations]

        answer = post(client, f"{ALLOCATIONS}/cancel", {"allocations": named})

        assert [one["status"] for one in answer.json()["data"]] == ["ending", "ending"]
        one = client.get(f"{ALLOCATIONS}/{named[0]}").json()
        assert (one["effective_to"], one["ending"]) == ("2026-12-21", "cancelled")

    def test_does_nothing_when_one_is_anothers(self, client, acme):
        project = make_project(5, 3)
        (mine,), (theirs,) = allocate(acme, project, 5), allocate(make_organization(), project, 3)
        named = [mine.public_id, theirs.public_id]

        assert post(client, f"{ALLOCATIONS}/cancel", {"allocations": named}).status_code == 404
        assert client.get(f"{ALLOCATIONS}/{theirs.public_id}").status_code == 404
        assert not Allocation.objects.exclude(effective_to=None).exists()

    def test_shows_the_payment_of_the_reservation(self, client, acme):
        payment = make_payment(acme)
        settle(reservation=hold(acme, make_project(5), 5), payment=payment)

        (found,) = client.get(ALLOCATIONS).json()["data"]
        assert found["payment"] == payment.public_id
