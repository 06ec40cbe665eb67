"""Forms of the programme's numbers. They live in the query string, so that a view can be shared."""

from datetime import date
from typing import Any

from django import forms

from apps.partners.pages.forms import MemberFilter
from apps.partners.selectors.member_numbers import SORTS
from apps.partners.selectors.usage import LENGTHS

SORT_LABELS = {
    "newest": "Newest first",
    "awarded": "Most awarded",
    "used": "Most used",
    "left": "Most left",
    "last_used": "Last used",
}
UNIT_LABELS = {"day": "Days", "week": "Weeks", "month": "Months"}


class NumbersFilter(MemberFilter):
    """Which members to show, in which order; and by what usage is drawn."""

    unit = forms.ChoiceField(
        required=False, label="Usage by", choices=[(unit, UNIT_LABELS[unit]) for unit in LENGTHS]
    )
    sort = forms.ChoiceField(
        required=False, label="Order", choices=[(sort, SORT_LABELS[sort]) for sort in SORTS]
    )
    field_order = ["unit", "q", "status", "group", "sort"]

    @property
    def chosen_unit(self) -> str:
        """By what usage is drawn: days where nothing is chosen, or something wrong."""
        return (self.is_valid() and self.cleaned_data["unit"]) or "day"

    @property
    def chosen_sort(self) -> str:
        """In which order members are shown: newest first where nothing is chosen."""
        return (self.is_valid() and self.cleaned_data["sort"]) or "newest"


class MonthForm(forms.Form):
    """Of which month."""

    month = forms.ChoiceField(required=False)

    def __init__(self, data: Any, *, months: list[date]) -> None:
        super().__init__(data)
        self.months = {f"{first:%Y-%m}": first for first in months}
        named = [(text, f"{first:%B %Y}") for text, first in self.months.items()]
        self.fields["month"] = forms.ChoiceField(required=False, choices=named)

    @property
    def chosen(self) -> date:
        """The first day of the month: the present one where none is given, or a wrong one."""
        text = self.cleaned_data.get("month") if self.is_valid() else ""
        return self.months.get(text or "", next(iter(self.months.values())))
