"""The overview of a programme: its pool, what members used, and what each has."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import formats

from apps.core import paging
from apps.core.charts import Bar, Chart
from apps.core.exports import stream_csv
from apps.partners.models import Partner, PartnerMember
from apps.partners.pages import tables
from apps.partners.pages.base import ProgrammePage
from apps.partners.pages.number_forms import NumbersFilter
from apps.partners.selectors.campaign_numbers import campaigns_standing
from apps.partners.selectors.dashboard import dashboard_of
from apps.partners.selectors.member_numbers import COLUMNS, SORTS, member_numbers, number_rows
from apps.partners.selectors.members import groups_of, members_of
from apps.partners.selectors.usage import LENGTHS, Used, last_day_of, usage_by

PAGE_SIZE = 25
# Those beside that of members, by what the address calls them
TABLES: dict[str | None, tuple[dict[str, str], Callable[[Partner], Iterable[object]]]] = {
    "groups": (tables.GROUP_NUMBERS, lambda partner: dashboard_of(partner).groups),
    "campaigns": (tables.CAMPAIGN_NUMBERS, campaigns_standing),
}


class Overview(ProgrammePage):
    """How the programme stands."""

    tab = "overview"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show pool, usage, groups, campaigns and a page of members; or one table as CSV."""
        if self.wants_file and (name := request.GET.get("table")) in TABLES:
            columns, rows = TABLES[name]
            return self.send(f"programme-{name}", columns, rows(self.partner))
        form = NumbersFilter(request.GET, groups=groups_of(self.partner))
        found = member_numbers(self.partner, members_of(self.partner, **form.chosen))
        if self.wants_file:
            return stream_csv(
                filename=f"{slug}-programme-numbers.csv",
                columns=COLUMNS,
                rows=number_rows(found, self.organization.time_zone),
            )
        by = SORTS[form.chosen_sort]
        last = self.last_of(request.GET.get("after", ""))
        ordered = found.order_by(f"-{by}", "-id")
        shown, end = paging.page_of(paging.after(ordered, last, by=by), size=PAGE_SIZE)
        here = reverse("partners:overview", args=[slug])
        chosen = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
        older = urlencode({**chosen, "after": end.public_id}) if end else ""
        page = {
            "dashboard": dashboard_of(self.partner),
            "campaigns": campaigns_standing(self.partner),
            "chart": chart_of(form.chosen_unit, usage_by(self.partner, form.chosen_unit)),
            "members": shown,
            "filter_form": form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{older}" if end else None,
            "first_url": f"{here}?{urlencode(chosen)}" if last else None,
        }
        return self.show("partners/overview.html", page)

    def last_of(self, public_id: str) -> Any:
        """Return the last member of the page before, with his numbers; None: begin anew."""
        row_id = PartnerMember.read_id(public_id)
        if row_id is None:
            return None
        members = PartnerMember.objects.filter(partner=self.partner, id=row_id)
        return member_numbers(self.partner, members).first()


def chart_of(unit: str, usage: Sequence[Used]) -> Chart:
    """Return what members used as bars."""
    return Chart(
        title=f"Credits that members used a {unit}",
        heading=unit.capitalize(),
        series=("Credits",),
        bars=tuple(
            Bar(
                label=formats.date_format(one.first, "M Y" if unit == "month" else "j M"),
                full_label=_words(unit, one),
                values=(one.credits,),
            )
            for one in usage
        ),
        nothing=f"Members used nothing in these {LENGTHS[unit]} {unit}s.",
    )


def _words(unit: str, one: Used) -> str:
    first = formats.date_format(one.first, "D j M Y")
    if unit == "day":
        return first
    return f"{first} to {formats.date_format(last_day_of(unit, one.first), 'D j M Y')}"
