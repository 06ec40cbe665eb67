"""The credits API: what an organization has, and how it came to it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import (
    LimitParameter,
    check_parameters,
    paginated,
    validated,
    validated_query,
)
from apps.credits import selectors
from apps.credits.api.price_serializers import PriceListIn
from apps.credits.api.reading_serializers import (
    AsOf,
    LotParameters,
    StandingOut,
    TransactionParameters,
    filters_of,
)
from apps.credits.api.serializers import BalanceOut, CreditEventOut, TransactionOut
from apps.credits.models import CreditTransaction
from apps.rbac.api.base import TenantAPIView


class Balance(TenantAPIView):
    """The organization's balance."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="balance_retrieve",
        tags=["credits"],
        parameters=[AsOf],
        responses=BalanceOut,
    )
    def get(self, request: Request) -> Response:
        """Return what can be spent, is held and owed, and expires first: now or at any moment."""
        as_of = validated_query(AsOf, request).get("as_of")
        wallet = selectors.main_wallet(self.organization)
        balance = selectors.balance_at(wallet, as_of) if as_of else selectors.balance_of(wallet)
        return Response(BalanceOut(balance, context={"as_of": as_of}).data)


class Lots(TenantAPIView):
    """The lots from which credits are spent."""

    is_paged = False
    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="lots_list",
        tags=["credits"],
        parameters=[LotParameters],
        responses=StandingOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return lots in the order in which they burn, with the reason: now or at any moment."""
        asked = validated_query(LotParameters, request)
        wallet = selectors.main_wallet(self.organization)
        if "as_of" in asked:
            found = [one for one in selectors.lots_at(wallet, asked["as_of"]) if one.remaining]
        else:
            found = selectors.lots_with_credits(wallet)
        lots = [one for one in found if asked["status"] in ("all", one.status)]
        data = StandingOut(lots, many=True).data
        return Response({"object": "list", "data": data, "has_more": False})


class Transactions(TenantAPIView):
    """Every movement of credits."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="transactions_list",
        tags=["credits"],
        parameters=[TransactionParameters, LimitParameter],
        responses=TransactionOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the movements that fit the filters, newest first."""
        parameters = frozenset(TransactionParameters().fields)
        check_parameters(request, parameters | {"limit", "cursor"})
        filters = filters_of(validated(TransactionParameters, request.query_params))
        wallet = selectors.main_wallet(self.organization)
        entries = selectors.matching(selectors.transactions_of(wallet), filters)
        return paginated(
            request,
            entries.select_related("lot", "credit_event"),
            TransactionOut,
            key=("sequence",),
            parameters=parameters,
        )


class Transaction(TenantAPIView):
    """One movement of credits."""

    permissions = {"GET": "credits.view"}

    @extend_schema(operation_id="transactions_retrieve", tags=["credits"], responses=TransactionOut)
    def get(self, request: Request, transaction_id: str) -> Response:
        """Return one movement."""
        wallet = selectors.main_wallet(self.organization)
        entries = CreditTransaction.objects.filter(wallet=wallet)
        entry = self.get_object(entries.select_related("lot", "credit_event"), transaction_id)
        return Response(TransactionOut(entry).data)


class CreditEvents(TenantAPIView):
    """The price list."""

    is_paged = False
    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="credit_events_list",
        tags=["credits"],
        parameters=[PriceListIn],
        responses=CreditEventOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return what can be charged now, with its present price."""
        check_parameters(request, frozenset({"category"}))
        category = validated(PriceListIn, request.query_params).get("category", "")
        events = CreditEventOut(selectors.price_list(category=category), many=True).data
        return Response({"object": "list", "data": events, "has_more": False})
