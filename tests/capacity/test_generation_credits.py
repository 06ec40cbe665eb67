"""What was generated is posted once as credits, and corrected without taking what is spent."""

from datetime import date, timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from apps.capacity.models import (
    Allocation,
    GenerationReading,
    GenerationShare,
    ProjectRate,
)
from apps.capacity.services import crediting, projects, sharing
from apps.capacity.services.handing_on import transfer_allocations
from apps.capacity.services.sharing import share_due
from apps.core.invariants import verify
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.wallets import change_status
from tests.authorization.silence import without_triggers
from tests.capacity.conftest import NOON
from tests.capacity.months import (
    KWH,
    SEPTEMBER,
    correct,
    corrected,
    credits_of,
    generate,
    had_since,
    on,
    read,
    share_of,
    spend,
)
from tests.capacity.plants import make_project
from tests.people import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def zeta():
    return make_organization()


class TestCredits:
    def test_are_kwh_by_the_rate_of_each_day(self, acme):
        project = make_project(5, capacity_kw=Decimal(5))
        had_since(acme, project, 5, month=9)
        with on(9):  # 0.5 for 10 days, and then 2 for 21
            rate = {"effective_from": date(2026, 10, 11), "fee": 1, "credits_per_kwh": Decimal(2)}
            projects.set_rate(project=project, **rate)

        reading = generate(project, 31 * KWH)

        assert share_of(acme, reading).earned == 47
        (lot,) = Lot.objects.filter(kind="generation")
        assert (lot.granted, lot.organization_id, lot.expires_at) == (47, acme.pk, None)
        assert lot.origin == share_of(acme, reading).reference

    def test_are_none_for_days_before_the_first_rate(self, acme):
        project = make_project(5, capacity_kw=Decimal(5))
        had_since(acme, project, 5, month=9)
        with_rate = ProjectRate.objects.get(project=project)

        assert with_rate.effective_from == date(2026, 1, 1)
        reading = generate(project, KWH, (date(2025, 12, 1), date(2025, 12, 31)))
        assert (reading.banked_wh, credits_of(acme)) == (KWH, 0)

    def test_carry_fractions_to_the_next_reading(self, acme):
        project = make_project(5, capacity_kw=Decimal(5))
        had_since(acme, project, 5, month=8)

        generate(project, 3 * KWH, SEPTEMBER)  # 1.5
        assert credits_of(acme) == 1
        generate(project, 1 * KWH)  # .5 and .5
        assert credits_of(acme) == 2

    def test_end_at_the_next_true_up(self, acme):
        project = make_project(5, capacity_kw=Decimal(5), true_up_month=11)
        had_since(acme, project, 5, month=9)

        generate(project, 4 * KWH)

        (lot,) = Lot.objects.filter(kind="generation")
        assert lot.expires_at.date() == date(2027, 11, 1)
        assert crediting.next_true_up(project, NOON - timedelta(days=30)).year == 2026

    def test_are_posted_once(self, acme):
        project = make_project(5, capacity_kw=Decimal(5))
        had_since(acme, project, 5, month=9)
        generate(project, 4 * KWH)

        assert share_due() == 0
        assert credits_of(acme) == 2

    def test_wait_for_a_closed_wallet_to_be_opened(self, acme, zeta):
        project = make_project(5, 5, capacity_kw=Decimal(10))
        had_since(acme, project, 5, month=8)
        had_since(zeta, project, 5, month=8)
        change_status(wallet=main_wallet(acme), reason="Test", is_closed=True)

        reading = generate(project, 4 * KWH, SEPTEMBER)
        assert (credits_of(acme), credits_of(zeta)) == (0, 1)
        assert share_of(acme, reading).credits == 0

        change_status(wallet=main_wallet(acme), reason="Test", is_closed=False)
        generate(project, 4 * KWH)
        assert (credits_of(acme), credits_of(zeta)) == (2, 2)


class TestCorrections:
    @pytest.fixture
    def project(self, acme):
        project = make_project(5, capacity_kw=Decimal(5))
        had_since(acme, project, 5, month=8)
        return project

    def test_upwards_are_granted(self, acme, project):
        correction = corrected(generate(project, 20 * KWH), 30 * KWH)

        assert credits_of(acme) == 15
        assert share_of(acme, correction).credits == 5
        assert share_of(acme, correction).energy_wh == 30 * KWH

    def test_downwards_take_back_what_is_unspent(self, acme, project):
        first = corrected(generate(project, 20 * KWH), 16 * KWH)
        assert credits_of(acme) == 8

        corrected(first, 20 * KWH)
        assert credits_of(acme) == 10
        assert {lot.remaining for lot in Lot.objects.filter(kind="generation")} == {8, 2}

    def test_downwards_take_from_all_that_they_correct(self, acme, project):
        second = corrected(generate(project, 20 * KWH), 30 * KWH)
        corrected(second, 4 * KWH)

        assert credits_of(acme) == 2
        assert Lot.objects.filter(kind="generation", remaining__gt=0).get().remaining == 2

    def test_never_take_what_is_spent_but_count_it_against_the_next_months(self, acme, project):
        reading = generate(project, 20 * KWH, SEPTEMBER)
        spend(acme, 8)

        correction = corrected(reading, 10 * KWH)  # 5 too much, and 2 there
        assert credits_of(acme) == 8
        assert share_of(acme, correction).credits == -2

        october = generate(project, 4 * KWH)  # 2, of 3 that are owed
        assert (credits_of(acme), share_of(acme, october).credits) == (8, 0)
        generate(project, 8 * KWH, (date(2026, 11, 1), date(2026, 11, 10)))  # 4 more
        assert credits_of(acme) == 11

    def test_leave_the_credits_of_other_readings_alone(self, acme, project):
        reading = generate(project, 20 * KWH, SEPTEMBER)
        spend(acme, 10)
        generate(project, 20 * KWH)

        corrected(reading, 10 * KWH)

        assert credits_of(acme) == 20

    def test_wait_for_what_they_correct(self, acme, project):
        reading = read(project, 20 * KWH)
        correction = correct(reading, 30 * KWH)
        GenerationReading.objects.filter(pk=correction.pk).update(
            created_at=reading.created_at - timedelta(days=1)
        )
        assert sharing.next_reading(project.pk) == reading

        assert share_due() == 2
        assert credits_of(acme) == 15


class TestBatches:
    def test_go_on_where_a_worker_died(self, acme, zeta, monkeypatch):
        monkeypatch.setattr(crediting, "AT_ONCE", 1)
        project = make_project(5, 5, capacity_kw=Decimal(10))
        for organization in (acme, zeta):
            had_since(organization, project, 5, month=9)
        read(project, 8 * KWH)
        for _ in range(2):  # it is divided, and a batch is posted
            sharing.take_step(project.pk)
        assert {credits_of(acme), credits_of(zeta)} == {2, 0}

        assert share_due() == 1
        assert (credits_of(acme), credits_of(zeta)) == (2, 2)

    def test_leave_nothing_of_one_in_which_a_worker_died(self, acme):
        project = make_project(5, capacity_kw=Decimal(5))
        had_since(acme, project, 5, month=9)
        reading = read(project, 8 * KWH)
        died = mock.patch.object(crediting, "_finish", side_effect=SystemExit)
        with died, pytest.raises(SystemExit):
            share_due()
        assert (credits_of(acme), share_of(acme, reading).posted_at) == (0, None)

        assert share_due() == 1
        assert credits_of(acme) == 4

    def test_of_one_project_break_and_no_other_waits(self, acme):
        broken, whole = make_project(5), make_project(5)  # in the order of their ids
        for project in (broken, whole):
            had_since(acme, project, 5, month=9)
            read(project, 800 * KWH)

        def divide(reading):
            if reading.project == broken:
                raise ZeroDivisionError
            sharing_divide(reading)

        sharing_divide = sharing.divide
        with mock.patch.object(sharing, "divide", divide), capture_logs() as lines:
            assert share_due() == 1  # the second one
        told = [(one["event"], one["project_id"]) for one in lines if "project_id" in one]
        assert told == [("generation_not_shared", str(broken.pk))]
        assert credits_of(acme) == 2

        assert share_due() == 1
        assert credits_of(acme) == 4

    def test_take_as_many_queries_for_many_as_for_few(self):
        asked = []
        for number in (2, 6):
            project = make_project(*[1] * number, capacity_kw=Decimal(number))
            for _ in range(number):
                had_since(make_organization(), project, 1, month=9)
            read(project, number * 10 * KWH)
            with CaptureQueriesContext(connection) as queries:
                share_due()
            asked.append(len(queries))

        assert asked[0] == asked[1]


def broken() -> set[str]:
    found = {one.invariant.code for one in verify() if one.failures}
    return {code for code in found if code.startswith("C0")}


class TestInvariants:
    @pytest.fixture
    def reading(self, acme):
        project = make_project(5, 5, capacity_kw=Decimal(11))
        had_since(acme, project, 10, month=9)
        return generate(project, 20 * KWH)

    def test_hold_after_everything_that_can_happen(self, acme, zeta, reading):
        transfer_allocations(
            allocations=Allocation.objects.filter(capacity_kw=5)[:1], to=zeta, reason="Sold"
        )
        spend(acme, 7)
        for wh in (10 * KWH, 50 * KWH, 3):
            reading = corrected(reading, wh)
        with on(12):
            generate(reading.project, 7 * KWH, (date(2026, 11, 2), date(2026, 11, 30)))

        assert broken() == set()

    @pytest.mark.parametrize(
        ("model", "values", "code"),
        [
            (GenerationReading, {"banked_wh": 1}, "C07"),
            (GenerationReading, {"banked_percent": 1}, "C07"),
            (GenerationShare, {"energy_wh": 1}, "C07"),
            (GenerationShare, {"posted_at": None, "reference": ""}, "C07"),
            (GenerationShare, {"credits": 1}, "C08"),
        ],
    )
    def test_find_what_does_not_add_up(self, reading, model, values, code):
        with without_triggers(model):
            model.objects.update(**values)

        assert code in broken()

    @pytest.mark.parametrize(
        ("model", "values"),
        [
            (GenerationReading, {"energy_wh": 1}),
            (GenerationReading, {"banked_wh": 1}),
            (GenerationReading, {"posted_at": None}),
            (GenerationShare, {"credits": 1}),
            (GenerationShare, {"posted_at": None, "reference": ""}),
        ],
    )
    def test_what_was_posted_is_changed_by_nobody(self, reading, model, values):
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.update(**values)
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.filter(pk=model.objects.values("pk")[:1])._raw_delete("default")
