"""Staff pages of lots."""

from django.contrib import admin

from apps.credits.admin.base import LedgerAdmin, link, list_url
from apps.credits.models import Lot


@admin.register(Lot)
class LotAdmin(LedgerAdmin[Lot]):
    """Lots of every wallet."""

    list_display = [
        "public_id",
        "organization",
        "kind",
        "granted",
        "remaining",
        "priority",
        "effective_at",
        "expires_at",
        "origin",
    ]
    list_filter = [
        "kind",
        "has_credits",
        ("expires_at", admin.EmptyFieldListFilter),
        ("frozen_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["organization__name"]
    search_help_text = "Organization, exact origin, lot_…, wal_… or org_…"
    ids_searched = {"lot": "pk", "wal": "wallet", "org": "organization"}
    texts_searched = ["origin"]
    fields = [
        "public_id",
        "organization",
        "wallet",
        "kind",
        "granted",
        "remaining",
        "priority",
        "effective_at",
        "expires_at",
        "unit_cost",
        "currency",
        "features",
        "frozen_at",
        "origin",
        "heir_of",
        "returns_to",
        "movements",
        "created_at",
    ]
    readonly_fields = ["public_id", "movements", "created_at"]
    csv_columns = [
        "public_id",
        "organization.slug",
        "wallet_id",
        "kind",
        "granted",
        "remaining",
        "priority",
        "effective_at",
        "expires_at",
        "unit_cost",
        "currency",
        "frozen_at",
        "origin",
        "created_at",
    ]

    @admin.display(description="movements")
    def movements(self, lot: Lot) -> str:
        """Link to what moved in the lot."""
        return link(list_url("credittransaction", lot__id__exact=lot.pk), "Transactions")
