"""Staff pages of corrections."""

from django.contrib import admin

from apps.credits.admin.base import LedgerAdmin
from apps.credits.models import Correction


@admin.register(Correction)
class CorrectionAdmin(LedgerAdmin[Correction]):
    """Corrections of every wallet."""

    list_display = ["public_id", "organization", "action", "amount", "status", "requested_by"]
    list_filter = ["status", "action", "reason"]
    search_fields = ["organization__name"]
