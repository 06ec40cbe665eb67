"""Forms on which staff say by which terms a programme hands credits on, and why."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.billing.admin.giving import OrganizationField
from apps.partners.models import PartnerTerms
from apps.partners.services.programmes import (
    MOST_CLAIM_DAYS,
    MOST_VALIDITY_DAYS,
    STANDARD,
    Terms,
)

MOST_SEATS = 1_000_000


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Goes into the audit log.",
    )


class AnswerForm(forms.Form):
    """What the applicant is told."""

    answer = forms.CharField(
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="The applicant gets this by mail.",
    )


class GroupForm(forms.Form):
    """How a group of members is called, and where its costs go."""

    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)
    cost_centre = forms.CharField(
        max_length=50,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="As the partner's books call it. May be empty.",
    )


class TermsForm(forms.Form):
    """By which terms credits are handed on."""

    validity_days = forms.IntegerField(
        min_value=1,
        max_value=MOST_VALIDITY_DAYS,
        initial=STANDARD.validity_days,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="For which credits last once they are claimed.",
    )
    claim_days = forms.IntegerField(
        min_value=1,
        max_value=MOST_CLAIM_DAYS,
        initial=STANDARD.claim_days,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="In which an offer can be claimed.",
    )
    unused = forms.ChoiceField(
        choices=PartnerTerms.Unused.choices,
        initial=STANDARD.unused,
        widget=UnfoldAdminSelectWidget,
        help_text="What becomes of credits that a member does not use.",
    )
    privacy = forms.ChoiceField(
        choices=PartnerTerms.Privacy.choices,
        initial=STANDARD.privacy,
        widget=UnfoldAdminSelectWidget,
        help_text="What the partner sees of what members spend.",
    )
    seat_limit = forms.IntegerField(
        min_value=0,
        max_value=MOST_SEATS,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Members at most; empty for no limit.",
    )

    def terms(self) -> Terms:
        """Return the terms that were filled in."""
        chosen: dict[str, Any] = self.cleaned_data
        return Terms(
            validity_days=chosen["validity_days"],
            claim_days=chosen["claim_days"],
            unused=PartnerTerms.Unused(chosen["unused"]),
            privacy=PartnerTerms.Privacy(chosen["privacy"]),
            seat_limit=chosen["seat_limit"],
        )


class ChangeTermsForm(TermsForm, ReasonForm):
    """Other terms from now on."""

    field_order = ["validity_days", "claim_days", "unused", "privacy", "seat_limit", "reason"]


class NewPartnerForm(ChangeTermsForm):
    """A programme without an application."""

    organization = OrganizationField()
    name = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget, help_text="As members will see it."
    )
    field_order = ["organization", "name", *ChangeTermsForm.field_order]


class ApproveForm(TermsForm):
    """The terms that a new programme begins with."""

    answer = forms.CharField(
        max_length=2000,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="The applicant gets this by mail. May be empty.",
    )
    field_order = ["validity_days", "claim_days", "unused", "privacy", "seat_limit", "answer"]


def as_initial(terms: PartnerTerms) -> dict[str, Any]:
    """Return what the form of other terms begins with: those in force."""
    names = ("validity_days", "claim_days", "unused", "privacy", "seat_limit")
    return {name: getattr(terms, name) for name in names}
