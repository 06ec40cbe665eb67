"""Staff pages of corrections: the inbox of what waits for a second person, and what was done."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Case, ExpressionWrapper, Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.decorators import display

from apps.core.admin import badge_of
from apps.core.clock import database_now, now_in_query
from apps.core.templatetags.coffer import ago
from apps.credits import selectors
from apps.credits.admin.base import LedgerAdmin, may_decide
from apps.credits.admin.deciding import DecisionDesk
from apps.credits.models import Correction

PENDING_FIRST = Case(When(status=Correction.Status.PENDING, then=Value(0)), default=Value(1))
COLOURS = {
    "Waiting": "warning",
    "Too old": "danger",
    "Posted": "success",
    "Approved": "success",
    "Rejected": "danger",
}


class AgeFilter(admin.SimpleListFilter):
    """Corrections by how long ago they were asked for."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the lengths of time, in days."""
        return [("1", "More than a day"), ("3", "More than 3 days"), ("30", "More than 30 days")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Correction]
    ) -> QuerySet[Correction]:
        """Return those that are older."""
        if self.value() not in ("1", "3", "30"):
            return queryset
        since = database_now() - timedelta(days=int(self.value() or 0))
        return queryset.filter(created_at__lt=since)


class ExpiryFilter(admin.SimpleListFilter):
    """Waiting corrections by how long they can still be decided."""

    title = "time to decide"
    parameter_name = "expires"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name what is open, urgent, and too late."""
        return [("open", "Can be decided"), ("day", "Ends within a day"), ("over", "Too old")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Correction]
    ) -> QuerySet[Correction]:
        """Return the waiting ones of the chosen kind."""
        pending, now = queryset.filter(status=Correction.Status.PENDING), now_in_query()
        tomorrow = database_now() + timedelta(days=1)
        return {
            "open": pending.filter(expires_at__gt=now),
            "day": pending.filter(expires_at__gt=now, expires_at__lte=tomorrow),
            "over": pending.filter(expires_at__lte=now),
        }.get(self.value() or "", queryset)


@admin.register(Correction)
class CorrectionAdmin(LedgerAdmin[Correction]):
    """Corrections of every wallet; those that wait for a second person come first."""

    list_display = [
        "state",
        "organization",
        "action",
        "credits",
        "reason",
        "requested_by",
        "age",
        "time_left",
        "ticket",
        "decided_by",
        "public_id",
    ]
    list_filter = ["status", AgeFilter, ExpiryFilter, "action", "reason"]
    list_select_related = ["organization", "requested_by", "decided_by"]
    search_fields = ["organization__name"]
    search_help_text = "Organization, exact ticket, cor_…, wal_… or org_…"
    ids_searched = {"cor": "pk", "wal": "wallet", "org": "organization"}
    texts_searched = ["ticket"]
    ordering = [PENDING_FIRST, "-id"]
    csv_columns = [
        "public_id",
        "organization.slug",
        "wallet_id",
        "action",
        "amount",
        "status",
        "reason",
        "note",
        "ticket",
        "requested_by.email",
        "created_at",
        "needs_second_person",
        "decided_by.email",
        "decided_at",
        "comment",
        "expires_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        """Let the database's clock say which can no longer be decided."""
        rows: QuerySet[Correction] = super().get_queryset(request)
        is_over = ExpressionWrapper(Q(expires_at__lte=now_in_query()), BooleanField())
        return rows.annotate(is_too_old=is_over)

    @display(description="status", label=COLOURS)  # type: ignore[untyped-decorator]  # of Unfold
    def state(self, correction: Correction) -> str:
        """Say how far it has come, in a word: a waiting one may be too old to be decided."""
        if correction.status == Correction.Status.PENDING:
            return "Too old" if getattr(correction, "is_too_old", False) else "Waiting"
        if correction.status == Correction.Status.POSTED:
            return "Approved" if correction.decided_by_id else "Posted"
        return "Rejected"

    @admin.display(description="credits", ordering="amount")
    def credits(self, correction: Correction) -> str:
        """Write the credits that it is about, aligned with the others."""
        return format_html(
            '<span style="font-variant-numeric: tabular-nums">{}</span>', f"{correction.amount:,}"
        )

    @admin.display(description="asked for", ordering="created_at")
    def age(self, correction: Correction) -> str:
        """Say how long ago it was asked for."""
        return ago(correction.created_at)

    @admin.display(description="ends", ordering="expires_at")
    def time_left(self, correction: Correction) -> str:
        """Say how long it can still be decided, if it waits."""
        is_waiting = correction.status == Correction.Status.PENDING
        return ago(correction.expires_at) if is_waiting else ""

    def menu_badge(self, request: HttpRequest) -> str:
        """Return how many this person could decide, for the menu; many are not counted out."""
        if not may_decide(request):
            return ""
        waiting = Correction.objects.filter(
            status=Correction.Status.PENDING, expires_at__gt=now_in_query()
        ).exclude(requested_by=request.user.pk)
        return badge_of(waiting)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """
        Show what was asked for and what it would do now, and take a decision.

        :raises PermissionDenied: if this person sees nothing of the ledger.
        :raises Http404: if there is none.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        correction = selectors.corrections().get(pk=found.pk)
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        return DecisionDesk(request, correction, frame).answer()
