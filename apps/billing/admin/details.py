"""Staff pages of billing details and of attempts to pay invoices: read only."""

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest

from apps.billing.models import BillingDetails, InvoiceAttempt
from apps.core.admin import ReadOnlyAdmin


class StandingFilter(admin.SimpleListFilter):
    """Which details Stripe has."""

    title = "at Stripe"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Offer each way in which details can stand."""
        return [(one.value, str(one.label)) for one in BillingDetails.Standing]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[BillingDetails]
    ) -> QuerySet[BillingDetails]:
        """Return those that stand so."""
        waiting = queryset.filter(pushed_version__lt=F("version"))
        told = queryset.filter(pushed_version=F("version"))
        found = {
            "waiting": waiting,
            "refused": told.exclude(refusal=""),
            "at_stripe": told.filter(refusal=""),
        }
        return found.get(self.value() or "", queryset)


@admin.register(BillingDetails)
class BillingDetailsAdmin(ReadOnlyAdmin[BillingDetails]):
    """To whom organizations are billed; they write it themselves."""

    list_display = ["organization", "legal_name", "country", "tax_id", "standing", "changed_at"]
    list_filter = [StandingFilter, "tax_id_type"]
    list_select_related = ["organization"]
    search_fields = ["organization__name", "organization__slug", "legal_name", "tax_id"]
    ordering = ["-changed_at", "-id"]

    @admin.display(description="at Stripe")
    def standing(self, details: BillingDetails) -> str:
        """Say what Stripe has of it."""
        return str(details.standing.label)


@admin.register(InvoiceAttempt)
class InvoiceAttemptAdmin(ReadOnlyAdmin[InvoiceAttempt]):
    """Who wanted an open invoice paid with the saved card, and what Stripe said."""

    list_display = ["public_id", "organization", "document", "status", "failure_code", "created_at"]
    list_filter = ["status"]
    list_select_related = ["organization", "document"]
    search_fields = ["organization__name", "organization__slug", "document__number"]
    ordering = ["-id"]
