"""The form of automatic reload."""

from decimal import Decimal
from typing import Any

from django import forms

from apps.billing.models import AutoReload
from apps.billing.selectors.offers import LARGEST, CustomTerms
from apps.billing.services.reload_settings import LEAST_AMOUNT, Wanted
from apps.core.money import EXPONENTS

MODES = [
    (AutoReload.Mode.FIXED, "Buy this many credits each time"),
    (AutoReload.Mode.UP_TO, "Fill up to this many credits"),
]


class ReloadForm(forms.Form):
    """When to charge, how much, and the yes to it."""

    is_enabled = forms.BooleanField(required=False, label="Reload automatically")
    threshold = forms.IntegerField(
        min_value=1, max_value=LARGEST, label="When the balance falls below", help_text="Credits."
    )
    mode = forms.ChoiceField(choices=MODES, label="Then", widget=forms.RadioSelect)
    amount = forms.IntegerField(label="Credits")
    monthly_cap = forms.DecimalField(required=False, min_value=Decimal(0), label="Limit a month")
    has_agreed = forms.BooleanField(required=False, label="I agree to these charges")

    def __init__(self, *args: Any, terms: CustomTerms, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        least = max(LEAST_AMOUNT, terms.minimum)
        self.places = EXPONENTS.get(terms.currency.upper(), 2)
        self.fields["amount"] = forms.IntegerField(
            min_value=least,
            max_value=terms.maximum,
            label="Credits",
            help_text=f"From {least:,} to {terms.maximum:,}.",
        )
        self.fields["monthly_cap"] = forms.DecimalField(
            required=False,
            min_value=Decimal(0),
            max_digits=12,
            decimal_places=self.places,
            label=f"Limit a month ({terms.currency.upper()})",
            help_text="Empty for no limit.",
        )
        self.order_fields(["is_enabled", "threshold", "mode", "amount", "monthly_cap"])

    def wanted(self) -> Wanted:
        """Return what was asked for; only of a form that is valid."""
        data = self.cleaned_data
        cap = data.get("monthly_cap")
        return Wanted(
            is_enabled=data["is_enabled"],
            threshold=data["threshold"],
            amount=data["amount"],
            mode=data["mode"],
            monthly_cap=None if cap is None else int(cap.scaleb(self.places)),
        )


def shown_in_form(reload: AutoReload | None, terms: CustomTerms) -> dict[str, Any]:
    """Return what the form shows at first: what is set, or a proposal that is off."""
    if reload is None:
        amount = max(1000, terms.minimum)
        return {"threshold": 200, "mode": AutoReload.Mode.FIXED, "amount": amount}
    names = ("is_enabled", "threshold", "mode", "amount")
    cap = reload.monthly_cap
    places = EXPONENTS.get(terms.currency.upper(), 2)
    return {
        **{name: getattr(reload, name) for name in names},
        "monthly_cap": None if cap is None else Decimal(cap).scaleb(-places),
    }
