"""The API of generation: staff record and correct, customers see their own part."""

import pytest

from apps.capacity.models import GenerationReading
from apps.capacity.services.sharing import share_due
from apps.core import ids
from apps.rbac.services.roles import assign_role, system_role
from tests.capacity.months import OCTOBER, SEPTEMBER, corrected, generate, had_since
from tests.capacity.plants import make_project
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

pytestmark = pytest.mark.django_db
READINGS, GENERATION = "/api/v1/staff/readings", "/api/v1/generation"


@pytest.fixture
def client(acme):
    return with_key(make_key(acme, make_member(acme, "member"), "capacity:read")[1])


@pytest.fixture
def operator():
    person = make_person(is_staff=True)
    assign_role(user=person, role=system_role("operator"), organization=None)
    return signed_in(person)


def post(client, **body):
    starts_on, ends_on = OCTOBER
    body = {"starts_on": str(starts_on), "ends_on": str(ends_on), **body}
    headers = {"Idempotency-Key": str(ids.new_id())}
    return client.post(READINGS, body, content_type="application/json", headers=headers)


class TestStaff:
    def test_record_and_correct(self, operator):
        project = make_project(5, status="draft")

        first = post(operator, project=project.code, energy_wh=1000)
        again = post(operator, project=project.public_id, energy_wh=1000)
        assert (first.status_code, again.json()) == (201, first.json())

        refused = post(operator, project=project.code, energy_wh=900)
        assert (refused.status_code, refused.json()["code"]) == (409, "reading_exists")
        wrong = first.json()["id"]
        second = post(operator, project=project.code, energy_wh=900, corrects=wrong, note="Meter")
        assert (second.json()["corrects"], second.json()["note"]) == (wrong, "Meter")

        listed = operator.get(READINGS, {"project": project.code}).json()["data"]
        assert {one["id"]: one["corrected_by"] for one in listed} == {
            wrong: second.json()["id"],
            second.json()["id"]: None,
        }
        assert {one["source"] for one in listed} == {"api"}

    def test_say_why_they_correct(self, operator):
        project = make_project(5)
        wrong = post(operator, project=project.code, energy_wh=1000).json()["id"]

        for said in ({}, {"note": ""}, {"note": "  "}):
            body = {"project": project.code, "energy_wh": 900, "corrects": wrong, **said}
            refused = post(operator, **body)
            assert (refused.status_code, refused.json()["code"]) == (400, "reading_refused")
            assert refused.json()["field"] == "note"
        assert GenerationReading.objects.count() == 1

    def test_correct_nothing_of_other_days_or_projects(self, operator):
        project, other = make_project(5), make_project(5)
        wrong = post(operator, project=project.code, energy_wh=1000).json()["id"]

        days = {"starts_on": "2026-09-01", "ends_on": "2026-09-30"}
        for change in ({"project": other.code}, {"corrects": "gen_none"}, days):
            body = {"project": project.code, "energy_wh": 900, "corrects": wrong, **change}
            assert post(operator, **body, note="Meter").status_code == 404
        assert GenerationReading.objects.count() == 1

    def test_who_may_not_finds_nothing(self, client, acme):
        owner = signed_in(make_member(acme, "owner"))

        assert post(owner, project="any", energy_wh=1).status_code == 404
        assert client.get(READINGS).status_code == 403  # a key


class TestCustomers:
    def test_see_their_part_by_month(self, client, acme):
        project, other = make_project(5, 5, capacity_kw=20), make_organization()
        had_since(acme, project, 5, month=8)
        had_since(other, project, 5, month=8)
        generate(project, 8000, SEPTEMBER)
        newest = corrected(generate(project, 16000), 32000)

        october, september = client.get(GENERATION).json()["data"]

        assert october == {
            "object": "generation",
            "project": project.public_id,
            "project_name": project.name,
            "reading": newest.public_id,
            "starts_on": "2026-10-01",
            "ends_on": "2026-10-31",
            "energy_wh": 8000,
            "percent": "25.000",
            "credits": 4,
            "is_posted": True,
        }
        assert (september["energy_wh"], september["credits"]) == (2000, 1)
        (page,) = client.get(GENERATION, {"limit": 1, "project": project.code}).json()["data"]
        assert page == october
        assert client.get(GENERATION, {"project": make_project().code}).json()["data"] == []
        assert client.get(GENERATION, {"month": 1}).status_code == 400

    def test_see_their_shares_and_nobody_elses(self, client, acme):
        project, other = make_project(5, 5, capacity_kw=20), make_organization()
        (own,) = had_since(acme, project, 5, month=8)
        had_since(other, project, 5, month=8)
        reading = generate(project, 10000)
        generate(project, 8000, SEPTEMBER)

        (share,) = client.get(f"{GENERATION}/shares", {"reading": reading.public_id}).json()["data"]
        assert (share["allocation"], share["energy_wh"]) == (own.public_id, 2500)
        assert (share["earned"], share["credits"]) == ("1.250000000", 1)
        assert len(client.get(f"{GENERATION}/shares").json()["data"]) == 2
        nothing = client.get(f"{GENERATION}/shares", {"reading": "gen_none"})
        assert nothing.json()["data"] == []

    def test_see_what_the_project_generated(self, client):
        project = make_project(5, capacity_kw=20)
        generate(project, 10000)
        GenerationReading.objects.update(note="Their meter is broken: call Ada")

        address = f"/api/v1/projects/{project.code}/readings"
        (reading,) = client.get(address).json()["data"]
        assert (reading["energy_wh"], reading["banked_wh"]) == (10000, 10000)
        assert (reading["banked_percent"], reading["posted_at"] is None) == ("100.000", False)
        assert "Ada" not in str(reading)  # what staff wrote for themselves

    def test_cost_as_many_queries_for_many_as_for_few(
        self, client, acme, django_assert_max_num_queries
    ):
        project = make_project(5, capacity_kw=20)
        had_since(acme, project, 5, month=8)
        for period in (SEPTEMBER, OCTOBER):
            generate(project, 10000, period)
        assert share_due() == 0
        for address in (GENERATION, f"{GENERATION}/shares"):
            client.get(address)
            with django_assert_max_num_queries(12):
                assert len(client.get(address).json()["data"]) == 2
