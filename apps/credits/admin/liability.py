"""The staff's report of what is owed: outstanding credits, deferred revenue and breakage."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminDateWidget

from apps.core.admin import ReadOnlyAdmin
from apps.core.clock import database_now
from apps.core.exports import stream_csv
from apps.core.periods import utc_midnight
from apps.core.templatetags.coffer import money
from apps.credits.models import LiabilityReport
from apps.credits.selectors.liability import COLUMNS, Liability, Money, liability, report_lines

MONTHS_OF_BREAKAGE = 24


class MomentForm(forms.Form):
    """At which moment; lives in the query string, so that it can be shared."""

    as_of = forms.DateField(
        required=False,
        label="At the end of this day, UTC (empty: now)",
        widget=UnfoldAdminDateWidget,
    )

    def moment(self) -> datetime | None:
        """Return the first instant after the day, or None for now."""
        day = self.cleaned_data.get("as_of") if self.is_valid() else None
        if day is None:
            return None
        return utc_midnight(day + timedelta(days=1))


@admin.register(LiabilityReport)
class LiabilityReportAdmin(ReadOnlyAdmin[LiabilityReport]):
    """One page, made anew at each look."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """
        Show the report, or answer it as CSV.

        :raises PermissionDenied: if the person may not see it.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = MomentForm(request.GET)
        as_of = form.moment()
        now = database_now()
        report = liability(as_of=as_of, breakage_since=first_month(as_of or now))
        if request.GET.get("format") == "csv":
            stamp = f"{as_of or now:%Y-%m-%dT%H%MZ}"
            return stream_csv(
                filename=f"liability-{stamp}.csv", columns=COLUMNS, rows=report_lines(report)
            )
        query = {"format": "csv", **({"as_of": request.GET["as_of"]} if as_of else {})}
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Liability",
            "form": form,
            "report": report,
            "moment": as_of or now,
            "csv_url": f"?{urlencode(query)}",
            **tables(report),
        }
        return TemplateResponse(request, "admin/credits/liability.html", page)


def first_month(moment: datetime) -> datetime:
    """Return when the first of the months begins whose breakage is shown."""
    months = moment.year * 12 + moment.month - MONTHS_OF_BREAKAGE
    return utc_midnight(moment.date().replace(year=months // 12, month=months % 12 + 1, day=1))


def tables(report: Liability) -> dict[str, dict[str, Any]]:
    """Return the report as the tables that Unfold draws."""
    return {
        "by_month": {
            "headers": ["Expires in", "Credits"],
            "rows": [
                [f"{month:%Y-%m}" if month else "Never", f"{credits:,}"]
                for month, credits in report.by_month.items()
            ]
            + ([["Owed by customers", f"{-report.debt:,}"]] if report.debt else []),
        },
        "by_kind": {
            "headers": ["Kind", "Credits"],
            "rows": [[kind, f"{credits:,}"] for kind, credits in report.by_kind.items()],
        },
        "revenue": {
            "headers": ["Currency", "Deferred revenue", "Exact, minor units"],
            "rows": [
                [one.currency.upper(), money(one.minor, one.currency), f"{one.exact:f}"]
                for one in report.deferred_revenue
            ],
        },
        "held_revenue": {
            "headers": ["Currency", "Held revenue", "Exact, minor units"],
            "rows": [
                [one.currency.upper(), money(one.minor, one.currency), f"{one.exact:f}"]
                for one in report.held_revenue
            ],
        },
        "breakage": {
            "headers": ["Written off in", "Credits", "Value"],
            "rows": [
                [f"{one.month:%Y-%m}", f"{one.credits:,}", values(one.value)]
                for one in reversed(report.breakage)
            ],
        },
    }


def values(amounts: tuple[Money, ...]) -> str:
    """Write amounts of several currencies."""
    return ", ".join(money(one.minor, one.currency) for one in amounts) or "-"
