"""Projects: their terms, rates, caps, and how their capacity is divided."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from apps.capacity.errors import CapExceeded, ProjectRefused
from apps.capacity.models import CustomerClass, Project, ProjectRate
from apps.capacity.selectors.projects import (
    available_capacity,
    bars_of,
    day_of,
    monthly_fee,
    rate_on,
    shown_project,
    shown_projects,
)
from apps.capacity.services import projects
from apps.core.clock import workers_now
from apps.core.errors import NotFound
from apps.tenants.models import AuditLog
from tests.capacity.plants import allocate, hold, make_project, past_its_hold
from tests.people import make_organization

pytestmark = pytest.mark.django_db


class TestProjects:
    def test_begin_as_drafts_that_nobody_sees(self):
        project = projects.create_project(code="roof", name="Roof", capacity_kw=Decimal(10))

        assert project.status == Project.Status.DRAFT
        assert not shown_projects().exists()
        with pytest.raises(NotFound):
            shown_project(project.code)

    def test_keep_every_change_in_the_audit_log(self):
        project = make_project(name="Roof")
        projects.change_project(project, place="Hamburg", notice_days=14)
        projects.change_project(project, place="Hamburg")  # changes nothing

        rows = AuditLog.objects.filter(object_id=project.public_id, action="project.changed")
        assert {"place": "Hamburg", "notice_days": 14} in rows.values_list("after", flat=True)
        assert rows.count() == 2

    @pytest.mark.parametrize(
        ("terms", "field"),
        [
            ({"capacity_kw": Decimal(0)}, "capacity_kw"),
            ({"capacity_kw": Decimal("9.999")}, "capacity_kw"),
            ({"customer_cap_kw": Decimal(0)}, "customer_cap_kw"),
            ({"hold_minutes": 0}, "hold_minutes"),
            ({"starts_on": date(2026, 5, 2), "ends_on": date(2026, 5, 1)}, "ends_on"),
        ],
    )
    def test_refuse_what_cannot_be(self, terms, field):
        project = make_project(5, 5)
        with pytest.raises(ProjectRefused) as refusal:
            projects.change_project(project, **terms)

        assert refusal.value.details["field"] == field

    def test_can_shrink_to_their_blocks(self):
        project = projects.change_project(make_project(5, 5), capacity_kw=Decimal(10))

        assert project.capacity_kw == 10

    def test_do_not_share_a_code(self):
        project = make_project()
        with pytest.raises(ProjectRefused, match="code"):
            projects.create_project(code=project.code, name="Other", capacity_kw=Decimal(1))

    def test_do_not_open_without_a_rate(self):
        project = projects.create_project(code="roof", name="Roof", capacity_kw=Decimal(10))
        with pytest.raises(ProjectRefused, match="Give it a rate"):
            projects.change_project(project, status=Project.Status.OPEN)

    def test_stay(self):
        project = make_project()
        with pytest.raises(DatabaseError), transaction.atomic():
            Project.objects.filter(pk=project.pk).delete()


class TestRates:
    def test_hold_from_their_day_on(self):
        project, today = make_project(), day_of(workers_now())
        next_month = today + timedelta(days=30)
        projects.set_rate(
            project=project, effective_from=next_month, fee=2000, credits_per_kwh=Decimal(1)
        )

        assert rate_on(project, next_month - timedelta(days=1)).fee == 1250
        assert rate_on(project, next_month).fee == 2000
        assert rate_on(project, date(2025, 12, 31)) is None

    @pytest.mark.parametrize(
        ("days", "terms", "field"),
        [
            (-1, {}, "effective_from"),
            (0, {"fee": -1}, "fee"),
            (0, {"credits_per_kwh": Decimal(-1)}, "credits_per_kwh"),
        ],
    )
    def test_refuse_what_cannot_be(self, days, terms, field):
        given = {"fee": 1, "credits_per_kwh": Decimal(1), **terms}
        day = day_of(workers_now()) + timedelta(days=days)
        with pytest.raises(ProjectRefused) as refusal:
            projects.set_rate(project=make_project(), effective_from=day, **given)

        assert refusal.value.details["field"] == field

    def test_do_not_hold_twice_from_one_day(self):
        project, day = make_project(), day_of(workers_now())
        terms = {"effective_from": day, "fee": 1, "credits_per_kwh": Decimal(1)}
        projects.set_rate(project=project, **terms)
        with pytest.raises(ProjectRefused, match="already"):
            projects.set_rate(project=project, **terms)

    def test_never_change(self):
        make_project()
        with pytest.raises(DatabaseError), transaction.atomic():
            ProjectRate.objects.update(fee=1)

    @pytest.mark.parametrize(
        ("kw", "fee", "monthly"), [("1", 1250, 1250), ("0.5", 3, 2), ("2.345", 1000, 2345)]
    )
    def test_give_a_fee_in_whole_minor_units(self, kw, fee, monthly):
        assert monthly_fee(Decimal(kw), fee) == monthly


class TestCaps:
    def test_stop_a_customer_who_would_have_more(self):
        acme = make_organization()
        project = make_project(*[5] * 6, customer_cap_kw=Decimal(12))
        allocate(acme, project, 5)
        hold(acme, project, 5)

        with pytest.raises(CapExceeded) as refusal:
            hold(acme, project, 5)

        assert refusal.value.details == {
            "cap_kw": "12.000",
            "has_kw": "10.000",
            "asked_kw": "5.000",
        }
        assert hold(make_organization(), project, 10).capacity_kw == 10
        with past_its_hold():
            assert hold(acme, project, 5).capacity_kw == 5

    def test_are_those_of_his_class_where_it_has_one(self):
        acme, farm = make_organization(), make_organization(name="Farm")
        project = make_project(*[5] * 6, customer_cap_kw=Decimal(5))
        farms = CustomerClass.objects.create(name="Farms")
        projects.classify_customer(organization=farm, customer_class=farms)
        projects.set_class_cap(project=project, customer_class=farms, customer_cap_kw=Decimal(10))

        assert hold(farm, project, 10).capacity_kw == 10
        with pytest.raises(CapExceeded):
            hold(acme, project, 10)

        projects.set_class_cap(project=project, customer_class=farms, customer_cap_kw=None)
        with pytest.raises(CapExceeded):
            hold(farm, project, 5)
        projects.classify_customer(organization=farm, customer_class=None)

    def test_are_above_zero(self):
        farms = CustomerClass.objects.create(name="Farms")
        with pytest.raises(ProjectRefused):
            projects.set_class_cap(
                project=make_project(), customer_class=farms, customer_cap_kw=Decimal(0)
            )


class TestBars:
    def test_add_up_to_the_total(self):
        acme, project = make_organization(), make_project(10, 20, 30, 40, capacity_kw=Decimal(150))
        allocate(acme, project, 10)
        hold(acme, project, 20)

        bars = bars_of(shown_project(project.code))

        assert (bars.total_kw, bars.unoffered_kw) == (150, 50)
        assert (bars.allocated_kw, bars.held_kw, bars.free_kw) == (10, 20, 70)
        assert available_capacity(project) == 70

    def test_count_what_is_past_its_hold_as_free(self):
        project = make_project(10, 20)
        hold(make_organization(), project, 10)

        with past_its_hold():
            assert available_capacity(project) == 30
        assert available_capacity(project) == 20
