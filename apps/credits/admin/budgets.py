"""Staff pages of budgets and of what their months have used."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.credits.models import Budget, BudgetMonth


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin[Budget]):
    """Which wallets are limited, and to how much a month."""

    list_display = ["created_at", "organization", "wallet", "monthly_limit", "time_zone"]
    list_display += ["is_active", "public_id"]
    list_filter = ["is_active"]
    search_fields = ["organization__name", "organization__slug"]
    list_select_related = ["organization", "wallet__organization"]
    ordering = ["-created_at", "-id"]


@admin.register(BudgetMonth)
class BudgetMonthAdmin(ReadOnlyAdmin[BudgetMonth]):
    """What was used in each month, net of what came back."""

    list_display = ["month", "budget", "used"]
    search_fields = ["budget__organization__name", "budget__organization__slug"]
    list_select_related = ["budget"]
    ordering = ["-month", "-id"]
