"""Forms of buying, and the filter of payments."""

from typing import Any

from django import forms

from apps.billing.models import Payment
from apps.billing.selectors.offers import CustomTerms
from apps.billing.selectors.payments import PaymentFilters
from apps.core import ids
from apps.core.days import end_of, midnight

KEY = r"^[\x21-\x7e]{1,64}$"
WAITING = "waiting"  # a choice of several states: what is not over yet
STATUSES = [
    ("", "All"),
    (Payment.Status.SUCCEEDED.value, "Paid"),
    (WAITING, "Not paid yet"),
    (Payment.Status.FAILED.value, "Failed"),
    (Payment.Status.CANCELLED.value, "Cancelled"),
]
PURPOSES = {
    "pack": "Pack of credits",
    "custom": "Credits",
    "reload": "Automatic reload",
    "pass": "Pass",
    "invoice": "Subscription",
    "capacity": "Capacity",
}
DAY_INPUT = {"type": "date"}


class PackForm(forms.Form):
    """Buy a pack at the terms that are shown, once for each key."""

    version = forms.CharField(max_length=40)
    amount = forms.IntegerField(min_value=0)
    idempotency_key = forms.RegexField(KEY)


class PassForm(PackForm):
    """Buy a pass at the terms that are shown, once for each key."""

    plan = forms.SlugField(max_length=50)


class CustomForm(forms.Form):
    """Buy as many credits as one likes, once for each key."""

    credits = forms.IntegerField(label="Credits")
    amount = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)
    idempotency_key = forms.RegexField(KEY, widget=forms.HiddenInput)

    def __init__(self, *args: Any, terms: CustomTerms, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credits"] = forms.IntegerField(
            min_value=terms.minimum,
            max_value=terms.maximum,
            label="Credits",
            help_text=f"From {terms.minimum:,} to {terms.maximum:,} at once.",
        )
        self.order_fields(["credits"])


def new_key() -> str:
    """Return a key for a form that is shown: a second click on it has the same."""
    return str(ids.new_id())


class PaymentFilter(forms.Form):
    """Which payments to show."""

    status = forms.ChoiceField(required=False, choices=STATUSES)
    purpose = forms.ChoiceField(
        required=False, label="For", choices=[("", "Everything"), *PURPOSES.items()]
    )
    from_date = forms.DateField(required=False, label="From", widget=forms.DateInput(DAY_INPUT))
    to_date = forms.DateField(required=False, label="Until", widget=forms.DateInput(DAY_INPUT))

    def filters(self) -> PaymentFilters:
        """Return what is asked for; what is not understood is not asked for."""
        self.is_valid()
        asked = self.cleaned_data
        status = asked.get("status")
        last = asked.get("to_date")
        first = asked.get("from_date")
        return PaymentFilters(
            statuses=Payment.IN_FLIGHT if status == WAITING else [status] if status else (),
            purpose=asked.get("purpose") or None,
            created_from=midnight(first) if first else None,
            created_before=end_of(last) if last else None,
        )
