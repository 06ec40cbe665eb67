"""Staff pages of budgets, of what their months have used, and of the mails about them."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.credits.models import Budget, BudgetAlert, BudgetMonth


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin[Budget]):
    """What is limited, for whom, and to how much a month."""

    list_display = ["created_at", "organization", "wallet", "member", "monthly_limit", "action"]
    list_display += ["time_zone", "is_active", "public_id"]
    list_filter = ["is_active", "action"]
    search_fields = ["organization__name", "organization__slug", "member__email"]
    list_select_related = ["organization", "wallet__organization", "member"]
    ordering = ["-created_at", "-id"]


@admin.register(BudgetMonth)
class BudgetMonthAdmin(ReadOnlyAdmin[BudgetMonth]):
    """What was used in each month, net of what came back."""

    list_display = ["month", "budget", "organization", "used", "monthly_limit"]
    search_fields = ["budget__organization__name", "budget__organization__slug"]
    list_select_related = ["budget__organization"]
    ordering = ["-month", "-id"]

    @admin.display(ordering="budget__organization__name")
    def organization(self, month: BudgetMonth) -> str:
        """Name whose month it is."""
        return month.budget.organization.name


@admin.register(BudgetAlert)
class BudgetAlertAdmin(ReadOnlyAdmin[BudgetAlert]):
    """Who was told of which threshold, and when."""

    list_display = ["created_at", "organization", "budget", "month", "percent", "used"]
    list_display += ["monthly_limit", "is_test", "status", "mail_attempts", "sent_at", "public_id"]
    list_filter = ["is_test", "percent"]
    search_fields = ["organization__name", "organization__slug"]
    list_select_related = ["organization", "budget"]
    ordering = ["-created_at", "-id"]
