"""The customer's pages of the subscription: how it stands, and each change with a preview."""

from typing import Any

import structlog
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from apps.billing.errors import (
    BillingNotConfigured,
    NotSubscribed,
    PlanNotOffered,
    QuantityNotOffered,
    StripeUnavailable,
)
from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionChange
from apps.billing.pages.base import ASKS_EVERY, BillingPage, next_look
from apps.billing.pages.subscription_forms import AgreeForm, AskForm, CancelForm, PlanForm
from apps.billing.pages.subscription_lines import facts_of, notice_of
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.handling import NotKnownYet
from apps.billing.services.subscriptions import changing, following, previewing, subscribing
from apps.billing.services.subscriptions.upcoming import next_invoice
from apps.core import context, readonly
from apps.core.errors import DomainError
from apps.core.pages import number_of_look

logger = structlog.get_logger(__name__)
MOST_CHANGES = 10  # shown on the page
Kind = SubscriptionChange.Kind
Status = OrganizationSubscription.Status
SAID = {
    Kind.UNDO: "Nothing is scheduled any more: the plan goes on.",
    Kind.PAUSE: "The plan is paused: nothing is charged and nothing given until you resume it.",
    Kind.RESUME: "The plan goes on: the next period is charged again.",
}


class PlanPage(BillingPage):
    """A page of the subscription."""

    def present(self) -> OrganizationSubscription:
        """
        Return the subscription that is not over.

        :raises NotSubscribed: if there is none.
        """
        found = reading.present_of(self.organization)
        if found is None:
            raise NotSubscribed
        return found

    def choice(self, form: PlanForm) -> tuple[PlanVersion, int]:
        """
        Return the version of a plan, and the quantity, that a form names.

        :raises PlanNotOffered: if there is no such plan: our own buttons name those that are.
        :raises QuantityNotOffered: if it is no quantity that any plan is sold for.
        """
        is_valid = form.is_valid()
        if "quantity" in form.errors:
            allowed = f"between 1 and {reading.LARGEST_QUANTITY:,} units"
            raise QuantityNotOffered(field="quantity", allowed=allowed)
        found = reading.plan_for(self.organization, form.cleaned_data["plan"]) if is_valid else None
        if found is None:
            raise PlanNotOffered
        return found, form.cleaned_data["quantity"]

    def carry_out(self, change: SubscriptionChange, said: str) -> HttpResponse:
        """Have a change carried out, and say what it did or why it was not done."""
        try:
            changing.carry_out(change)
        except DomainError as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, said)
        return self.back()

    def back(self) -> HttpResponse:
        """Lead to the page of the subscription."""
        return redirect("billing:subscription", slug=self.organization.slug)


def upcoming_of(present: OrganizationSubscription | None) -> dict[str, Any]:
    """Return the next invoice, if one comes; or why nobody knows, so that the page stays of use."""
    try:
        return {"invoice": next_invoice(present) if present else None}
    except (BillingNotConfigured, StripeUnavailable) as error:
        return {"refusal": str(error)}


def ask_how_it_stands(waiting: OrganizationSubscription) -> None:
    """Write down what Stripe says of what was just paid; if it does not answer, its news will."""
    if readonly.is_on():
        return
    try:
        with context.acting(actor="system:stripe"):  # as if its news had come
            following.look(waiting)
    except (DomainError, NotKnownYet) as error:
        logger.warning("subscription_not_asked", subscription=waiting.public_id, why=str(error))


class SubscriptionPage(PlanPage):
    """How the subscription stands."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show state, period, the next invoice, the period's credits, and what can be done."""
        present, waiting = reading.standing_of(self.organization)
        has_paid = request.GET.get("paid") == "1"
        if waiting is not None and has_paid and number_of_look(request) % ASKS_EVERY == 0:
            ask_how_it_stands(waiting)
            present, waiting = reading.standing_of(self.organization)
        is_awaited = waiting is not None and has_paid
        page: dict[str, Any] = {
            "subscription": present,
            "upcoming": upcoming_of(present),
            "facts": facts_of(present) if present else None,
            "notice": notice_of(waiting or present, is_awaited=is_awaited) if present else None,
            "waiting": waiting,
            "is_awaited": is_awaited,
            "look_url": next_look(request) if is_awaited else "",
            "changes": list(reading.changes_of(present)[:MOST_CHANGES]) if present else [],
        }
        return self.show("billing/subscription.html", page)


class Subscribe(PlanPage):
    """The beginning of a subscription."""

    permission = "billing.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Write it down, and lead to Stripe's page; twice pressed, it is the same one."""
        version, quantity = self.choice(PlanForm(request.POST))
        try:
            subscribing.check_choice(version, quantity)
            subscribing.make_way(organization=self.organization, version=version, quantity=quantity)
            row = subscribing.begin(
                organization=self.organization, version=version, quantity=quantity
            )
            row = subscribing.open_checkout(row)
        except DomainError as error:
            messages.error(request, str(error))
            return self.back()
        return redirect(row.pay_url) if row.pay_url else self.back()


class ChangePlan(PlanPage):
    """A change of plan: first what it would do, then the change."""

    permission = "billing.manage"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show what is charged, which credits move, the next renewal, and the seats."""
        version, quantity = self.choice(PlanForm(request.GET))
        present = self.present()
        try:
            shown = previewing.preview_plan(
                subscription=present, version=version, quantity=quantity
            )
        except DomainError as error:
            messages.error(request, str(error))
            return self.back()
        page = {
            "subscription": present,
            "shown": shown,
            "moment": shown.moment.isoformat() if shown.moment else "",
        }
        return render(request, "billing/change_plan.html", page)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Change the plan as it was shown."""
        form = AgreeForm(request.POST)
        version, quantity = self.choice(form)
        try:
            change = changing.request_plan(
                organization=self.organization,
                version=version,
                quantity=quantity,
                moment=form.cleaned_data["moment"],
                user=self.user,
            )
        except DomainError as error:
            messages.error(request, str(error))
            return self.back()
        when = "now" if change.kind == Kind.NOW else "from the next period on"
        return self.carry_out(change, f"Your plan is {version.plan.name} {when}.")


class Cancel(PlanPage):
    """The end of the subscription: first what it means, then the end."""

    permission = "billing.manage"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show when it ends and what becomes of the credits."""
        present = self.present()
        page = {"subscription": present, "facts": facts_of(present), "form": CancelForm()}
        return render(request, "billing/cancel_plan.html", page)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Let it end with its period."""
        form = CancelForm(request.POST)
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        try:
            change = changing.request(
                organization=self.organization, kind=Kind.CANCEL, reason=reason, user=self.user
            )
        except DomainError as error:
            messages.error(request, str(error))
            return self.back()
        said = "The plan ends with its period. You can undo this until then."
        return self.carry_out(change, said)


class Ask(PlanPage):
    """What takes one press of a button: undo, pause, resume."""

    permission = "billing.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Ask for it, and say what it did."""
        form = AskForm(request.POST)
        if not form.is_valid():
            raise Http404
        kind = form.asked()
        try:
            change = changing.request(organization=self.organization, kind=kind, user=self.user)
        except DomainError as error:
            messages.error(request, str(error))
            return self.back()
        return self.carry_out(change, SAID[kind])
