"""Staff pages of closed months: read, export, and close the next one."""

from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from unfold.decorators import action

from apps.core.admin import ReadOnlyAdmin
from apps.core.clock import database_now
from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.credits.models import ClosedPeriod, CreditTransaction
from apps.credits.selectors import closing
from apps.credits.services.closing import close_month

LIST = "admin:credits_closedperiod_changelist"
TYPES = [kind.value for kind in CreditTransaction.Type]
COLUMNS = [
    "month",
    "organization",
    "slug",
    "wallet",
    "opening",
    "credits_in",
    "credits_out",
    "closing",
    *TYPES,
    "sequence",
    "head_hash",
]


@admin.register(ClosedPeriod)
class ClosedPeriodAdmin(ReadOnlyAdmin[ClosedPeriod]):
    """Months into which nothing is written any more, and what they held."""

    list_display = [
        "month_name",
        "wallets",
        "opening",
        "credits_in",
        "credits_out",
        "closing",
        "deferred_revenue",
        "breakage",
        "closed_by",
        "created_at",
    ]
    fields = [
        "public_id",
        *list_display[:-2],
        "by_type",
        "starts_at",
        "ends_at",
        "closed_by",
        "created_at",
    ]
    readonly_fields = fields
    list_select_related = ["totals"]
    ordering = ["-month"]
    actions_list = ["close_next"]
    actions_detail = ["export"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClosedPeriod]:
        """Fetch the totals with the months."""
        months: QuerySet[ClosedPeriod] = super().get_queryset(request)
        return months.select_related("totals")

    @admin.display(description="month", ordering="month")
    def month_name(self, period: ClosedPeriod) -> str:
        """Write year and month."""
        return f"{period.month:%Y-%m}"

    @admin.display(description="wallets")
    def wallets(self, period: ClosedPeriod) -> str:
        """Count its lines."""
        return _total(period, "wallets")

    @admin.display(description="opening")
    def opening(self, period: ClosedPeriod) -> str:
        """Credits that all wallets held when it began."""
        return _total(period, "opening")

    @admin.display(description="in")
    def credits_in(self, period: ClosedPeriod) -> str:
        """Credits that came in."""
        return _total(period, "credits_in")

    @admin.display(description="out")
    def credits_out(self, period: ClosedPeriod) -> str:
        """Credits that went out."""
        return _total(period, "credits_out")

    @admin.display(description="closing")
    def closing(self, period: ClosedPeriod) -> str:
        """Credits that all wallets held when it ended."""
        return _total(period, "closing")

    @admin.display(description="deferred revenue, minor units")
    def deferred_revenue(self, period: ClosedPeriod) -> str:
        """Write the money behind what was outstanding when it ended, exact."""
        return _amounts(period, "deferred_revenue")

    @admin.display(description="breakage, credits")
    def breakage(self, period: ClosedPeriod) -> str:
        """Write what expired unspent in it, with the money behind it."""
        value = _amounts(period, "breakage_value")
        credits = _total(period, "breakage_credits")
        return f"{credits} ({value})" if value != "-" else credits

    @admin.display(description="by type")
    def by_type(self, period: ClosedPeriod) -> str:
        """Write what moved in each way."""
        return _amounts(period, "totals")

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Ask for the right to add a month, which nobody can do by a form."""
        return request.user.has_perm("credits.add_closedperiod")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Close the next month",
        url_path="close",
        icon="lock",
        permissions=["close"],
    )
    def close_next(self, request: HttpRequest) -> HttpResponse:
        """Ask, and close the month that is due."""
        due = closing.next_period_to_close()
        if request.method != "POST":
            is_over = due is not None and due.ends_at + closing.GRACE <= database_now()
            page = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": "Close the next month",
                "period": due,
                "is_over": is_over,
            }
            return render(request, "admin/credits/close_month.html", page)
        try:
            # The month that was shown: another one may be due by now.
            closed = close_month(month=date.fromisoformat(request.POST["month"]))
            messages.success(request, f"{closed} is closed.")
        except (KeyError, ValueError):
            messages.error(request, "Choose the month to close.")
        except DomainError as refusal:
            messages.error(request, str(refusal))
        return redirect(LIST)

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Wallets as CSV",
        url_path="wallets-csv",
        icon="download",
        permissions=["view"],
    )
    def export(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """
        Stream the month's line of each wallet.

        :raises Http404: if there is no such month.
        """
        period = self.get_object(request, object_id)
        if period is None:
            raise Http404
        rows = (
            [
                str(period),
                line.organization.name,
                line.organization.slug,
                line.wallet.public_id,
                line.opening,
                line.credits_in,
                line.credits_out,
                line.closing,
                *(line.totals.get(kind, 0) for kind in TYPES),
                line.sequence,
                bytes(line.head_hash).hex(),
            ]
            for line in closing.wallets_of(period).iterator(chunk_size=2000)
        )
        return stream_csv(filename=f"closed-{period}.csv", columns=COLUMNS, rows=rows)


def _total(period: ClosedPeriod, name: str) -> str:
    value: Any = getattr(getattr(period, "totals", None), name, None)
    return "-" if value is None else f"{value:,}"


def _amounts(period: ClosedPeriod, name: str) -> str:
    values: dict[str, Any] = getattr(getattr(period, "totals", None), name, None) or {}
    return ", ".join(f"{key} {value}" for key, value in sorted(values.items())) or "-"
