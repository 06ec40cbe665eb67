"""Staff pages of the runs that compare Stripe, payments and ledger."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.decorators import action, display

from apps.billing.models import ReconciliationRun
from apps.billing.services import reconciliation
from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.core.templatetags.coffer import money
from apps.credits.admin.base import staff_of

COLOURS = {"under_way": "info", "done": "success", "failed": "danger"}
RUNS = "admin:billing_reconciliationrun_changelist"
NOTHING = "—"


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnlyAdmin[ReconciliationRun]):
    """Every comparison: by the clock each night, and whenever staff asked for one."""

    list_display = [
        "public_id",
        "state",
        "created_at",
        "finished_at",
        "compared",
        "opened",
        "closed",
        "stripe_total",
        "payments_total",
        "ledger_total",
        "requested_by",
    ]
    list_filter = ["status"]
    list_select_related = ["requested_by"]
    ordering = ["-id"]
    actions_list = ["run_now"]
    fields = [
        "public_id",
        "status",
        "since",
        "until",
        "started_at",
        "finished_at",
        "compared",
        "opened",
        "closed",
        "stripe_total",
        "payments_total",
        "ledger_total",
        "error",
        "requested_by",
        "created_at",
    ]
    readonly_fields = ["public_id", "stripe_total", "payments_total", "ledger_total", "created_at"]

    @display(description="status", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, run: ReconciliationRun) -> str:
        """Say how far it has come."""
        return run.get_status_display()

    @admin.display(description="Stripe")
    def stripe_total(self, run: ReconciliationRun) -> str:
        """Write what Stripe took and gave back."""
        return _sums(run, "stripe")

    @admin.display(description="Payments")
    def payments_total(self, run: ReconciliationRun) -> str:
        """Write what our payments say, and the credits that they promise."""
        promised = run.totals.get("credits", {}).get("payments", 0)
        return f"{_sums(run, 'payments')} for {promised:,} credits"

    @admin.display(description="Ledger")
    def ledger_total(self, run: ReconciliationRun) -> str:
        """Write the credits that were granted."""
        return f"{run.totals.get('credits', {}).get('ledger', 0):,} credits"

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Ask for the right to add a run, which nobody can do by a form."""
        return request.user.has_perm("billing.add_reconciliationrun")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Run now", url_path="run", icon="play_arrow", permissions=["run"]
    )
    def run_now(self, request: HttpRequest) -> HttpResponse:
        """Ask, and let a worker compare."""
        if request.method != "POST":
            page = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": "Compare Stripe, payments and ledger",
                "days": reconciliation.WINDOW.days,
                "minutes": reconciliation.GRACE.seconds // 60,
                "back_url": reverse(RUNS),
            }
            return render(request, "admin/billing/reconcile.html", page)
        try:
            with transaction.atomic():
                run = reconciliation.request_run(user=staff_of(request))
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{run.public_id} is under way. Load this page again.")
        return redirect(RUNS)


def _sums(run: ReconciliationRun, column: str) -> str:
    """Write a column's money by currency: what was paid, and what of it went back."""
    sums: dict[str, Any] = run.totals.get("money", {})
    parts = []
    for currency, one in sorted(sums.items()):
        text = money(one[column], currency)
        refunded = one[f"{column}_refunded"]
        parts.append(f"{text} (−{money(refunded, currency)})" if refunded else text)
    return ", ".join(parts) or NOTHING
