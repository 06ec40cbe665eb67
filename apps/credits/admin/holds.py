"""Staff pages of holds."""

from django.contrib import admin

from apps.credits.admin.base import LedgerAdmin, link, list_url
from apps.credits.models import Hold


@admin.register(Hold)
class HoldAdmin(LedgerAdmin[Hold]):
    """Holds of every wallet, open and ended."""

    list_display = [
        "public_id",
        "organization",
        "status",
        "amount",
        "captured",
        "policy",
        "credit_event",
        "expires_at",
        "reference",
        "created_at",
    ]
    list_filter = ["status", "policy"]
    list_select_related = ["organization", "credit_event"]
    search_fields = ["organization__name"]
    search_help_text = "Organization, exact reference, hold_…, wal_… or org_…"
    ids_searched = {"hold": "pk", "wal": "wallet", "org": "organization"}
    texts_searched = ["reference"]
    fields = [
        "public_id",
        "organization",
        "wallet",
        "status",
        "amount",
        "captured",
        "policy",
        "credit_event",
        "features",
        "expires_at",
        "reference",
        "movements",
        "created_at",
    ]
    readonly_fields = ["public_id", "movements", "created_at"]
    csv_columns = [
        "public_id",
        "organization.slug",
        "wallet_id",
        "status",
        "amount",
        "captured",
        "policy",
        "credit_event.name",
        "expires_at",
        "reference",
        "created_at",
    ]

    @admin.display(description="movements")
    def movements(self, hold: Hold) -> str:
        """Link to what the hold set aside and gave back."""
        chosen = {"wallet__id__exact": hold.wallet_id, "reference": hold.reference}
        return link(list_url("credittransaction", **chosen), "Transactions")
