"""Staff pages of subscriptions: who has which plan, until when, and what was asked of it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.billing.admin.giving import Giving
from apps.billing.models import OrganizationSubscription, SubscriptionChange
from apps.core.admin import ReadOnlyAdmin

COLOURS = {
    "incomplete": "warning",
    "trial": "info",
    "active": "success",
    "past_due": "danger",
    "paused": "",
    "cancelled": "",
    "expired": "",
}
CHANGE_COLOURS = {"asked": "info", "accepted": "success", "refused": "danger"}


@admin.register(OrganizationSubscription)
class OrganizationSubscriptionAdmin(Giving, ReadOnlyAdmin[OrganizationSubscription]):
    """Every subscription, past ones included; services and Stripe's news write them."""

    actions_list = ["give"]
    actions_detail = ["extend_trial"]
    list_display = [
        "public_id",
        "organization",
        "version",
        "quantity",
        "state",
        "current_period_start",
        "current_period_end",
        "cancel_at_period_end",
        "is_limited",
        "stripe_subscription_id",
    ]
    list_filter = ["status", "cancel_at_period_end", "is_limited", "version__plan"]
    search_fields = ["organization__name", "organization__slug", "stripe_subscription_id"]
    search_help_text = "An organization, or Stripe's id: sub_…"
    list_select_related = ["organization", "version__plan"]
    ordering = ["-created_at", "-id"]
    exclude = ["question"]

    @display(description="State", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, row: OrganizationSubscription) -> str:
        """Say how far it has come."""
        return row.status

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrganizationSubscription]:
        """Leave what Stripe was asked for where it is: a list does not show it."""
        rows: QuerySet[OrganizationSubscription] = super().get_queryset(request)
        return rows.defer("question")


@admin.register(SubscriptionChange)
class SubscriptionChangeAdmin(ReadOnlyAdmin[SubscriptionChange]):
    """Every change that was asked for, with the credits that it moved or why it was refused."""

    list_display = [
        "public_id",
        "organization",
        "kind",
        "state",
        "old_version",
        "version",
        "quantity",
        "credits_taken",
        "credits_given",
        "created_at",
    ]
    list_filter = ["status", "kind"]
    search_fields = ["organization__name", "organization__slug", "stripe_invoice_id"]
    search_help_text = "An organization, or the invoice of its proration: in_…"
    list_select_related = ["organization", "version__plan", "old_version__plan"]
    ordering = ["-created_at", "-id"]

    @display(description="State", ordering="status", label=CHANGE_COLOURS)  # type: ignore[untyped-decorator]
    def state(self, row: SubscriptionChange) -> str:
        """Say how far it has come."""
        return row.status
