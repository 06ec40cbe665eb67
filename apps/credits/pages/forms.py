"""Forms of the credits pages. They live in the query string, so that a view can be shared."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet

from apps.core.days import end_of, is_sensible, midnight
from apps.credits.models import CreditTransaction, Hold, Lot
from apps.credits.selectors import Period, TransactionFilters
from apps.credits.selectors.filters import GIVEN_BACK, USED
from apps.credits.selectors.periods import NAMED

USAGE = "usage"  # a choice of several types: what makes up a bar of the usage page
CUSTOM = "custom"
PRESETS = [
    ("30d", "Last 30 days"),
    ("7d", "Last 7 days"),
    ("90d", "Last 90 days"),
    ("this_month", "This month"),
    ("last_month", "Last month"),
    (CUSTOM, "Own dates"),
]
GROUPS = {
    "event": "Event",
    "category": "Category",
    "actor": "Member or key",
    "source": "Source",
}
LONGEST_DAYS = 92  # of a chart that is drawn by day
DAY_INPUT = {"type": "date"}


class TransactionFilter(forms.Form):
    """Which transactions to show."""

    type = forms.ChoiceField(
        required=False,
        choices=[
            ("", "All types"),
            (USAGE, "Usage"),
            *CreditTransaction.Type.choices,
        ],
    )
    from_date = forms.DateField(required=False, label="From", widget=forms.DateInput(DAY_INPUT))
    to_date = forms.DateField(required=False, label="Until", widget=forms.DateInput(DAY_INPUT))
    event = forms.CharField(required=False, max_length=100)
    source = forms.CharField(required=False, max_length=50)
    actor = forms.ChoiceField(required=False, label="Member or key")
    amount_min = forms.IntegerField(required=False, label="Credits from")
    amount_max = forms.IntegerField(required=False, label="Credits to")
    lot = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    q = forms.CharField(
        required=False,
        label="Text",
        max_length=100,
        widget=forms.TextInput({"placeholder": "Text or reference"}),
    )

    def __init__(self, data: Any, *, actors: list[tuple[str, str]] | None) -> None:
        super().__init__(data)
        if actors is None:
            del self.fields["actor"]
        else:
            # Who left, and system tasks, are found by a link and are no choice here.
            asked = str(data.get("actor", ""))
            if asked and asked not in dict(actors):
                actors = [*actors, (asked, asked)]
            self.fields["actor"] = forms.ChoiceField(
                required=False, label="Member or key", choices=[("", "Everyone"), *actors]
            )
            self.order_fields(["type", "from_date", "to_date", "event", "source", "actor"])

    @property
    def is_filtered(self) -> bool:
        """Whether at least one filter is set."""
        return self.is_valid() and any(
            value not in (None, "") for value in self.cleaned_data.values()
        )

    def clean(self) -> dict[str, Any]:
        """Read the lot's id. The field is not shown, so its error stands above the others."""
        chosen = super().clean() or {}
        text = chosen.get("lot")
        chosen["lot"] = Lot.read_id(text) if text else None
        if text and chosen["lot"] is None:
            self.add_error(None, "This is no id of a lot.")
        return chosen

    def filters(self) -> TransactionFilters:
        """Return what is asked for; where something is wrong nothing is, and the form says so."""
        if not self.is_valid():
            return TransactionFilters()
        chosen = self.cleaned_data
        types = [*USED, *GIVEN_BACK] if chosen["type"] == USAGE else [chosen["type"]]
        last = chosen["to_date"]
        return TransactionFilters(
            types=[one for one in types if one],
            event=chosen["event"].strip() or None,
            source=chosen["source"].strip() or None,
            actor=chosen.get("actor") or None,
            lot_id=chosen["lot"],
            created_from=midnight(chosen["from_date"]) if chosen["from_date"] else None,
            created_before=end_of(last) if last else None,
            amount_min=chosen["amount_min"],
            amount_max=chosen["amount_max"],
            text=chosen["q"],
        )


class UsageFilter(forms.Form):
    """Which usage to show."""

    period = forms.ChoiceField(
        required=False,
        choices=PRESETS,
    )
    from_date = forms.DateField(required=False, label="From", widget=forms.DateInput(DAY_INPUT))
    to_date = forms.DateField(required=False, label="Until", widget=forms.DateInput(DAY_INPUT))
    group_by = forms.ChoiceField(
        required=False,
        label="Split by",
        choices=list(GROUPS.items()),
    )

    def clean(self) -> dict[str, Any]:
        """Check own dates. Who gives some means them, whatever period is chosen above."""
        chosen = super().clean() or {}
        has_dates = bool(chosen.get("from_date") or chosen.get("to_date"))
        if (chosen.get("period") == CUSTOM or has_dates) and not self.errors:
            chosen["period"] = CUSTOM
            self._check(chosen["from_date"], chosen["to_date"])
        return chosen

    def _check(self, first: date | None, last: date | None) -> None:
        for name, value in (("from_date", first), ("to_date", last)):
            if value is None:
                self.add_error(name, "Give this day as well.")
            elif not is_sensible(value):
                self.add_error(name, "No credits are kept of such a year.")
        if self.errors or first is None or last is None:
            return
        if last < first:
            self.add_error("to_date", "This is before the first day.")
        elif (last - first).days >= LONGEST_DAYS:
            self.add_error("to_date", f"At most {LONGEST_DAYS} days are shown at once.")

    @property
    def group(self) -> str:
        """By what usage is split."""
        return (self.is_valid() and self.cleaned_data["group_by"]) or "event"

    @property
    def group_label(self) -> str:
        """What the groups are called."""
        return GROUPS[self.group]

    @property
    def chosen(self) -> Period:
        """The days to show: the last 30 where none or wrong ones are given."""
        key = (self.is_valid() and self.cleaned_data["period"]) or "30d"
        if key == CUSTOM:
            return Period(self.cleaned_data["from_date"], self.cleaned_data["to_date"])
        return NAMED[key]()


class MomentForm(forms.Form):
    """At which moment to look."""

    as_of = forms.DateTimeField(
        required=False,
        label="Date and time",
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


class ExplainForm(MomentForm):
    """Which number is asked about."""

    of = forms.ChoiceField(
        required=False,
        choices=[("balance", "Balance"), ("usage", "Usage"), ("transaction", "Transaction")],
    )
    date = forms.DateField(required=False)
    transaction = forms.CharField(required=False, max_length=40)


class HoldFilter(forms.Form):
    """Which holds to show."""

    status = forms.ChoiceField(
        required=False, choices=[("", "Open, then ended"), *Hold.Status.choices]
    )

    def apply(self, holds: QuerySet[Hold]) -> QuerySet[Hold]:
        """Return those of the holds that fit; a wrong value filters nothing."""
        status = self.cleaned_data["status"] if self.is_valid() else ""
        return holds.filter(status=status) if status else holds
