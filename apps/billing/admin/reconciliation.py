"""Staff pages of differences: what each of three columns says, repair and dismiss."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.billing.admin import links
from apps.billing.models import ReconciliationCase
from apps.billing.services import repairs
from apps.core.admin import badge_of
from apps.core.errors import DomainError
from apps.core.templatetags.coffer import money
from apps.credits.admin.base import LedgerAdmin, link, list_url, staff_of

COLOURS = {"open": "danger", "repaired": "success", "dismissed": "", "gone": "success"}
NOTHING = "—"


class ReasonForm(forms.Form):
    """Why staff end a case."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Goes into the audit log, and stands at the case.",
    )


@admin.register(ReconciliationCase)
class ReconciliationCaseAdmin(LedgerAdmin[ReconciliationCase]):
    """Where Stripe, our payments and the ledger do not say the same."""

    list_display = [
        "public_id",
        "state",
        "kind",
        "organization",
        "stripe_column",
        "payment_column",
        "ledger_column",
        "created_at",
        "closed_at",
    ]
    list_filter = ["status", "kind"]
    list_select_related = ["organization", "closed_by", "payment", "first_run", "last_run"]
    search_fields = ["organization__name"]
    search_help_text = "Organization, rcc_…, org_… or pay_…, or Stripe's pi_… exactly"
    ids_searched = {"rcc": "pk", "org": "organization", "pay": "payment"}
    texts_searched = ["stripe_payment_intent_id"]
    fields = [
        "public_id",
        "status",
        "kind",
        "organization",
        "stripe_column",
        "payment_column",
        "ledger_column",
        "at_stripe",
        "payment_link",
        "entries",
        "first_run",
        "last_run",
        "created_at",
        "closed_at",
        "closed_by",
        "note",
    ]
    readonly_fields = [
        "public_id",
        "stripe_column",
        "payment_column",
        "ledger_column",
        "at_stripe",
        "payment_link",
        "entries",
        "created_at",
    ]
    actions_detail = ["repair", "dismiss"]
    csv_columns = [
        "public_id",
        "organization.slug",
        "kind",
        "status",
        "stripe_payment_intent_id",
        "stripe_amount",
        "stripe_refunded",
        "stripe_currency",
        "payment_amount",
        "payment_refunded",
        "payment_currency",
        "payment_status",
        "payment_credits",
        "ledger_credits",
        "note",
        "created_at",
        "closed_at",
        "closed_by.email",
    ]

    @display(description="status", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, case: ReconciliationCase) -> str:
        """Say what became of it."""
        return case.status

    @admin.display(description="Stripe")
    def stripe_column(self, case: ReconciliationCase) -> str:
        """Write what Stripe took and gave back."""
        if case.stripe_amount is None:
            return "Nothing paid"
        paid = f"{money(case.stripe_amount, case.stripe_currency)} paid"
        refunded = case.stripe_refunded
        return f"{paid}, {money(refunded, case.stripe_currency)} refunded" if refunded else paid

    @admin.display(description="Payments")
    def payment_column(self, case: ReconciliationCase) -> str:
        """Write what our payment says, and the credits that it promises."""
        if case.payment_amount is None:
            return "No payment"
        parts = [f"{money(case.payment_amount, case.payment_currency)} {case.payment_status}"]
        if case.payment_refunded:
            parts.append(f"{money(case.payment_refunded, case.payment_currency)} refunded")
        if case.payment_credits:
            parts.append(f"for {case.payment_credits:,} credits")
        return ", ".join(parts)

    @admin.display(description="Ledger")
    def ledger_column(self, case: ReconciliationCase) -> str:
        """Write what was granted."""
        granted = case.ledger_credits
        return "Nothing granted" if granted is None else f"{granted:,} credits granted"

    @admin.display(description="at Stripe")
    def at_stripe(self, case: ReconciliationCase) -> str:
        """Link to Stripe's own page of the payment."""
        intent = case.stripe_payment_intent_id
        # A case may have no payment to ask for its mode.
        return links.at_stripe("payments", intent, is_live=settings.STRIPE_LIVE_MODE)

    @admin.display(description="payment")
    def payment_link(self, case: ReconciliationCase) -> str:
        """Link to our payment."""
        return NOTHING if case.payment is None else links.payment_link(case.payment)

    @admin.display(description="ledger's entries")
    def entries(self, case: ReconciliationCase) -> str:
        """Link to what was granted for it."""
        cause = f"payment_intent:{case.stripe_payment_intent_id}"
        return link(list_url("credittransaction", q=cause), "Transactions")

    def menu_badge(self, request: HttpRequest) -> str:
        """Count those that a person has to look at."""
        return badge_of(ReconciliationCase.objects.filter(status=ReconciliationCase.Status.OPEN))

    def has_end_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Tell whether he may repair and dismiss cases."""
        return request.user.has_perm("billing.change_reconciliationcase")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Repair", url_path="repair", icon="build", permissions=["end"]
    )
    def repair(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, and grant what was paid and not granted."""
        return self._ended(request, object_id, is_repair=True)

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Dismiss", url_path="dismiss", icon="visibility_off", permissions=["end"]
    )
    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, and leave the case as it is."""
        return self._ended(request, object_id, is_repair=False)

    def _ended(self, request: HttpRequest, object_id: str, *, is_repair: bool) -> HttpResponse:
        if not self.has_end_permission(request):
            raise PermissionDenied
        case = self.get_object(request, object_id)
        if case is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        refusal = status = None
        if request.method == "POST" and form.is_valid():
            end = repairs.repair if is_repair else repairs.dismiss
            try:
                end(case=case, user=staff_of(request), reason=form.cleaned_data["reason"])
            except DomainError as error:
                refusal, status = str(error), error.status
            else:
                messages.success(
                    request, f"The case is {'repaired' if is_repair else 'dismissed'}."
                )
                return redirect("admin:billing_reconciliationcase_change", case.pk)
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Repair a difference" if is_repair else "Leave a difference as it is",
            "case": case,
            "columns": [
                ("Stripe", self.stripe_column(case)),
                ("Payments", self.payment_column(case)),
                ("Ledger", self.ledger_column(case)),
            ],
            "is_repair": is_repair,
            "form": form,
            "refusal": refusal,
            "back_url": reverse("admin:billing_reconciliationcase_change", args=[case.pk]),
        }
        code = status or (422 if form.errors else 200)
        return render(request, "admin/billing/end_case.html", page, status=code)
