"""The API of what an organization reserves and has."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.capacity.api.filters import filters_of
from apps.capacity.api.serializers import (
    AllocationFilterIn,
    AllocationOut,
    AllocationsCancelIn,
    CapacityQuoteOut,
    ReservationOut,
    WishIn,
)
from apps.capacity.models import Project, Reservation
from apps.capacity.selectors.holdings import allocations_named, allocations_of, reservations_of
from apps.capacity.selectors.picking import Wish
from apps.capacity.selectors.projects import shown_project
from apps.capacity.services import ending, reserving
from apps.core.api import paginated, run_once, validated
from apps.core.clock import workers_now
from apps.core.idempotency import Answer
from apps.rbac.api.base import TenantAPIView
from apps.tenants.models import Organization


def asked_for(fields: dict[str, Any]) -> tuple[Project, Wish]:
    """
    Return the project and the wish of a request.

    :raises NotFound: if there is no such project.
    """
    terms = dict(fields)
    return shown_project(terms.pop("project")), Wish(kw=terms.pop("capacity_kw"), **terms)


def answered(status: int, organization: Organization, reservation: Reservation) -> Answer:
    """Return a reservation as it is now, and where it is."""
    shown = reservations_of(organization, workers_now()).get(pk=reservation.pk)
    location = reverse("api:capacity:reservation", args=[shown.public_id])
    return Answer(status, dict(ReservationOut(shown).data), {"Location": str(location)})


class Quote(TenantAPIView):
    """What a wish would get."""

    permissions = {"POST": "capacity.view"}

    @extend_schema(
        operation_id="allocations_quote",
        tags=["capacity"],
        request=WishIn,
        responses=CapacityQuoteOut,
    )
    def post(self, request: Request) -> Response:
        """Return the kW that would be taken, the overshoot and the fee; nothing is set aside."""
        project, wish = asked_for(validated(WishIn, request.data))
        quote = reserving.quote_reservation(
            organization=self.organization, project=project, wish=wish
        )
        return Response(CapacityQuoteOut(quote).data)


class Allocations(TenantAPIView):
    """What is or was allocated to the organization."""

    permissions = {"GET": "capacity.view", "POST": "capacity.reserve"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="allocations_list",
        tags=["capacity"],
        parameters=[AllocationFilterIn],
        responses=AllocationOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return allocations, newest first."""
        asked, known = filters_of(request, AllocationFilterIn)
        found = self.rows()
        if "project" in asked:
            found = found.filter(block__project=shown_project(asked["project"]))
        if "status" in asked:
            found = found.filter(standing=asked["status"])
        return paginated(request, found, AllocationOut, parameters=known)

    @extend_schema(
        operation_id="allocations_create",
        tags=["capacity"],
        request=WishIn,
        responses={201: ReservationOut},
        examples=[
            OpenApiExample(
                "Five kW, from the oldest blocks",
                value={"project": "north-roof", "capacity_kw": "5.000"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Reserve blocks: held until they are paid, or allocated at once if they cost nothing."""
        fields = validated(WishIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.reserve(fields))

    def reserve(self, fields: dict[str, Any]) -> Answer:
        """Reserve, and say where the reservation is."""
        project, wish = asked_for(fields)
        reservation = reserving.reserve(
            organization=self.organization, project=project, wish=wish, user=self.user
        )
        return answered(201, self.organization, reservation)

    def rows(self) -> Any:
        """Return the organization's allocations as they are now."""
        return allocations_of(self.organization, workers_now())


class OneAllocation(TenantAPIView):
    """One allocation."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(operation_id="allocations_retrieve", tags=["capacity"], responses=AllocationOut)
    def get(self, request: Request, allocation_id: str) -> Response:
        """Return one allocation."""
        rows = allocations_of(self.organization, workers_now())
        return Response(AllocationOut(self.get_object(rows, allocation_id)).data)


class CancelAllocations(TenantAPIView):
    """The end of allocations."""

    permissions = {"POST": "capacity.reserve"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="allocations_cancel",
        tags=["capacity"],
        request=AllocationsCancelIn,
        responses=AllocationOut(many=True),
    )
    def post(self, request: Request) -> Response:
        """Let allocations end when the notice of their project is over: all of them, or none."""
        named = validated(AllocationsCancelIn, request.data)["allocations"]
        return run_once(request, principal=self.principal, effect=lambda: self.cancel(named))

    def cancel(self, named: list[str]) -> Answer:
        """
        Cancel, and return them as they are then.

        :raises NotFound: if one of them is not the organization's.
        """
        rows = allocations_of(self.organization, workers_now())
        chosen = allocations_named(rows, named)
        ending.cancel_allocations(organization=self.organization, allocations=chosen)
        ids = [one.pk for one in chosen]
        shown = AllocationOut(rows.filter(pk__in=ids).order_by("created_at", "id"), many=True)
        return Answer(200, {"object": "list", "data": list(shown.data), "has_more": False})


class Reservations(TenantAPIView):
    """What the organization has reserved."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(
        operation_id="reservations_list", tags=["capacity"], responses=ReservationOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return reservations, newest first."""
        rows = reservations_of(self.organization, workers_now())
        return paginated(request, rows, ReservationOut)


class OneReservation(TenantAPIView):
    """One reservation."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(
        operation_id="reservations_retrieve", tags=["capacity"], responses=ReservationOut
    )
    def get(self, request: Request, reservation_id: str) -> Response:
        """Return one reservation."""
        rows = reservations_of(self.organization, workers_now())
        return Response(ReservationOut(self.get_object(rows, reservation_id)).data)


class ReleaseReservation(TenantAPIView):
    """The giving back of what is held."""

    permissions = {"POST": "capacity.reserve"}

    @extend_schema(
        operation_id="reservations_release",
        tags=["capacity"],
        request=None,
        responses=ReservationOut,
    )
    def post(self, request: Request, reservation_id: str) -> Response:
        """Give the blocks back; twice is no more than once."""
        rows = reservations_of(self.organization, workers_now())
        reservation = self.get_object(rows, reservation_id)
        reserving.release_reservation(reservation=reservation)
        return Response(answered(200, self.organization, reservation).body)
