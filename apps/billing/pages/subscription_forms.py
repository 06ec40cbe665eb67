"""Forms of the pages of the subscription."""

from datetime import datetime
from typing import Any

from django import forms

from apps.billing.models import SubscriptionChange
from apps.billing.selectors.subscriptions import LARGEST_QUANTITY

Kind = SubscriptionChange.Kind


class PlanForm(forms.Form):
    """Which plan, for how many units."""

    plan = forms.SlugField(max_length=50)
    quantity = forms.IntegerField(
        min_value=1, max_value=LARGEST_QUANTITY, required=False, initial=1
    )

    def clean_quantity(self) -> int:
        """Return 1 where no number is given."""
        quantity: int | None = self.cleaned_data["quantity"]
        return quantity or 1


class AgreeForm(PlanForm):
    """What was shown, and is agreed to."""

    moment = forms.CharField(max_length=40, required=False)

    def clean_moment(self) -> datetime | None:
        """Return the moment of the preview; it was written by us, so nothing else is read."""
        text = self.cleaned_data["moment"]
        try:
            moment = datetime.fromisoformat(text) if text else None
        except ValueError as error:
            raise forms.ValidationError("Look at the preview again.") from error
        if moment is not None and moment.tzinfo is None:
            raise forms.ValidationError("Look at the preview again.")
        return moment


class CancelForm(forms.Form):
    """Why the subscription ends."""

    reason = forms.CharField(
        max_length=1000,
        required=False,
        label="Why do you leave?",
        widget=forms.Textarea({"rows": 3}),
        help_text="If you want to tell us.",
    )


class AskForm(forms.Form):
    """What to ask of the subscription, with one press of a button."""

    kind = forms.ChoiceField(
        choices=[(kind, kind.label) for kind in (Kind.UNDO, Kind.PAUSE, Kind.RESUME)]
    )

    def asked(self) -> SubscriptionChange.Kind:
        """Return what is asked for."""
        kind: Any = self.cleaned_data["kind"]
        return Kind(kind)
