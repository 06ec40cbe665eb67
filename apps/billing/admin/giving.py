"""What staff give with a reason: days of a plan, and longer trials."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.billing.admin.asking import ask
from apps.billing.errors import StripeUnavailable
from apps.billing.models import OrganizationSubscription, PlanVersion
from apps.billing.selectors.catalogue import current_plans
from apps.billing.services.subscriptions import comping
from apps.core import ids, scope
from apps.core.errors import DomainError
from apps.credits.admin.base import staff_of
from apps.tenants.models import Organization

LIST = "admin:billing_organizationsubscription_changelist"
CHANGE = "admin:billing_organizationsubscription_change"


class GiftForm(forms.Form):
    """How many days, and why; once for each id."""

    gift_id = forms.UUIDField(widget=forms.HiddenInput)
    days = forms.IntegerField(
        min_value=1, max_value=comping.LONGEST_GIFT, widget=UnfoldAdminIntegerFieldWidget
    )
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Goes into the audit log.",
    )


class OrganizationField(forms.CharField):
    """An organization, by what staff have at hand."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, help_text="Its address, or org_…", **options)

    def clean(self, value: Any) -> Any:
        """
        Return the organization that is meant.

        :raises ValidationError: if there is none.
        """
        text = super().clean(value)
        organization_id = Organization.read_id(text)
        named = {"pk": organization_id} if organization_id else {"slug": text}
        found = Organization.objects.filter(**named).first()
        if found is None:
            raise forms.ValidationError("No organization has this address or id.")
        return found


class PlanGiftForm(GiftForm):
    """Which plan, and for whom, besides."""

    organization = OrganizationField()
    plan = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    field_order = ["organization", "plan", "days", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.versions = {one.plan.code: one for one in current_plans() if one.price}
        plan: Any = self.fields["plan"]
        plan.choices = [(code, one.plan.name) for code, one in self.versions.items()]

    def clean_plan(self) -> PlanVersion:
        """Return the version that new subscribers get."""
        return self.versions[self.cleaned_data["plan"]]


class Giving:
    """The two actions of the pages of subscriptions."""

    admin_site: Any
    opts: Any
    get_object: Any

    def has_give_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those give plans who may add subscriptions."""
        return request.user.has_perm("billing.add_organizationsubscription")

    def has_extend_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those make trials longer who may change subscriptions."""
        return request.user.has_perm("billing.change_organizationsubscription")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Give a plan", url_path="give", icon="redeem", permissions=["give"]
    )
    def give(self, request: HttpRequest) -> HttpResponse:
        """
        Give an organization days of a plan (comp).

        :raises PermissionDenied: if he may not.
        """
        if not self.has_give_permission(request):
            raise PermissionDenied
        form = PlanGiftForm(request.POST or None, initial={"gift_id": ids.new_id()})
        frame = {
            "title": "Give a plan",
            "text": "The plan begins at once, with its credits, in place of a free plan or after "
            "what was given or bought of it. It ends by itself, and nothing is charged.",
            "button": "Give the plan",
            "back_url": reverse(LIST),
        }
        if request.method != "POST" or not form.is_valid():
            return ask(self, request, form, frame)
        given = form.cleaned_data
        try:
            with scope.within(given["organization"].pk, given["organization"].clock_at):
                time = comping.give_time(
                    time_id=given["gift_id"],
                    organization=given["organization"],
                    version=given["plan"],
                    days=given["days"],
                    reason=given["reason"],
                    user=staff_of(request),
                )
        except DomainError as refusal:
            return ask(self, request, form, frame, refusal)
        messages.success(request, f"{time} given, with {time.credits:,} credits.")
        assert time.subscription is not None, "what would have to wait is refused"
        return redirect(CHANGE, time.subscription.pk)

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Extend the trial",
        url_path="extend-trial",
        icon="more_time",
        permissions=["extend"],
    )
    def extend_trial(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """
        Let a trial last longer.

        :raises PermissionDenied: if he may not.
        :raises Http404: if there is no such subscription.
        """
        if not self.has_extend_permission(request):
            raise PermissionDenied
        row: OrganizationSubscription | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        form = GiftForm(request.POST or None, initial={"gift_id": ids.new_id()})
        until = f"{row.trial_end:%Y-%m-%d %H:%M} UTC" if row.trial_end else "never: it has none"
        frame = {
            "title": "Extend the trial",
            "text": f"{row.organization}, {row.version.plan.name}. The trial ends now: {until}. "
            "Stripe charges so many days later, and the trial's unused credits live as long.",
            "button": "Extend the trial",
            "back_url": reverse(CHANGE, args=[row.pk]),
        }
        if request.method != "POST" or not form.is_valid():
            return ask(self, request, form, frame)
        given = form.cleaned_data
        try:
            with scope.within(row.organization_id, row.organization.clock_at):
                row = comping.extend_trial(
                    change_id=given["gift_id"],
                    subscription=row,
                    days=given["days"],
                    reason=given["reason"],
                    user=staff_of(request),
                )
        except StripeUnavailable as refusal:
            messages.warning(request, str(refusal))
        except DomainError as refusal:
            return ask(self, request, form, frame, refusal)
        else:
            messages.success(request, "The trial lasts longer now.")
        return redirect(frame["back_url"])
