"""The organization's subscription: read it, begin it, change it, end it."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.billing.api.keyed import write_then_ask
from apps.billing.api.subscription_serializers import (
    CancelIn,
    ChangeIn,
    PlanIn,
    PreviewOut,
    StateOut,
)
from apps.billing.errors import AlreadySubscribed, NotSubscribed, PlanNotOffered
from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionChange
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.subscriptions import changing, previewing, subscribing
from apps.core.api import validated
from apps.rbac.api.base import TenantAPIView

Kind = SubscriptionChange.Kind
MANAGE = "billing.manage"


class SubscriptionView(TenantAPIView):
    """A view of the organization's subscription."""

    permissions: ClassVar[Mapping[str, str]] = {"POST": MANAGE}

    def told(self) -> dict[str, Any]:
        """Return how it stands now."""
        present, waiting = reading.standing_of(self.organization)
        allowed = sorted(reading.unlimited_operations(self.organization))
        state = {
            "subscription": present,
            "waiting": waiting,
            "unlimited_operations": allowed,
        }
        return dict(StateOut(state).data)

    def plan(self, fields: Mapping[str, Any]) -> PlanVersion:
        """
        Return the version that the organization would get of the plan that is asked for.

        :raises PlanNotOffered: if none with this code is offered.
        """
        found = reading.plan_for(self.organization, fields["plan"])
        if found is None:
            raise PlanNotOffered(field="plan")
        return found

    def change(self, request: Request, write: Callable[[], SubscriptionChange]) -> Response:
        """Write a change down once for the request's key, have it carried out, and answer."""

        def ask(change_id: UUID) -> dict[str, Any]:
            changes = SubscriptionChange.objects.select_related(
                "subscription__organization", "subscription__version__plan", "version"
            )
            changing.carry_out(changes.get(pk=change_id, organization=self.organization))
            return self.told()

        return write_then_ask(
            request,
            principal=self.principal,
            write=write,
            ask=ask,
            place=lambda row: str(reverse("api:billing:subscription")),
        )

    def request_change(self, request: Request, kind: SubscriptionChange.Kind) -> Response:
        """Ask for something that names no plan."""
        reason = validated(CancelIn, request.data)["reason"] if kind == Kind.CANCEL else ""
        return self.change(
            request,
            lambda: changing.request(
                organization=self.organization, kind=kind, reason=reason, user=self.user
            ),
        )


class Subscription(SubscriptionView):
    """The plan that the organization has."""

    permissions = {"GET": "billing.view", "POST": MANAGE}
    keyed_methods = frozenset({"POST"})

    @extend_schema(operation_id="subscription_retrieve", tags=["subscription"], responses=StateOut)
    def get(self, request: Request) -> Response:
        """Return the subscription that is not over, and what its plan allows now."""
        return Response(self.told())

    @extend_schema(
        operation_id="subscription_create",
        tags=["subscription"],
        request=PlanIn,
        responses={201: StateOut},
    )
    def post(self, request: Request) -> Response:
        """Subscribe to a plan: what is paid for begins on the page `pay_url`."""
        fields = validated(PlanIn, request.data)
        version, quantity = self.plan(fields), fields["quantity"]

        def ask(row_id: UUID) -> dict[str, Any]:
            rows = OrganizationSubscription.objects.select_related("organization", "version__plan")
            subscribing.open_checkout(rows.get(pk=row_id, organization=self.organization))
            return self.told()

        def answer() -> Response:
            return write_then_ask(
                request,
                principal=self.principal,
                write=lambda: subscribing.begin(
                    organization=self.organization, version=version, quantity=quantity
                ),
                ask=ask,
                place=lambda row: str(reverse("api:billing:subscription")),
            )

        try:
            return answer()
        except AlreadySubscribed:
            # Only now is it known that the key is new: a repeat must not end a page of payment.
            subscribing.make_way(organization=self.organization, version=version, quantity=quantity)
            return answer()


class Preview(SubscriptionView):
    """What a change of plan would do."""

    @extend_schema(
        operation_id="subscription_preview",
        tags=["subscription"],
        request=PlanIn,
        responses=PreviewOut,
    )
    def post(self, request: Request) -> Response:
        """Return what is charged now, which credits move, and the next renewal."""
        fields = validated(PlanIn, request.data)
        present = reading.present_of(self.organization)
        if present is None:
            raise NotSubscribed
        shown = previewing.preview_plan(
            subscription=present, version=self.plan(fields), quantity=fields["quantity"]
        )
        return Response(PreviewOut(shown).data)


class Change(SubscriptionView):
    """Another plan, or another number of units."""

    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="subscription_change",
        tags=["subscription"],
        request=ChangeIn,
        responses={201: StateOut},
    )
    def post(self, request: Request) -> Response:
        """Change it at once if it costs more, and else at the end of the period."""
        fields = validated(ChangeIn, request.data)
        version = self.plan(fields)
        return self.change(
            request,
            lambda: changing.request_plan(
                organization=self.organization,
                version=version,
                quantity=fields["quantity"],
                moment=fields["moment"],
                user=self.user,
            ),
        )


class Cancel(SubscriptionView):
    """The end of the subscription."""

    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="subscription_cancel",
        tags=["subscription"],
        request=CancelIn,
        responses={201: StateOut},
    )
    def post(self, request: Request) -> Response:
        """Let it end with the period, which is paid; its credits live as long."""
        return self.request_change(request, Kind.CANCEL)


class Undo(SubscriptionView):
    """What was scheduled."""

    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="subscription_undo",
        tags=["subscription"],
        request=None,
        responses={201: StateOut},
    )
    def post(self, request: Request) -> Response:
        """Take a scheduled end or change back."""
        return self.request_change(request, Kind.UNDO)


class Pause(SubscriptionView):
    """A rest in which nothing is charged and nothing is given."""

    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="subscription_pause",
        tags=["subscription"],
        request=None,
        responses={201: StateOut},
    )
    def post(self, request: Request) -> Response:
        """Pause it, until it is resumed."""
        return self.request_change(request, Kind.PAUSE)


class Resume(SubscriptionView):
    """The end of the rest."""

    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="subscription_resume",
        tags=["subscription"],
        request=None,
        responses={201: StateOut},
    )
    def post(self, request: Request) -> Response:
        """Resume it: the next period is charged again."""
        return self.request_change(request, Kind.RESUME)
