"""Forms of the pages of budgets."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from apps.credits.models import Budget
from apps.credits.models.budgets import THRESHOLDS
from apps.credits.services.budgets import LARGEST_LIMIT
from apps.tenants.models import User

MOST_MEMBERS = 500  # offered for a choice; budgets of others are made through the API
ACTIONS = [
    (Budget.Action.STOP, "Stop: refuse charges and holds that would go beyond it"),
    (Budget.Action.NOTIFY, "Only tell: nothing is stopped"),
]


class TermsForm(forms.Form):
    """What a budget says."""

    monthly_limit = forms.IntegerField(
        min_value=0, max_value=LARGEST_LIMIT, label="Credits a month", initial=None
    )
    action = forms.ChoiceField(
        choices=ACTIONS,
        label="At the limit",
        initial=Budget.Action.STOP,
        widget=forms.RadioSelect,
    )
    thresholds = forms.CharField(
        max_length=60,
        required=False,
        label="Mail at",
        initial=", ".join(map(str, THRESHOLDS)),
        help_text="Percent of the limit, with commas between. Empty for no mail.",
    )

    def clean_thresholds(self) -> list[int]:
        """Return the percentages as numbers."""
        parts = self.cleaned_data["thresholds"].replace("%", " ").replace(",", " ").split()
        if not all(part.isdecimal() and 0 < int(part[:4]) <= 100 for part in parts):
            message = "Write whole percentages from 1 to 100, like 50, 80, 100."
            raise forms.ValidationError(message, "not_a_percentage")
        return [int(part) for part in parts]


class NewBudgetForm(TermsForm):
    """What to limit, for whom."""

    member = forms.ChoiceField(
        required=False,
        label="For",
        help_text="Use by a member's own API keys counts as his.",
    )
    field_order = ["member"]

    def __init__(self, *args: Any, members: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.members = {member.public_id: member for member in members[:MOST_MEMBERS]}
        people = ((name, one.get_full_name()) for name, one in self.members.items())
        field = self.fields["member"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Everybody together"), *people]

    def clean_member(self) -> User | None:
        """Return the person, or None for everybody."""
        return self.members.get(self.cleaned_data["member"])


class BudgetFilter(forms.Form):
    """Which budgets to show; lives in the query string."""

    status = forms.ChoiceField(
        required=False, choices=[("", "Active"), ("off", "Switched off"), ("all", "All")]
    )

    @property
    def is_active(self) -> bool | None:
        """Whether to show active ones or those that are off; None for all of them."""
        chosen = self.cleaned_data.get("status", "") if self.is_valid() else ""
        return {"": True, "off": False, "all": None}[chosen]
