"""The page of automatic reload: what is set, how it stands and why, and what it would do."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.billing.models import AutoReload
from apps.billing.pages.base import BillingPage
from apps.billing.pages.forms import new_key
from apps.billing.pages.payments import payment_line
from apps.billing.pages.reload_forms import ReloadForm, shown_in_form
from apps.billing.selectors.offers import CustomTerms
from apps.billing.selectors.reload_simulation import largest_spend, simulate
from apps.billing.selectors.reloads import (
    Facts,
    Why,
    attempts_of,
    card_name,
    card_of,
    next_month_begins,
    reload_of,
    reload_terms,
    sentence,
    size_of,
    why_not,
)
from apps.billing.services import reload_outcomes, reload_settings
from apps.core.errors import DomainError
from apps.core.money import format_money
from apps.core.pages import add_refusal

ATTEMPTS_SHOWN = 10
CHARGES_SHOWN = 10


class AutoReloadPage(BillingPage):
    """Everything about automatic reload."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show it."""
        return self.draw()

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Set it."""
        terms = reload_terms()
        if terms is None:
            return self.draw(status=409)
        form = ReloadForm(request.POST, terms=terms)
        if not form.is_valid():
            return self.draw(form, status=422)
        try:
            with transaction.atomic():
                reload = reload_settings.set_reload(
                    organization=self.organization,
                    user=self.user,
                    wanted=form.wanted(),
                    has_agreed=form.cleaned_data["has_agreed"],
                )
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(form, status=error.status)
        said = "Automatic reload is on." if reload.is_enabled else "Automatic reload is off."
        messages.success(request, said)
        return redirect("billing:auto_reload", slug)

    def draw(self, form: ReloadForm | None = None, status: int = 200) -> HttpResponse:
        """Draw the page."""
        terms, reload = reload_terms(), reload_of(self.organization)
        customer = card_of(self.organization)
        if form is None and terms is not None:
            form = ReloadForm(initial=shown_in_form(reload, terms), terms=terms)
        attempts = attempts_of(self.organization).select_related(
            "product_version__product", "plan_version__plan", "user"
        )
        page = {
            "form": form,
            "reload": reload,
            "standing": self.standing(reload),
            "card": card_name(customer) if customer else "",
            "preview": self.preview(reload, terms),
            "attempts": [payment_line(one) for one in attempts[:ATTEMPTS_SHOWN]],
            "largest_spend": largest_spend(self.organization),
            "simulation": simulated(reload, terms) if reload and terms else None,
        }
        return self.show("billing/auto_reload.html", page, status)

    def preview(self, reload: AutoReload | None, terms: CustomTerms | None) -> dict[str, Any]:
        """Return the sentence and the warning for what is set."""
        if terms is None:
            return {}
        return preview_of(reload or AutoReload(**shown_in_form(None, terms)), self, terms)

    def standing(self, reload: AutoReload | None) -> dict[str, Any] | None:
        """Return the state with its reason, and what mends it."""
        if reload is None:
            return None
        why = why_not(reload, Facts(self.organization))
        return {
            "why": why,
            "reason": reload.reason,
            "back_off_until": reload.back_off_until,
            "last_attempt_at": reload.last_attempt_at,
            "next_month": next_month_begins(self.organization) if why == Why.CAP_REACHED else None,
            "may_resume": reload.state != AutoReload.State.READY or why == Why.COOLING_DOWN,
            "pay": self.payment_to_confirm(reload),
        }

    def payment_to_confirm(self, reload: AutoReload) -> dict[str, Any] | None:
        """Return what the bank wants to see the customer for: he buys it on Stripe's page."""
        terms = reload_terms()
        if reload.state != AutoReload.State.PAUSED or reload.news is None or terms is None:
            return None
        amount = terms.amount_of(reload.news.credits)
        return {
            "credits": reload.news.credits,
            "amount": amount,
            "price": format_money(amount, terms.currency),
            "key": new_key(),
        }


class Sentence(BillingPage):
    """What the form says, in one sentence, while it is filled in."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the sentence, or nothing while the form cannot be understood."""
        terms = reload_terms()
        page: dict[str, Any] = {"preview": {}}
        if terms is not None:
            form = ReloadForm(request.GET, terms=terms)
            if form.is_valid():
                wanted = form.wanted()
                reload = AutoReload(
                    mode=wanted.mode,
                    threshold=wanted.threshold,
                    amount=wanted.amount,
                    monthly_cap=wanted.monthly_cap,
                    currency=terms.currency,
                )
                page["preview"] = preview_of(reload, self, terms)
        return render(request, "billing/_reload_sentence.html", page)


class Resume(BillingPage):
    """Go on after declines."""

    permission = "billing.manage"

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Forget what went wrong; safe to repeat."""
        with transaction.atomic():
            reload_outcomes.resume(organization=self.organization)
        messages.success(request, "Automatic reload goes on.")
        return redirect(reverse("billing:auto_reload", args=[slug]))


def preview_of(reload: AutoReload, page: BillingPage, terms: CustomTerms) -> dict[str, Any]:
    """Return the sentence for these settings, and what they would charge right now."""
    reload.currency = reload.currency or terms.currency
    facts = Facts(page.organization)
    here = facts.available + facts.pending
    at_once = format_money(terms.amount_of(size_of(reload, here, terms)), terms.currency)
    return {
        "sentence": sentence(reload, card_of(page.organization), terms),
        "available": facts.available,
        "at_once": at_once if here < reload.threshold else "",
    }


def simulated(reload: AutoReload, terms: CustomTerms) -> dict[str, Any]:
    """Return what would have happened in the last 30 days, as the page shows it."""
    found = simulate(reload.organization, reload, terms)
    return {
        "count": len(found.charges),
        "total": format_money(found.amount, found.currency),
        "credits": found.credits,
        "lowest": found.lowest,
        "refused_by_cap": found.refused_by_cap,
        "is_cut": found.is_cut,
        "charges": [
            {
                "at": one.at,
                "balance": one.balance,
                "credits": one.credits,
                "price": format_money(one.amount, found.currency),
            }
            for one in found.charges[-CHARGES_SHOWN:]
        ],
    }
