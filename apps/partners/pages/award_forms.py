"""Forms of the pages of awards."""

from datetime import datetime
from typing import Any

from django import forms

from apps.core import ids
from apps.core.days import end_of, midnight
from apps.partners.models import Campaign, Partner, PartnerCredit, PartnerMember
from apps.partners.selectors import AwardFilter
from apps.partners.selectors.campaigns import campaigns_of, open_campaigns
from apps.partners.services.award_checks import LARGEST_AWARD, LONGEST_NOTE
from apps.partners.services.programmes import MOST_VALIDITY_DAYS

DAY_INPUT = {"type": "date"}


class AwardFilterForm(forms.Form):
    """Which awards to show."""

    q = forms.CharField(
        required=False,
        label="Member or note",
        max_length=100,
        widget=forms.TextInput({"type": "search"}),
    )
    status = forms.ChoiceField(required=False, choices=[("", "All"), *PartnerCredit.Status.choices])
    source = forms.ChoiceField(required=False, choices=[("", "All"), *PartnerCredit.Source.choices])
    campaign = forms.ModelChoiceField(Campaign.objects.none(), required=False, empty_label="All")
    from_date = forms.DateField(required=False, label="From", widget=forms.DateInput(DAY_INPUT))
    to_date = forms.DateField(required=False, label="Until", widget=forms.DateInput(DAY_INPUT))
    member = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, partner: Partner) -> None:
        super().__init__(data)
        field: Any = self.fields["campaign"]
        field.queryset = campaigns_of(partner).order_by("name", "id")

    @property
    def chosen(self) -> AwardFilter:
        """What to ask the selector for; what is wrong filters nothing."""
        asked = self.cleaned_data if self.is_valid() else {}
        since, until = asked.get("from_date"), asked.get("to_date")
        campaign = asked.get("campaign")
        return AwardFilter(
            text=asked.get("q", ""),
            status=asked.get("status", ""),
            source=asked.get("source", ""),
            campaign=campaign.pk if campaign else None,
            member=PartnerMember.read_id(asked.get("member", "")),
            since=midnight(since) if since else None,
            until=end_of(until) if until else None,
        )


class AwardForm(forms.Form):
    """Credits for a member; the key lets a form that is sent twice award once."""

    member = forms.CharField(
        max_length=254, label="Member", help_text="Address or id of a member of the programme."
    )
    credits = forms.IntegerField(min_value=1, max_value=LARGEST_AWARD)
    validity_days = forms.IntegerField(
        min_value=1,
        max_value=MOST_VALIDITY_DAYS,
        required=False,
        label="Days to use them",
        help_text="From the claim on. Empty: as the terms say.",
    )
    campaign = forms.ModelChoiceField(Campaign.objects.none(), required=False, empty_label="None")
    note = forms.CharField(max_length=LONGEST_NOTE, required=False, help_text="The member sees it.")
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = ids.new_id
        field: Any = self.fields["campaign"]
        field.queryset = open_campaigns(partner)


class ExtendForm(forms.Form):
    """The last day on which an award can be used, or claimed."""

    until = forms.DateField(label="Last day", widget=forms.DateInput(DAY_INPUT))

    def clean_until(self) -> datetime:
        """Return the moment at which that day is over."""
        return end_of(self.cleaned_data["until"])
