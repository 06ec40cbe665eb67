"""The customer's pages of the ledger."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core import context
from apps.core.exports import stream_csv
from apps.credits import selectors
from apps.credits.models import CreditTransaction
from apps.credits.pages import lines
from apps.credits.pages.forms import TransactionFilter
from apps.rbac.models import ApiKey
from apps.rbac.pages.base import TenantPage

PAGE_SIZE = 25
USAGE_DAYS = 30
CSV_COLUMNS = [
    "id",
    "sequence",
    "created_at",
    "type",
    "amount",
    "balance_after",
    "description",
    "source",
    "source_id",
    "reference",
    "lot",
    "actor",
]


class CreditsPage(TenantPage):
    """A page of the ledger: whole for those who may see all of it, else one's own part."""

    permission = "credits.view_own"

    def visible_actor(self) -> str | None:
        """Return None for those who may see everybody's transactions, else who is looking."""
        if self.request.user.has_perm("credits.view", self.organization):
            return None
        return context.current().actor


class Overview(CreditsPage):
    """What the organization has, what it used, and what to do next."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the balance, the lots in burn order, a month of usage and the last movements."""
        wallet = selectors.main_wallet(self.organization)
        actor = self.visible_actor()
        usage = selectors.usage_by_day(wallet, days=USAGE_DAYS, actor=actor)
        balance = selectors.balance_of(wallet)
        page = {
            "summary": lines.summary(
                balance,
                selectors.credits_in_live_lots(wallet),
                selectors.most_used_event(wallet),
            ),
            "lots": [lines.lot_line(lot) for lot in selectors.lots_in_burn_order(wallet)],
            "usage": usage,
            "used": sum(day.credits for day in usage),
            "operations": [
                lines.Line(operation, self.organization)
                for operation in selectors.recent_operations(wallet, limit=5, actor=actor)
            ],
            "can_submit": request.user.has_perm("jobs.submit", self.organization),
            "todo": self.first_steps(has_used=any(day.credits for day in usage)),
        }
        return render(request, "credits/overview.html", page)

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
        wallet = selectors.main_wallet(self.organization)
        form = TransactionFilter(request.GET)
        actor = self.visible_actor()
        if request.GET.get("format") == "csv":
            entries = form.apply(selectors.transactions_of(wallet, actor=actor))
            return export(entries, filename=f"{slug}-transactions.csv")
        heads = form.apply(selectors.heads_of_operations(wallet, actor=actor))
        heads = heads.order_by("-sequence")
        before = request.GET.get("before", "")
        if before.isdecimal():
            heads = heads.filter(sequence__lt=int(before[:18]))
        found = list(heads[: PAGE_SIZE + 1])
        page = found[:PAGE_SIZE]
        here = reverse("credits:transactions", args=[slug])
        filters = {k: v for k, v in request.GET.items() if k in form.fields and v}
        list_page = {
            "operations": [
                lines.Line(operation, self.organization) for operation in selectors.operations(page)
            ],
            "filter_form": form,
            "is_filtered": form.is_filtered,
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**filters, 'format': 'csv'})}",
            "next_url": f"{here}?{urlencode({**filters, 'before': page[-1].sequence})}"
            if len(found) > PAGE_SIZE
            else None,
            "first_url": f"{here}?{urlencode(filters)}" if before else None,
        }
        return render(request, "credits/transactions.html", list_page)


class Transaction(CreditsPage):
    """One operation's full story."""

    def get(self, request: HttpRequest, slug: str, transaction_id: str) -> HttpResponse:
        """Show the operation to which this transaction belongs."""
        wallet = selectors.main_wallet(self.organization)
        entry_id = CreditTransaction.read_id(transaction_id)
        operation = selectors.operation_of(wallet, entry_id, actor=self.visible_actor())
        story = lines.full_story(lines.Line(operation, self.organization))
        return render(request, "credits/transaction.html", {"operation": story})


def export(entries: QuerySet[CreditTransaction], *, filename: str) -> StreamingHttpResponse:
    """Stream every movement that fits the filters, newest first."""
    rows = (
        (
            entry.public_id,
            entry.sequence,
            entry.created_at.isoformat(),
            entry.transaction_type,
            entry.amount,
            entry.balance_after,
            entry.description,
            entry.source,
            entry.source_id,
            entry.reference,
            entry.lot.public_id,
            entry.actor,
        )
        for entry in entries.select_related("lot").order_by("-sequence").iterator(chunk_size=2000)
    )
    return stream_csv(filename=filename, columns=CSV_COLUMNS, rows=rows)
