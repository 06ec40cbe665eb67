"""The customer's pages of the ledger."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core import context, paging
from apps.core.clock import database_now
from apps.core.exports import stream_csv
from apps.credits import selectors
from apps.credits.models import CreditTransaction, Wallet
from apps.credits.pages import lines
from apps.credits.pages.charts import chart_of_days
from apps.credits.pages.forms import TransactionFilter
from apps.credits.selectors.former import has_former_movements
from apps.rbac.models import ApiKey
from apps.rbac.pages.base import TenantPage

PAGE_SIZE = 25
USAGE_DAYS = 30


class CreditsPage(TenantPage):
    """A page of the ledger: whole for those who may see all of it, else one's own part."""

    permission = "credits.view_own"

    def sees_all(self) -> bool:
        """Tell whether the viewer may see everybody's transactions."""
        return self.user.has_perm("credits.view", self.organization)

    def wallet(self) -> Wallet:
        """
        Return the wallet that is shown: the main one, or the viewer's own.

        :raises NoWalletOfOwn: if he spends only what a partner gives him, and has nothing yet.
        """
        return selectors.visible_wallet(self.organization, self.user)

    def visible_actor(self, wallet: Wallet) -> str | None:
        """Return None for those who may see all of this wallet, else who is looking."""
        if self.sees_all() or wallet.holder_id == self.user.pk:
            return None
        return context.current().actor


class Overview(CreditsPage):
    """What the organization has, what it used, and what to do next."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the balance, the lots in burn order, a month of usage and the last movements."""
        wallet = self.wallet()
        actor = self.visible_actor(wallet)
        # One day more than the chart shows, for the forecast, which leaves today out.
        days = selectors.usage_by_day(wallet, days=USAGE_DAYS + 1, actor=actor)
        usage = days[1:]
        now = database_now()
        lots = selectors.lots_with_credits(wallet, now=now)
        burning = [one for one in lots if one.place]
        page = {
            "summary": lines.summary(
                selectors.balance_from(lots, held=wallet.held),
                sum(one.lot.granted for one in burning),
                selectors.most_used_event(wallet),
                credit_line=wallet.credit_line,
            ),
            "lots": [lines.standing_line(one) for one in burning],
            "usage": usage,
            "chart": chart_of_days(usage, self.url_of_day),
            # What everybody used is not told to who may see his own part of it only.
            "forecast": selectors.forecast_of(wallet, now=now, lots=lots, usage=days)
            if actor is None
            else None,
            "used": sum(day.credits for day in usage),
            "operations": [
                lines.Line(operation, self.organization)
                for operation in selectors.recent_operations(wallet, limit=5, actor=actor)
            ],
            "can_submit": request.user.has_perm("jobs.submit", self.organization),
            "todo": self.first_steps(has_used=any(day.credits for day in usage)),
        }
        return render(request, "credits/overview.html", page)

    def url_of_day(self, day: date) -> str:
        """Return where the use of a day is explained."""
        here = reverse("credits:explain", args=[self.organization.slug])
        return f"{here}?{urlencode({'of': 'usage', 'date': day.isoformat()})}"

    def first_steps(self, *, has_used: bool) -> list[dict[str, Any]]:
        """Return what a new organization still has to do; nothing, once it is all done."""
        has_key = ApiKey.objects.filter(organization=self.organization).exists()
        slug = self.organization.slug
        steps = [
            {
                "label": "Run your first job",
                "description": "Upload a picture and spend some of your trial credits.",
                "url": reverse("jobs:submit", args=[slug]),
                "is_done": has_used,
            },
            {
                "label": "Make an API key",
                "description": "Let your own software submit jobs and read the balance.",
                "url": reverse("rbac:keys", args=[slug]),
                "is_done": has_key,
            },
        ]
        return [] if all(step["is_done"] for step in steps) else steps


class Transactions(CreditsPage):
    """Every credit in and out, newest first."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of operations, or all of them as CSV."""
        wallet = self.wallet()
        actor = self.visible_actor(wallet)
        form = self.filter_form(request)
        filters = form.filters()
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-transactions.csv",
                columns=selectors.TRANSACTION_COLUMNS,
                rows=selectors.transaction_rows(
                    selectors.matching_operations(
                        selectors.transactions_of(wallet, actor=actor), filters
                    )
                ),
            )
        heads = selectors.heads_of_operations(wallet, actor=actor)
        heads = selectors.matching_operations(heads, filters).order_by("-sequence")
        before = request.GET.get("before", "")
        if before.isdecimal():
            heads = heads.filter(sequence__lt=int(before[:18]))
        page, end = paging.page_of(heads, size=PAGE_SIZE)
        here = reverse("credits:transactions", args=[slug])
        chosen = {k: v for k, v in request.GET.items() if k in form.fields and v}
        list_page = {
            "operations": [
                lines.Line(operation, self.organization) for operation in selectors.operations(page)
            ],
            "filter_form": form,
            "is_filtered": form.is_filtered,
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{urlencode({**chosen, 'before': end.sequence})}" if end else None,
            "first_url": f"{here}?{urlencode(chosen)}" if before else None,
            "has_former": self.sees_all() and has_former_movements(self.organization),
        }
        return render(request, "credits/transactions.html", list_page)

    def filter_form(self, request: HttpRequest) -> TransactionFilter:
        """Return the filters; who sees only his own part is offered nobody else."""
        actors = selectors.possible_actors(self.organization) if self.sees_all() else None
        return TransactionFilter(request.GET, actors=actors)


class Transaction(CreditsPage):
    """One operation's full story."""

    def get(self, request: HttpRequest, slug: str, transaction_id: str) -> HttpResponse:
        """Show the operation to which this transaction belongs."""
        wallet = self.wallet()
        entry_id = CreditTransaction.read_id(transaction_id)
        operation = selectors.operation_of(wallet, entry_id, actor=self.visible_actor(wallet))
        actor = operation.last.actor
        names = selectors.names_of_actors(self.organization, [actor])
        story = lines.full_story(lines.Line(operation, self.organization), by=names[actor])
        return render(request, "credits/transaction.html", {"operation": story})
