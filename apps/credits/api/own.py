"""The API of what one can spend oneself, for who may not see the organization's whole ledger."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import context
from apps.core.api import LimitParameter, paginated
from apps.credits import selectors
from apps.credits.api.reading_serializers import StandingOut
from apps.credits.api.serializers import BalanceOut, TransactionOut
from apps.credits.models import Wallet
from apps.rbac.api.base import TenantAPIView


class OwnView(TenantAPIView):
    """The wallet from which the caller spends: his own, or else the organization's."""

    permissions = {"GET": "credits.view_own"}

    def wallet(self) -> Wallet:
        """
        Return the wallet.

        :raises NoWalletOfOwn: if he spends only what a partner gives him, and has nothing yet.
        """
        return selectors.spending_wallet(self.organization, self.user)


class OwnBalance(OwnView):
    """What the caller can spend."""

    @extend_schema(operation_id="own_balance_retrieve", tags=["credits"], responses=BalanceOut)
    def get(self, request: Request) -> Response:
        """Return what you can spend, is held and owed, and expires first."""
        return Response(BalanceOut(selectors.balance_of(self.wallet())).data)


class OwnLots(OwnView):
    """Where the caller's credits come from."""

    is_paged = False

    @extend_schema(operation_id="own_lots_list", tags=["credits"], responses=StandingOut(many=True))
    def get(self, request: Request) -> Response:
        """Return the lots that still hold credits, in the order in which they burn."""
        lots = selectors.lots_with_credits(self.wallet())
        data = StandingOut(lots, many=True).data
        return Response({"object": "list", "data": data, "has_more": False})


class OwnTransactions(OwnView):
    """What moved the caller's credits."""

    @extend_schema(
        operation_id="own_transactions_list",
        tags=["credits"],
        parameters=[LimitParameter],
        responses=TransactionOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return every movement of your own wallet, or what you caused in the organization's."""
        wallet = self.wallet()
        actor = None if wallet.holder_id == self.user.pk else context.current().actor
        entries = selectors.transactions_of(wallet, actor=actor)
        return paginated(
            request,
            entries.select_related("lot", "credit_event"),
            TransactionOut,
            key=("sequence",),
        )
