"""Payments: what was bought, and what became of it."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.billing.errors import (
    BillingNotConfigured,
    PaymentDiffers,
    StripeRefused,
    StripeUnavailable,
)
from apps.billing.models import Dispute, Payment, Refund
from apps.billing.pages.base import ASKS_EVERY, MOST_LOOKS, BillingPage
from apps.billing.pages.forms import PURPOSES, PaymentFilter
from apps.billing.selectors.orders import order_of
from apps.billing.selectors.payments import (
    PAYMENT_COLUMNS,
    entry_of,
    matching,
    payment_of,
    payment_rows,
    payments_of,
)
from apps.billing.services import checkout
from apps.core import paging, readonly
from apps.core.exports import stream_csv
from apps.core.money import format_money
from apps.core.pages import number_of_look
from apps.credits.selectors import balance_of, main_wallet

logger = structlog.get_logger(__name__)
PAGE_SIZE = 25
STEPS = (1, 1, 2, 3, 5, 8)  # seconds between two looks at a payment, longer and longer


class Payments(BillingPage):
    """The organization's payments, newest first."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of payments, or all of them as CSV."""
        form = PaymentFilter(request.GET)
        rows = matching(payments_of(self.organization), form.filters())
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-payments.csv", columns=PAYMENT_COLUMNS, rows=payment_rows(rows)
            )
        before = Payment.read_id(request.GET.get("before", ""))
        if before:
            rows = rows.filter(pk__lt=before)  # ids are in the order of their making
        shown, end = paging.page_of(rows.order_by("-pk"), size=PAGE_SIZE)
        here = reverse("billing:payments", args=[slug])
        chosen = {key: value for key, value in request.GET.items() if key in form.fields and value}
        older = urlencode({**chosen, "before": end.public_id}) if end else ""
        page = {
            "payments": [payment_line(one) for one in shown],
            "filter_form": form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{older}" if end else None,
            "first_url": f"{here}?{urlencode(chosen)}" if before else None,
        }
        return self.show("billing/payments.html", page)


class PaymentPage(BillingPage):
    """One payment, as far as it is; Stripe's page leads back to here."""

    template = "billing/payment.html"

    def get(self, request: HttpRequest, slug: str, payment_id: str) -> HttpResponse:
        """Show the payment as Stripe says that it is, and say when to look again."""
        payment = payment_of(self.organization, Payment.read_id(payment_id))
        look = number_of_look(request)
        if look % ASKS_EVERY == 0:
            payment = ask_how_it_stands(payment)
        page = {
            "payment": payment_story(payment, self.entry_url(payment)),
            "balance": balance_of(main_wallet(self.organization)).available,
            "poll_url": f"{reverse('billing:payment_status', args=[slug, payment_id])}"
            f"?look={look + 1}",
            "poll_after": pause_before_look(look, payment),
        }
        return self.show(self.template, page)

    def entry_url(self, payment: Payment) -> str:
        """Return where the ledger shows what was granted, once it is."""
        entry = entry_of(payment) if payment.status == Payment.Status.SUCCEEDED else None
        if entry is None:
            return ""
        return reverse("credits:transaction", args=[self.organization.slug, entry])


class PaymentStatus(PaymentPage):
    """The part of a payment's page that changes until it is over."""

    template = "billing/_status.html"


def ask_how_it_stands(payment: Payment) -> Payment:
    """Return the payment as Stripe says that it is, or as we know it where Stripe does not say."""
    if payment.status not in Payment.IN_FLIGHT or readonly.is_on():
        return payment
    try:
        checkout.look(payment)
    except (StripeUnavailable, StripeRefused, BillingNotConfigured, PaymentDiffers) as error:
        logger.warning("payment_not_asked", payment=payment.public_id, code=error.code)
    return payment_of(payment.organization, payment.pk)


def pause_before_look(number: int, payment: Payment) -> int | None:
    """Return the seconds until the page asks again, longer each time; None when it is over."""
    if payment.status not in Payment.IN_FLIGHT or number >= MOST_LOOKS:
        return None
    return STEPS[min(number, len(STEPS) - 1)]


def payment_line(payment: Payment) -> dict[str, Any]:
    """Return one payment for a list."""
    name = payment.description or PURPOSES[payment.purpose]
    if payment.product_version is not None:
        name = payment.product_version.product.name
    elif payment.plan_version is not None:
        name = payment.plan_version.plan.name
    return {
        "id": payment.public_id,
        "purpose": PURPOSES[payment.purpose],
        "name": name,
        "credits": payment.credits,
        "total": format_money(payment.amount + payment.tax, payment.currency),
        "status": payment.status,
        "refunded": format_money(payment.refunded, payment.currency) if payment.refunded else "",
        "refund_status": payment.refund_status,
        "was_declined": payment.status == Payment.Status.OPEN and bool(payment.failure_code),
        "is_disputed": payment.disputed_at is not None,
        "bought_by": payment.user.get_full_name() if payment.user else "",
        "created_at": payment.created_at,
    }


def place_to_buy(payment: Payment) -> str:
    """Return where the same can be bought once more."""
    slug = payment.organization.slug
    if payment.purpose == Payment.Purpose.PASS and payment.plan_version is not None:
        return f"{reverse('billing:buy_pass', args=[slug])}?plan={payment.plan_version.plan.code}"
    return reverse("billing:buy", args=[slug])


def payment_story(payment: Payment, entry_url: str) -> dict[str, Any]:
    """Return all that a payment's own page shows."""
    line, order = payment_line(payment), order_of(payment)
    return {
        **line,
        "order_url": order.page(payment) if order else "",
        "lead": "" if line["name"] == line["purpose"] else line["purpose"],
        "amount": format_money(payment.amount, payment.currency),
        "tax": format_money(payment.tax, payment.currency) if payment.tax else "",
        "failure": payment.failure_message,
        "pay_url": payment.pay_url,
        "again_url": place_to_buy(payment),
        "entry_url": entry_url,
        "settled_at": payment.settled_at,
        "clawed_back": payment.clawed_back,
        "owed": payment.clawed_back_as_debt,
        "refunds": [reversal_line(payment, one, one.created_at) for one in payment.refunds.all()],
        "disputes": [
            reversal_line(payment, one, one.opened_at) | {"closed_at": one.closed_at}
            for one in payment.disputes.all()
        ],
        "stripe_id": payment.stripe_payment_intent_id or "",
        "is_live": payment.is_live,
    }


def reversal_line(payment: Payment, row: Refund | Dispute, begun_at: datetime) -> dict[str, Any]:
    """Return one refund or dispute of a payment, as its page shows it."""
    return {
        "id": row.public_id,
        "amount": format_money(row.amount, payment.currency),
        "credits": row.credits,
        "status": row.status,
        "begun_at": begun_at,
    }
