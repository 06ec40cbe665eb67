"""Forms of the credits pages."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.credits.models import CreditTransaction


class TransactionFilter(forms.Form):
    """Which transactions to show; lives in the query string, so that it can be shared."""

    type = forms.ChoiceField(
        required=False, choices=[("", "All types"), *CreditTransaction.Type.choices]
    )
    from_date = forms.DateField(
        required=False, label="From", widget=forms.DateInput({"type": "date"})
    )
    to_date = forms.DateField(
        required=False, label="Until", widget=forms.DateInput({"type": "date"})
    )
    q = forms.CharField(
        required=False,
        label="Text",
        max_length=100,
        widget=forms.TextInput({"placeholder": "Description or source"}),
    )

    @property
    def is_filtered(self) -> bool:
        """Whether at least one filter is set."""
        return self.is_valid() and any(self.cleaned_data.values())

    def apply(self, rows: QuerySet[CreditTransaction]) -> QuerySet[CreditTransaction]:
        """Return those of the rows that fit; wrong values filter nothing and show their error."""
        if not self.is_valid():
            return rows
        chosen: dict[str, Any] = self.cleaned_data
        if chosen["type"]:
            rows = rows.filter(transaction_type=chosen["type"])
        if chosen["from_date"]:
            rows = rows.filter(created_at__gte=_midnight(chosen["from_date"]))
        if chosen["to_date"]:
            rows = rows.filter(created_at__lt=_midnight(chosen["to_date"] + timedelta(days=1)))
        if chosen["q"]:
            text = chosen["q"].strip()
            rows = rows.filter(Q(description__icontains=text) | Q(source_id=text))
        return rows


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
