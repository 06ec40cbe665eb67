"""The prices API: what things cost, have cost, and would cost this organization now."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, validated
from apps.core.errors import NotFound
from apps.credits import selectors
from apps.credits.api.price_serializers import (
    CheckOut,
    CreditQuoteIn,
    CreditQuoteOut,
    ItemIn,
    PriceVersionOut,
)
from apps.credits.services import quotes
from apps.rbac.api.base import TenantAPIView


class Check(TenantAPIView):
    """Whether one thing can be charged now."""

    permissions = {"POST": "credits.view"}

    @extend_schema(
        operation_id="credits_check",
        tags=["credits"],
        request=ItemIn,
        responses=CheckOut,
        examples=[
            OpenApiExample(
                "Three pictures", value={"event": "image.restyle", "quantity": 3}, request_only=True
            ),
            OpenApiExample("Credits", value={"amount": 36}, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Return what it would cost and whether it can be paid; nothing is written."""
        item = validated(ItemIn, request.data)["item"]
        wallet = selectors.main_wallet(self.organization)
        return Response(CheckOut(quotes.check_charge(wallet=wallet, item=item)).data)


class Quote(TenantAPIView):
    """The price of several things together."""

    permissions = {"POST": "credits.view"}

    @extend_schema(
        operation_id="credits_quote",
        tags=["credits"],
        request=CreditQuoteIn,
        responses=CreditQuoteOut,
        examples=[
            OpenApiExample(
                "Pictures and a fee",
                value={"lines": [{"event": "image.restyle", "quantity": 3}, {"amount": 5}]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Return each line's price, the total, and the lots it would draw on; writes nothing."""
        items = [line["item"] for line in validated(CreditQuoteIn, request.data)["lines"]]
        wallet = selectors.main_wallet(self.organization)
        return Response(CreditQuoteOut(quotes.quote_charges(wallet=wallet, items=items)).data)


class CreditEventVersions(TenantAPIView):
    """What one event costs and has cost."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="credit_event_versions_list",
        tags=["credits"],
        responses=PriceVersionOut(many=True),
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the event's versions, newest first; one that is to come is not shown."""
        versions = selectors.price_versions().filter(name=name)
        if not versions.exists():
            raise NotFound
        return paginated(request, versions, PriceVersionOut, key=("effective_at", "id"))
