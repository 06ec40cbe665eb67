"""The organization's own wallets."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated
from apps.credits import selectors
from apps.credits.models import Wallet
from apps.rbac.api.base import TenantAPIView


class WalletOut(serializers.ModelSerializer[Wallet]):
    """A balance."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="wallet", read_only=True)
    is_frozen = serializers.SerializerMethodField()
    is_closed = serializers.SerializerMethodField()

    class Meta:
        model = Wallet
        fields = [
            "id",
            "object",
            "kind",
            "balance",
            "held",
            "credit_line",
            "is_frozen",
            "is_closed",
            "created_at",
        ]

    def get_is_frozen(self, wallet: Wallet) -> bool:
        """Tell whether nothing may leave it."""
        return wallet.frozen_at is not None

    def get_is_closed(self, wallet: Wallet) -> bool:
        """Tell whether nothing may move in it."""
        return wallet.closed_at is not None


class Wallets(TenantAPIView):
    """The organization's own wallets."""

    permissions = {"GET": "credits.view"}

    @extend_schema(operation_id="wallets_list", tags=["credits"], responses=WalletOut(many=True))
    def get(self, request: Request) -> Response:
        """Return wallets, newest first; those of a programme's members are not among them."""
        return paginated(request, selectors.wallets_of(self.organization), WalletOut)
