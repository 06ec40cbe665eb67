"""The customer's pages of budgets: what may be used in a month, and how much of it is."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats

from apps.core import paging
from apps.core.charts import Bar, Chart
from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.core.pages import add_refusal
from apps.credits import selectors
from apps.credits.models import Budget, BudgetMonth, Wallet
from apps.credits.pages.budget_forms import BudgetFilter, NewBudgetForm, TermsForm
from apps.credits.pages.views import CreditsPage
from apps.credits.selectors import budgets as reading
from apps.credits.services import budget_alerts, budgets
from apps.rbac.selectors import members_of
from apps.tenants.models import User

PAGE_SIZE = 25
MOST_ALERTS = 25  # shown on a budget's page; the API lists all of them
MANAGE = "budgets.manage"


class BudgetsPage(CreditsPage):
    """A page of budgets: of all for those who may see everything, else of one's own."""

    permission_to_change = MANAGE

    def owner(self) -> User | None:
        """Return None for those who may see everybody's budgets, else who is looking."""
        return None if self.sees_all() else self.user

    def may_change(self) -> bool:
        """Tell whether the viewer may make and change budgets."""
        return self.user.has_perm(MANAGE, self.organization)

    def wallet(self) -> Wallet:
        """Return the organization's main wallet."""
        return selectors.main_wallet(self.organization)

    def find(self, budget_id: str) -> Budget:
        """
        Return the budget.

        :raises NotFound: if the organization, or who may see his own part only, has none such.
        """
        return reading.budget_of(self.wallet(), budget_id, member=self.owner())


class Budgets(BudgetsPage):
    """Every budget with its bar, and the form for another."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of budgets, newest first, or all of them as CSV."""
        return self.show(request, self.form())

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Make a budget, or show why it cannot be."""
        form = self.form(request.POST)
        if form is None or not form.is_valid():
            return self.show(request, form)
        try:
            made = budgets.create_budget(wallet=self.wallet(), **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(request, form)
        messages.success(request, "The budget counts from now on, with this month's use in it.")
        return redirect("credits:budget", slug=slug, budget_id=made.public_id)

    def form(self, data: Any = None) -> NewBudgetForm | None:
        """Return the form; None for those who may not make one."""
        if not self.may_change():
            return None
        return NewBudgetForm(data, members=members_of(self.organization))

    def show(self, request: HttpRequest, form: NewBudgetForm | None) -> HttpResponseBase:
        """Show the list and the form."""
        slug, wallet = self.organization.slug, self.wallet()
        filter_form = BudgetFilter(request.GET)
        found = reading.budgets_of(wallet, member=self.owner(), is_active=filter_form.is_active)
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-budgets.csv",
                columns=reading.BUDGET_COLUMNS,
                rows=reading.budget_rows(found),
            )
        after = request.GET.get("after", "")
        shown, beginning = self.page_of(found, after)
        here = reverse("credits:budgets", args=[slug])
        status = request.GET.get("status", "")
        chosen = {"status": status} if status in ("off", "all") else {}
        context = {
            "budgets": [line_of(one) for one in shown],
            "form": form,
            "is_own": self.owner() is not None,
            "credit_line": wallet.credit_line,
            "filter_form": filter_form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{urlencode({**chosen, 'after': beginning})}"
            if beginning
            else None,
            "first_url": f"{here}?{urlencode(chosen)}" if after else None,
        }
        return render(request, "credits/budgets.html", context)

    def page_of(self, found: Any, after: str) -> tuple[list[Budget], str]:
        """Return one page of budgets, and the id after which the next one begins."""
        last_id = Budget.read_id(after)
        mine = Budget.objects.filter(organization=self.organization)
        last = mine.filter(pk=last_id).first() if last_id else None
        shown, end = paging.page_of(paging.after(found, last), size=PAGE_SIZE)
        return shown, end.public_id if end else ""


class BudgetPage(BudgetsPage):
    """One budget: its month, its history, who was told, and its terms."""

    def get(self, request: HttpRequest, slug: str, budget_id: str) -> HttpResponseBase:
        """Show the budget, or its months as CSV."""
        budget = self.find(budget_id)
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-{budget.public_id}.csv",
                columns=reading.MONTH_COLUMNS,
                rows=reading.month_rows(budget),
            )
        return self.show(request, budget, self.form(budget))

    def post(self, request: HttpRequest, slug: str, budget_id: str) -> HttpResponse:
        """Change the terms, or show why they cannot be."""
        budget = self.find(budget_id)
        form = TermsForm(request.POST)
        if not form.is_valid():
            return self.show(request, budget, form)
        try:
            budgets.change_budget(budget=budget, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(request, budget, form)
        messages.success(request, "The budget is changed.")
        return redirect("credits:budget", slug=slug, budget_id=budget_id)

    def form(self, budget: Budget) -> TermsForm | None:
        """Return the form with the terms as they are; None for those who may not change them."""
        if not self.may_change():
            return None
        thresholds = ", ".join(map(str, budget.thresholds))
        terms = {"monthly_limit": budget.monthly_limit, "action": budget.action}
        return TermsForm(initial={**terms, "thresholds": thresholds})

    def show(self, request: HttpRequest, budget: Budget, form: TermsForm | None) -> HttpResponse:
        """Show the page."""
        months = list(reading.months_of(budget)[: reading.MONTHS])
        context = {
            "budget": line_of(budget),
            "resets_at": reading.resets_at(budget),
            "time_zone": budget.time_zone,
            "chart": chart_of_months(months[::-1]),
            "months": [
                {"month": one.month, "use": reading.Use(one.used, one.monthly_limit)}
                for one in months
            ],
            "alerts": list(reading.alerts_of(budget)[:MOST_ALERTS]),
            "form": form,
            "export_url": "?format=csv",
        }
        return render(request, "credits/budget.html", context)


class SwitchBudget(BudgetsPage):
    """The switch of a budget."""

    permission = MANAGE
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, budget_id: str) -> HttpResponse:
        """Switch it on or off."""
        is_active = request.POST.get("on") == "1"
        try:
            budgets.change_budget(budget=self.find(budget_id), is_active=is_active)
        except DomainError as error:
            if error.status != 409:
                raise
            messages.error(request, str(error))
        else:
            said = "The budget counts again." if is_active else "The budget is off: no limit."
            messages.success(request, said)
        return redirect("credits:budget", slug=slug, budget_id=budget_id)


class TestAlert(BudgetsPage):
    """A mail that tries who would get an alert."""

    permission = MANAGE
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, budget_id: str) -> HttpResponse:
        """Send the test, and say where it goes."""
        try:
            budget_alerts.send_test_alert(budget=self.find(budget_id))
        except DomainError as error:
            if error.status != 409:
                raise
            messages.error(request, str(error))
        else:
            messages.success(request, "A test mail is on its way to those who manage billing.")
        return redirect("credits:budget", slug=slug, budget_id=budget_id)


def line_of(budget: Budget) -> dict[str, Any]:
    """Return one budget as the templates want it."""
    use = reading.use_of(budget)
    reached = [one for one in budget.thresholds if use.used and use.percent >= one]
    return {
        "id": budget.public_id,
        "member": budget.member.get_full_name() if budget.member else "",
        "use": use,
        "stops": budget.action == Budget.Action.STOP,
        "thresholds": budget.thresholds,
        "reached": max(reached, default=None),
        "is_full": use.used >= use.limit,
        "is_active": budget.is_active,
        "created_at": budget.created_at,
    }


def chart_of_months(months: list[BudgetMonth]) -> Chart:
    """Return the use of each month as one bar."""
    return Chart(
        title="Credits used a month",
        heading="Month",
        series=("Credits",),
        bars=tuple(
            Bar(
                label=formats.date_format(one.month, "M Y"),
                full_label=formats.date_format(one.month, "F Y"),
                values=(one.used,),
            )
            for one in months
        ),
        nothing="Nothing was used in these months.",
    )
