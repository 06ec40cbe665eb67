"""Forms of requests for credits, of rules and of campaigns."""

from collections.abc import Sequence
from typing import Any

from django import forms

from apps.partners.models import Campaign, CreditRequest
from apps.partners.services.campaigns import LARGEST_BUDGET
from apps.partners.services.requests import MOST_CREDITS

MOST_CAMPAIGNS = 200  # offered for a choice; the API takes every one
MOMENT = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class AskForm(forms.Form):
    """How many credits a member asks for, and why."""

    credits = forms.IntegerField(min_value=1, max_value=MOST_CREDITS, label="Credits")
    reason = forms.CharField(
        max_length=500, required=False, label="What for", widget=forms.Textarea({"rows": 3})
    )


class ApproveForm(forms.Form):
    """How many credits a member gets."""

    credits = forms.IntegerField(min_value=1, max_value=MOST_CREDITS, label="Credits")
    answer = forms.CharField(
        max_length=500, required=False, label="Answer", widget=forms.Textarea({"rows": 2})
    )


class DeclineForm(forms.Form):
    """Why a member gets none."""

    answer = forms.CharField(max_length=500, label="Answer", widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # It stands beside the other answer: each label must name a field of its own form.
        super().__init__(*args, **{"auto_id": "decline_%s", **kwargs})


class RequestFilter(forms.Form):
    """Which requests to show; lives in the query string."""

    status = forms.ChoiceField(
        required=False, choices=[("", "Waiting"), ("all", "All"), *CreditRequest.Status.choices[1:]]
    )

    @property
    def chosen(self) -> str:
        """The status to show; empty for every one."""
        status: str = self.cleaned_data.get("status", "") if self.is_valid() else ""
        return "" if status == "all" else status or CreditRequest.Status.PENDING


class RuleForm(forms.Form):
    """What those who join by a rule get."""

    credits = forms.IntegerField(
        min_value=1, max_value=MOST_CREDITS, label="Credits", help_text="For each person, once."
    )
    campaign = forms.ChoiceField(
        required=False, label="Campaign", help_text="Its budget and dates limit the rule."
    )

    def __init__(self, *args: Any, campaigns: Sequence[Campaign], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.campaigns = {one.public_id: one for one in campaigns[:MOST_CAMPAIGNS]}
        field = self.fields["campaign"]
        assert isinstance(field, forms.ChoiceField)
        names = ((public_id, one.name) for public_id, one in self.campaigns.items())
        field.choices = [("", "None"), *names]

    def clean_campaign(self) -> Campaign | None:
        """Return the campaign, or None."""
        return self.campaigns.get(self.cleaned_data["campaign"])


class NewRuleForm(RuleForm):
    """For whom a rule is, and what they get."""

    domain = forms.CharField(
        max_length=253,
        label="Domain",
        help_text="Like example.com: addresses at this domain, and at none below it.",
    )
    field_order = ["domain"]


class CampaignForm(forms.Form):
    """What a campaign says. Its times are in the zone of whoever writes them."""

    name = forms.CharField(max_length=100, label="Name")
    budget = forms.IntegerField(
        min_value=1,
        max_value=LARGEST_BUDGET,
        label="Budget in credits",
        help_text="The most that is awarded in it. Nothing leaves the pool before that.",
    )
    begins_at = forms.DateTimeField(label="Begins", widget=MOMENT)
    ends_at = forms.DateTimeField(
        required=False, label="Ends", widget=MOMENT, help_text="Empty: when you end it."
    )
