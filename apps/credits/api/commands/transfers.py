"""Move credits between the organization's own wallets."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, validated
from apps.core.idempotency import Answer
from apps.credits import selectors
from apps.credits.api.commands.shapes import (
    CommandIn,
    Credits,
    PostingOut,
    mode_of,
    post_once,
    posting,
    reference_of,
)
from apps.credits.models import Wallet
from apps.credits.services.transfers import transfer_credits
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


class TransferIn(CommandIn):
    """From where to where, how much, and until when at the latest."""

    wallet = serializers.CharField(help_text="The wallet that they leave: wal_…")
    target = serializers.CharField(help_text="The wallet that they reach: wal_…")
    amount = Credits()
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class Wallets(TenantAPIView):
    """The organization's wallets."""

    permissions = {"GET": "credits.view"}

    @extend_schema(operation_id="wallets_list", tags=["credits"], responses=WalletOut(many=True))
    def get(self, request: Request) -> Response:
        """Return wallets, newest first."""
        return paginated(request, selectors.wallets_of(self.organization), WalletOut)


class Transfers(TenantAPIView):
    """Credits that go from one wallet to another."""

    permissions = {"POST": "credits.transfer"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="credits_transfer",
        tags=["credits"],
        request=TransferIn,
        responses={201: PostingOut, 200: PostingOut},
    )
    def post(self, request: Request) -> Response:
        """Move credits; they never live longer there than they would have here."""
        fields = validated(TransferIn, request.data)
        return post_once(
            request,
            fields=fields,
            principal=self.principal,
            effect=lambda: self.transfer(request, fields),
        )

    def transfer(self, request: Request, fields: dict[str, Any]) -> Answer:
        """Transfer between two wallets, both of this organization."""
        wallets = selectors.wallets_of(self.organization)
        outcome = transfer_credits(
            wallet=self.get_object(wallets, fields["wallet"]),
            target=self.get_object(wallets, fields["target"]),
            amount=fields["amount"],
            reference=reference_of(request, fields, self.principal),
            source="api",
            source_id=fields.get("reference", ""),
            expires_at=fields["expires_at"],
            description=fields["description"],
            mode=mode_of(fields),
        )
        return Answer(201, posting(outcome, reference=fields.get("reference", "")))
