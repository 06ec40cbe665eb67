"""What the web may write of capacity, whoever tells it to, and what nobody may."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, ProgrammingError, transaction

from apps.capacity.models import CapacityBlock, GenerationShare, Project, Reservation
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.settling import settle, settle_offline
from apps.core import scope
from apps.core.walls import WEB
from tests.capacity.plants import counters, hold, make_payment, make_project
from tests.roles import role

pytestmark = pytest.mark.django_db


@contextmanager
def as_web(organization):
    with scope.entered(scope.Scope(organization_id=organization.pk)), role(WEB):
        yield


class TestTheWeb:
    def test_reserves_and_gives_back(self, acme):
        project = make_project(5)
        with as_web(acme):
            reservation = hold(acme, project, 5)
            assert counters(project) == ("5", "0", "5")
            release_reservation(reservation=reservation)

        assert counters(project) == ("5", "0", "0")

    @pytest.mark.parametrize(
        ("model", "change"),
        [
            (Project, {"capacity_kw": 9}),
            (Project, {"customer_cap_kw": 9}),
            (Project, {"status": "draft"}),
            (CapacityBlock, {"retired_at": None}),
            (CapacityBlock, {"merged_into": None}),
            (GenerationShare, {"credits": 9}),
        ],
    )
    def test_does_not_change_what_is_staffs(self, acme, model, change):
        make_project(5)
        with as_web(acme), pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
            model.objects.update(**change)

    def test_deletes_no_reservation(self, acme):
        hold(acme, make_project(5), 5)
        with as_web(acme), pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
            Reservation.objects.all().delete()


class TestNobody:
    def test_deletes_a_reservation(self, acme):
        hold(acme, make_project(5), 5)
        with pytest.raises(DatabaseError, match="capacity_reservation"), transaction.atomic():
            Reservation.objects.all().delete()

    def test_takes_back_what_is_allocated(self, acme):
        reservation = hold(acme, make_project(5), 5)
        settle_offline(reservation=reservation, reference="transfer 1")

        self.refused(reservation, status="late")

    def test_takes_back_what_is_late(self, acme):
        reservation = hold(acme, make_project(5), 5)
        release_reservation(reservation=reservation)
        settle(reservation=reservation, payment=make_payment(acme))

        self.refused(reservation, status="allocated")

    def refused(self, reservation, **change) -> None:
        rows = Reservation.objects.filter(pk=reservation.pk)
        with pytest.raises(DatabaseError, match="capacity_reservation"), transaction.atomic():
            rows.update(**change)
