"""The API of waiting lists: join, see where one stands, and leave."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.capacity.api.holdings import asked_for
from apps.capacity.api.serializers import WishIn
from apps.capacity.api.waiting_serializers import WaitlistEntryOut
from apps.capacity.selectors.waiting import entries_of
from apps.capacity.services import waiting
from apps.core.api import paginated, run_once, validated
from apps.core.clock import workers_now
from apps.core.idempotency import Answer
from apps.rbac.api.base import TenantAPIView


class WaitingList(TenantAPIView):
    """What the organization waits for."""

    permissions = {"GET": "capacity.view", "POST": "capacity.reserve"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="waiting_list", tags=["capacity"], responses=WaitlistEntryOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return where the organization waits or has waited, newest first."""
        return paginated(request, entries_of(self.organization, workers_now()), WaitlistEntryOut)

    @extend_schema(
        operation_id="waiting_create",
        tags=["capacity"],
        request=WishIn,
        responses={201: WaitlistEntryOut},
    )
    def post(self, request: Request) -> Response:
        """Join the waiting list of a project, when too little of it is free."""
        fields = validated(WishIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.join(fields))

    def join(self, fields: dict[str, Any]) -> Answer:
        """Join, and say where the entry is."""
        project, wish = asked_for(fields)
        entry = waiting.join(
            organization=self.organization, project=project, wish=wish, user=self.user
        )
        shown = entries_of(self.organization, workers_now()).get(pk=entry.pk)
        location = reverse("api:capacity:waitlist_entry", args=[shown.public_id])
        return Answer(201, dict(WaitlistEntryOut(shown).data), {"Location": str(location)})


class OneEntry(TenantAPIView):
    """One entry of a waiting list."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(operation_id="waiting_retrieve", tags=["capacity"], responses=WaitlistEntryOut)
    def get(self, request: Request, waitlist_entry_id: str) -> Response:
        """Return one entry, with the position and the offer."""
        rows = entries_of(self.organization, workers_now())
        return Response(WaitlistEntryOut(self.get_object(rows, waitlist_entry_id)).data)


class LeaveWaitingList(TenantAPIView):
    """The end of waiting."""

    permissions = {"POST": "capacity.reserve"}

    @extend_schema(
        operation_id="waiting_leave", tags=["capacity"], request=None, responses=WaitlistEntryOut
    )
    def post(self, request: Request, waitlist_entry_id: str) -> Response:
        """Wait no more, or decline the offer; twice is no more than once."""
        rows = entries_of(self.organization, workers_now())
        entry = self.get_object(rows, waitlist_entry_id)
        waiting.leave(entry=entry)
        return Response(WaitlistEntryOut(rows.get(pk=entry.pk)).data)
