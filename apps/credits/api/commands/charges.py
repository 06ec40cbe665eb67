"""Spend credits, and give back what was spent."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated
from apps.core.idempotency import Answer
from apps.credits import selectors
from apps.credits.api.commands.shapes import (
    CommandIn,
    Credits,
    PostingOut,
    PricedIn,
    mode_of,
    post_once,
    posting,
    reference_of,
)
from apps.credits.services import charges
from apps.rbac.api.base import TenantAPIView

SOURCE = "api"


class RefundIn(CommandIn):
    """Which charge to give back, and how much of it."""

    charge = serializers.CharField(max_length=100, help_text="The reference of the charge or hold.")
    amount = Credits(required=False, help_text="All that is left of it, if left out.")


class Spend(TenantAPIView):
    """Charges by integrators."""

    permissions = {"POST": "credits.charge"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="credits_spend",
        tags=["credits"],
        request=PricedIn,
        responses={201: PostingOut, 200: PostingOut},
        examples=[
            OpenApiExample(
                "Three renderings",
                value={"event": "image.restyle", "quantity": 3, "reference": "render-4711"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Charge an event of the price list, or an amount; the same key never pays twice."""
        fields = validated(PricedIn, request.data)
        return post_once(
            request,
            fields=fields,
            principal=self.principal,
            effect=lambda: self.charge(request, fields),
        )

    def charge(self, request: Request, fields: dict[str, Any]) -> Answer:
        """Charge, and say what it drew on."""
        cause: dict[str, Any] = {
            "wallet": selectors.main_wallet(self.organization),
            "reference": reference_of(request, fields, self.principal),
            "source": SOURCE,
            "source_id": fields.get("reference", ""),
            "description": fields["description"],
            "metadata": fields["metadata"],
            "mode": mode_of(fields),
        }
        if "event" in fields:
            quantity = fields.get("quantity", 1)
            outcome = charges.charge_event(event=fields["event"], quantity=quantity, **cause)
        else:
            outcome = charges.charge_amount(amount=fields["amount"], **cause)
        return Answer(201, posting(outcome, reference=fields.get("reference", "")))


class Refunds(TenantAPIView):
    """What integrators give back of their own charges; those of jobs are not theirs."""

    permissions = {"POST": "credits.charge"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="credits_refund",
        tags=["credits"],
        request=RefundIn,
        responses={201: PostingOut, 200: PostingOut},
    )
    def post(self, request: Request) -> Response:
        """Give back a charge that was posted here, or a captured hold, whole or in part."""
        fields = validated(RefundIn, request.data)
        return post_once(
            request,
            fields=fields,
            principal=self.principal,
            effect=lambda: self.refund(request, fields),
        )

    def refund(self, request: Request, fields: dict[str, Any]) -> Answer:
        """Refund to the lots that the charge drew on."""
        outcome = charges.refund_charge(
            wallet=selectors.main_wallet(self.organization),
            charge_reference=f"api:{fields['charge']}",
            reference=f"refund:{reference_of(request, fields, self.principal)}",
            source=SOURCE,
            source_id=fields.get("reference", ""),
            amount=fields.get("amount"),
            description=fields["description"],
            mode=mode_of(fields),
        )
        return Answer(201, posting(outcome, reference=fields.get("reference", "")))
