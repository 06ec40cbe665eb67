"""Staff pages of what came from a former system: looked at, and never changed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.credits.admin.base import LedgerAdmin
from apps.credits.models import FormerAccount, FormerMovement


class HistoryFilter(admin.SimpleListFilter):
    """With or without history: Django's own filter of empty values takes no bytes."""

    title = "history"
    parameter_name = "history"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer both."""
        return [("yes", "Imported"), ("no", "Not imported")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[FormerAccount]
    ) -> QuerySet[FormerAccount]:
        """Return the accounts that are asked for."""
        if self.value() is None:
            return queryset
        return queryset.filter(history_digest__isnull=self.value() == "no")


@admin.register(FormerAccount)
class FormerAccountAdmin(LedgerAdmin[FormerAccount]):
    """Balances that became opening lots, and how far their history explains them."""

    list_display = [
        *("former_id", "organization", "balance", "has_history", "difference"),
        *("difference_reason", "created_at"),
    ]
    list_filter = [HistoryFilter]
    search_fields = ["former_id"]
    search_help_text = "Organization, exact former id, fac_…, wal_… or org_…"
    ids_searched = {"fac": "pk", "wal": "wallet", "org": "organization"}
    texts_searched = ["former_id"]
    fields = [
        *("public_id", "organization", "wallet", "former_id", "balance", "has_history"),
        *("difference", "difference_reason", "created_at"),
    ]
    readonly_fields = ["public_id", "has_history"]
    csv_columns = [
        *("public_id", "organization.slug", "wallet_id", "former_id", "balance"),
        *("difference", "difference_reason", "created_at"),
    ]

    @admin.display(description="history", boolean=True)
    def has_history(self, account: FormerAccount) -> bool:
        """Tell whether its movements were imported."""
        return account.history_digest is not None


@admin.register(FormerMovement)
class FormerMovementAdmin(LedgerAdmin[FormerMovement]):
    """History from before, as it was written there."""

    list_display = [
        *("occurred_at", "organization", "account", "kind", "amount", "balance_after"),
        *("description", "former_id"),
    ]
    search_fields = ["former_id"]
    search_help_text = "Organization, exact former id or payment intent, fmv_…, fac_… or org_…"
    ids_searched = {"fmv": "pk", "fac": "account", "org": "organization"}
    texts_searched = ["former_id", "stripe_payment_intent_id"]
    list_select_related = ["organization", "account"]
    fields = [
        *("public_id", "organization", "account", "former_id", "occurred_at", "kind", "amount"),
        *("balance_after", "description", "stripe_payment_intent_id", "created_at"),
    ]
    readonly_fields = ["public_id"]
    csv_columns = [
        *("public_id", "organization.slug", "account.former_id", "former_id", "occurred_at"),
        *("kind", "amount", "balance_after", "description", "stripe_payment_intent_id"),
    ]
