"""The page of generation: what the organization's blocks generated, and its credits."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import formats

from apps.capacity.pages.base import CapacityPage
from apps.capacity.selectors import months
from apps.capacity.selectors.months import Sums
from apps.core.charts import Bar, Chart
from apps.core.clock import workers_now
from apps.core.exports import stream_csv

WH = 1000  # in a kWh


class MonthFilter(forms.Form):
    """Of which month; the newest with generation where none is chosen, or a wrong one."""

    def __init__(self, data: Any, *, first_days: Sequence[date]) -> None:
        super().__init__(data)
        named = [(f"{first:%Y-%m}", formats.date_format(first, "F Y")) for first in first_days]
        self.first_days = dict(zip([text for text, _ in named], first_days, strict=True))
        self.fields["month"] = forms.ChoiceField(required=False, choices=named)

    @property
    def chosen(self) -> date:
        """The first day of the month."""
        text = self.cleaned_data["month"] if self.is_valid() else ""
        newest = next(iter(self.first_days.values()), workers_now().date().replace(day=1))
        return self.first_days.get(text, newest)


class Generation(CapacityPage):
    """What was generated, by month, project and block."""

    tab = "generation"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show a year as a chart, and a month by project and block; or its shares as CSV."""
        form = MonthFilter(request.GET, first_days=months.months_of(self.organization))
        month = form.chosen
        shares = months.shares_in(self.organization, month)
        if request.GET.get("format") == "csv":
            return self.file(month)
        here = reverse("capacity:generation", args=[slug])
        found, links = self.listed(shares, here, {"month": f"{month:%Y-%m}"})
        year = months.year_of(self.organization, month.year)
        page = {
            "form": form,
            "month": month,
            "of_month": dict(year)[month],
            "of_year": total_of([sums for _, sums in year]),
            "chart": chart_of(year, lambda first: f"{here}?{urlencode({'month': first})}"),
            "projects": months.projects_in(self.organization, month) if found else [],
            "shares": found,
            "all_url": f"{here}?{urlencode({'format': 'csv', 'month': 'all'})}",
            **links,
            "is_filtered": bool(request.GET.get("month")),
        }
        return self.show("capacity/generation.html", page)

    def file(self, month: date) -> HttpResponseBase:
        """Answer the shares of the month, or of all months, as CSV."""
        is_all = self.request.GET.get("month") == "all"
        of = "all" if is_all else f"{month:%Y-%m}"
        shares = months.shares_in(self.organization, None if is_all else month)
        return stream_csv(
            filename=f"{self.organization.slug}-generation-{of}.csv",
            columns=months.SHARE_COLUMNS,
            rows=months.share_rows(shares),
        )


def total_of(sums: Sequence[Sums]) -> Sums:
    """Return what they make together."""
    return Sums(
        energy_wh=sum(one.energy_wh for one in sums),
        credits=sum(one.credits for one in sums),
        waiting=sum(one.waiting for one in sums),
    )


def chart_of(year: Sequence[tuple[date, Sums]], url_of: Callable[[str], str]) -> Chart:
    """Return the months of a year as bars, in whole kWh; the tables have them to the Wh."""
    return Chart(
        title=f"Generated in {year[0][0].year}, in whole kWh",
        heading="Month",
        series=("Generated",),
        unit="kWh",
        bars=tuple(
            Bar(
                label=formats.date_format(first, "M"),
                full_label=formats.date_format(first, "F Y"),
                values=((sums.energy_wh + WH // 2) // WH,),
                url=url_of(f"{first:%Y-%m}") if sums.energy_wh or sums.credits else "",
            )
            for first, sums in year
        ),
        nothing=f"Nothing was generated in {year[0][0].year}.",
        is_large=True,
    )
