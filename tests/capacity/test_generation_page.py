"""The page of generation: a month by project and block, a year as a chart, and files of both."""

import csv
from datetime import date
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.capacity.models import Allocation
from apps.capacity.selectors import months
from apps.capacity.services.ending import withdraw_allocations
from apps.capacity.services.sharing import take_step
from tests.capacity.months import SEPTEMBER, correct, corrected, generate, had_since, on, read
from tests.capacity.plants import make_project
from tests.people import make_member, make_organization, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(acme):
    return signed_in(make_member(acme, "owner"))


def look(client, acme, query: str = "") -> str:
    answer = client.get(f"/o/{acme.slug}/capacity/generation/{query}")
    return answer.content.decode().replace("\u00a0", " ")


def file(client, acme, month: str) -> list[dict[str, str]]:
    answer = client.get(f"/o/{acme.slug}/capacity/generation/?format=csv&month={month}")
    return list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode())))


@pytest.fixture
def plant(acme):
    """Return a plant of 10 kW of which acme has 3 kW and another organization 5."""
    project = make_project(2, 1, 5, capacity_kw=10)
    had_since(acme, project, 3, month=1)
    had_since(make_organization(), project, 5, month=1)
    return project


def test_without_generation_it_says_when_there_is_some(client, acme):
    assert "Nothing was generated yet" in look(client, acme)
    assert file(client, acme, "2026-10") == []


def test_a_month_is_shown_by_project_and_block(client, acme, plant):
    generate(plant, 1_000_000)
    page = look(client, acme)
    (sums,) = months.projects_in(acme, date(2026, 10, 1))

    assert (sums.own.energy_wh, sums.project_wh, sums.blocks) == (300_000, 1_000_000, 2)
    assert (str(sums.percent), sums.own.credits) == ("30.000", 150)
    for told in ("October 2026", "300.000 kWh", "1,000.000 kWh", "30.000 %", "20.000 %", ">150<"):
        assert told in page
    assert "500.000 kWh" not in page  # another organization's


def test_months_are_chosen_and_the_chart_has_their_year(client, acme, plant):
    generate(plant, 1_000_000, SEPTEMBER)
    generate(plant, 2_000_000)
    september = look(client, acme, "?month=2026-09")

    assert "200.000 kWh" in september
    assert "900.000 kWh" in september  # the year
    assert "?month=2026-10" in september
    assert "600.000 kWh" in look(client, acme, "?month=nonsense")
    year = dict(months.year_of(acme, 2026))
    assert [first.month for first, sums in year.items() if sums.energy_wh] == [9, 10]


def test_what_was_corrected_is_shown_and_not_counted_twice(client, acme, plant):
    reading = generate(plant, 1_000_000)
    correction = corrected(reading, 900_000)
    page = look(client, acme)
    (sums,) = months.projects_in(acme, date(2026, 10, 1))

    assert (sums.own.energy_wh, sums.own.credits) == (270_000, 135)
    assert "<del>200.000 kWh</del>" in page
    assert "Posted, corrected since" in page
    rows = file(client, acme, "2026-10")
    assert {(row["stands"], row["credits"]) for row in rows if row["energy_wh"] == "200000"} == {
        ("no", "100")
    }
    assert sum(int(row["energy_wh"]) for row in rows if row["stands"] == "yes") == 270_000
    assert sum(int(row["credits"]) for row in rows) == 135
    correct(correction, 500_000)  # and not divided yet: the one before holds
    assert months.projects_in(acme, date(2026, 10, 1))[0].own.energy_wh == 270_000


def test_what_is_not_posted_yet_is_no_credit(client, acme, plant):
    read(plant, 1_000_000)
    take_step(plant.pk)  # divided, and no more
    (sums,) = months.projects_in(acme, date(2026, 10, 1))
    assert (sums.own.energy_wh, sums.own.credits, sums.own.waiting) == (300_000, 0, 2)
    assert "To be posted" in look(client, acme)


def test_two_readings_of_a_month_are_weighed_by_their_energy(acme, plant):
    generate(plant, 1_000_000, (date(2026, 9, 1), date(2026, 9, 10)))
    with on(9, 11):
        withdraw_allocations(
            allocations=Allocation.objects.filter(organization=acme, capacity_kw=1), reason="Moved"
        )
    generate(plant, 3_000_000, (date(2026, 9, 11), date(2026, 9, 30)))
    (sums,) = months.projects_in(acme, date(2026, 9, 1))
    assert (sums.own.energy_wh, str(sums.percent)) == (900_000, "22.500")


def test_a_file_has_one_month_or_all(client, acme, plant):
    generate(plant, 1_000_000, SEPTEMBER)
    generate(plant, 2_000_000)
    assert {row["starts_on"] for row in file(client, acme, "2026-09")} == {"2026-09-01"}
    assert {row["starts_on"] for row in file(client, acme, "all")} == {"2026-09-01", "2026-10-01"}
    assert len(file(client, acme, "all")) == 4


def test_a_page_asks_as_often_for_many_shares_as_for_few(client, acme):
    few = queries(client, acme, 1)
    assert queries(client, acme, 4) == few


def queries(client, acme, blocks: int) -> int:
    for _ in range(blocks):
        project = make_project(*[1] * blocks)
        had_since(acme, project, blocks, month=1)
        generate(project, 100_000)
    look(client, acme)
    with CaptureQueriesContext(connection) as asked:
        look(client, acme)
    return len(asked)


def test_who_may_not_see_capacity_sees_no_generation(acme, plant):
    stranger = signed_in(make_member(make_organization(), "owner"))
    assert stranger.get(f"/o/{acme.slug}/capacity/generation/").status_code == 404
