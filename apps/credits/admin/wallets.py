"""Staff pages of wallets: look at them, correct them, and say what they may do."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from unfold.decorators import action

from apps.credits.admin.base import LINK, LedgerAdmin, hash_text, list_url, may_correct
from apps.credits.admin.correcting import CorrectionDesk
from apps.credits.admin.standing import standing_page
from apps.credits.models import Wallet

PARTS = {
    "Lots": "lot",
    "Holds": "hold",
    "Transactions": "credittransaction",
    "Corrections": "correction",
}


@admin.register(Wallet)
class WalletAdmin(LedgerAdmin[Wallet]):
    """Wallets with their balances, in credits."""

    list_display = [
        "public_id",
        "organization",
        "kind",
        "balance",
        "held",
        "credit_line",
        "sequence",
        "frozen_at",
        "closed_at",
    ]
    list_filter = [
        "kind",
        ("frozen_at", admin.EmptyFieldListFilter),
        ("closed_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["organization__name"]
    search_help_text = "Organization, wal_… or org_…"
    ids_searched = {"wal": "pk", "org": "organization"}
    fields = [
        "public_id",
        "organization",
        "kind",
        "holder",
        "balance",
        "held",
        "credit_line",
        "frozen_at",
        "closed_at",
        "parts",
        "sequence",
        "head_at",
        "head",
        "created_at",
    ]
    actions_detail = ["correct", "standing"]
    readonly_fields = ["public_id", "parts", "head", "created_at"]
    csv_columns = [
        "public_id",
        "organization.public_id",
        "organization.slug",
        "kind",
        "balance",
        "held",
        "credit_line",
        "sequence",
        "frozen_at",
        "closed_at",
        "created_at",
    ]

    @admin.display(description="in this wallet")
    def parts(self, wallet: Wallet) -> str:
        """Link to what is in the wallet."""
        links = [
            (list_url(name, wallet__id__exact=wallet.pk), text) for text, name in PARTS.items()
        ]
        return format_html_join(" · ", LINK, links)

    @admin.display(description="hash of the last transaction")
    def head(self, wallet: Wallet) -> str:
        """Write the chain's head as the API does."""
        return hash_text(bytes(wallet.head_hash))

    def has_correct_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those correct a wallet who have the permission everywhere."""
        return may_correct(request)

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Correct", url_path="correct", icon="edit", permissions=["correct"]
    )
    def correct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Correct the wallet in two steps."""
        wallet = self.wallet(request, object_id)
        return CorrectionDesk(request, wallet, self.frame(request, wallet)).answer()

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Freeze, close, credit line",
        url_path="standing",
        icon="lock",
        permissions=["correct"],
    )
    def standing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what the wallet may do."""
        wallet = self.wallet(request, object_id)
        return standing_page(request, wallet, self.frame(request, wallet))

    def wallet(self, request: HttpRequest, object_id: str) -> Wallet:
        """
        Return the wallet that the address names.

        :raises Http404: if there is none.
        """
        found: Wallet | None = self.get_object(request, object_id)
        if found is None:
            raise Http404
        return found

    def frame(self, request: HttpRequest, wallet: Wallet) -> dict[str, Any]:
        """Return what the frame of a page of the admin shows."""
        back = reverse("admin:credits_wallet_change", args=[wallet.pk])
        return {**self.admin_site.each_context(request), "opts": self.opts, "back_url": back}
