"""Passes: what one does if it is paid now, and its purchase."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.api.payment_serializers import PaymentOut
from apps.billing.api.purchases import BuyingView
from apps.billing.errors import PlanNotOffered, PlanTimeRefused
from apps.billing.models import Payment, PlanVersion
from apps.billing.selectors.plan_times import (
    PassPreview,
    obstacle_of,
    pass_named,
    preview_pass,
)
from apps.billing.selectors.subscriptions import present_of
from apps.billing.services import purchases
from apps.core.api import validated
from apps.core.clock import database_now


class PassIn(serializers.Serializer[Any]):
    """Which pass."""

    plan = serializers.SlugField(max_length=50, help_text="The code of a plan that is a pass.")


class PassPurchaseIn(PassIn):
    """Which pass, and what it is expected to cost."""

    amount = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="The price that you expect, in minor units: another one is refused.",
    )


class PassPreviewOut(serializers.Serializer[PassPreview]):
    """What a pass does if it is paid now; paid later, it ends later."""

    object = serializers.CharField(default="pass_preview", read_only=True)
    plan = serializers.CharField(source="version.plan.code")
    amount = serializers.IntegerField(source="version.price", help_text="Minor units, without tax.")
    currency = serializers.CharField(source="version.currency")
    credits = serializers.IntegerField(help_text="They come at once, and expire with the pass.")
    begins_at = serializers.DateTimeField(
        source="span.begins_at", help_text="The end of the same pass, where one runs."
    )
    ends_at = serializers.DateTimeField(source="span.ends_at", help_text="Exclusive.")
    next_plan = serializers.CharField(
        source="span.then.plan.code",
        default=None,
        allow_null=True,
        help_text="The free plan that the organization goes back to then.",
    )


class PassView(BuyingView):
    """A view of passes."""

    def chosen(self, code: str) -> PlanVersion:
        """
        Return the pass that is asked for.

        :raises PlanNotOffered: if none with this code is offered.
        """
        found = pass_named(code)
        if found is None:
            raise PlanNotOffered(field="plan")
        return found


class Preview(PassView):
    """What a pass would do."""

    permissions = {"POST": "billing.manage"}

    @extend_schema(
        operation_id="passes_preview",
        tags=["subscription"],
        request=PassIn,
        responses=PassPreviewOut,
    )
    def post(self, request: Request) -> Response:
        """Return what a pass costs and gives, from when to when, and what comes after it."""
        version = self.chosen(validated(PassIn, request.data)["plan"])
        obstacle = obstacle_of(present_of(self.organization), version, database_now())
        if obstacle:
            raise PlanTimeRefused(reason=obstacle)
        return Response(PassPreviewOut(preview_pass(self.organization, version)).data)


class Passes(PassView):
    """Passes that are bought."""

    permissions = {"POST": "billing.manage"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="passes_create",
        tags=["subscription"],
        request=PassPurchaseIn,
        responses={201: PaymentOut},
    )
    def post(self, request: Request) -> Response:
        """
        Buy a pass: answers the payment, with the page of Stripe's on which a person pays it.

        It begins once it is paid. Where Stripe does not answer (503), the payment is written
        down and goes on by itself; the same request with the same key answers it.
        """
        fields = validated(PassPurchaseIn, request.data)
        return self.buy(request, lambda: self.write(**fields))

    def write(self, *, plan: str, amount: int | None = None) -> Payment:
        """Write the purchase down."""
        return purchases.buy_pass(
            organization=self.organization,
            user=self.user,
            version_id=self.chosen(plan).pk,
            amount=amount,
        )
