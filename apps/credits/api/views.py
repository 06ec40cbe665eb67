"""The credits API: what an organization has, and how it came to it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated
from apps.credits import selectors
from apps.credits.api.serializers import BalanceOut, CreditEventOut, LotOut, TransactionOut
from apps.credits.models import CreditTransaction
from apps.rbac.api.base import TenantAPIView


class Balance(TenantAPIView):
    """The organization's balance."""

    permissions = {"GET": "credits.view"}

    @extend_schema(operation_id="balance_retrieve", tags=["credits"], responses=BalanceOut)
    def get(self, request: Request) -> Response:
        """Return what can be spent now, what is held, and what expires first."""
        wallet = selectors.main_wallet(self.organization)
        return Response(BalanceOut(selectors.balance_of(wallet)).data)


class Lots(TenantAPIView):
    """The lots from which credits are spent."""

    permissions = {"GET": "credits.view"}

    @extend_schema(operation_id="lots_list", tags=["credits"], responses=LotOut(many=True))
    def get(self, request: Request) -> Response:
        """Return the open lots in the order in which they burn."""
        lots = selectors.lots_in_burn_order(selectors.main_wallet(self.organization))
        return Response({"object": "list", "data": LotOut(lots, many=True).data, "has_more": False})


class Transactions(TenantAPIView):
    """Every movement of credits."""

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="transactions_list", tags=["credits"], responses=TransactionOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return movements, newest first."""
        wallet = selectors.main_wallet(self.organization)
        entries = CreditTransaction.objects.filter(wallet=wallet)
        return paginated(
            request,
            entries.select_related("lot", "credit_event"),
            TransactionOut,
            key=("sequence",),
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

    permissions = {"GET": "credits.view"}

    @extend_schema(
        operation_id="credit_events_list", tags=["credits"], responses=CreditEventOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return what can be charged now, with its present price."""
        events = CreditEventOut(selectors.price_list(), many=True).data
        return Response({"object": "list", "data": events, "has_more": False})
