"""Staff pages of wallets: look at them, correct them, and say what they may do."""

from django.contrib import admin
from django.utils.html import format_html_join

from apps.credits.admin.base import LINK, LedgerAdmin, list_url
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
        return bytes(wallet.head_hash).hex()
