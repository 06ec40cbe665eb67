"""`create_preview`: what a subscription, a change of one, or a new one would be billed."""

from typing import Any

from simulator.core.call import Call
from simulator.core.errors import invalid, missing
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import discounts
from simulator.resources.invoices import invoicing, previewing
from simulator.resources.invoices import items as invoiceitems
from simulator.resources.subscriptions import billing as subscription_billing
from simulator.resources.subscriptions import changes as subscription_changes
from simulator.resources.subscriptions import state, subscribing

TERMS = (
    "billing_cycle_anchor",
    "cancel_at",
    "cancel_at_period_end",
    "default_tax_rates",
    "items",
    "proration_behavior",
    "proration_date",
    "trial_end",
)


@route("POST", "/v1/invoices/create_preview")
def preview(call: Call) -> Object:
    """Return the invoice that would come, without anything coming of it."""
    given = call.get("subscription_details", {})
    unknown = given.keys() - {*TERMS, "cancel_now"}
    if unknown:
        raise invalid(f"This simulator previews nothing by {', '.join(sorted(unknown))}.")

    def work(tx: Transaction) -> Object:
        invoice = _invoice(tx, call, given)
        _add(tx, call, invoice)
        invoicing.recompute(tx, invoice)
        return invoice

    body: Object = previewing.undone(call.tx, work)
    return previewing.as_upcoming(body)


def _invoice(tx: Transaction, call: Call, given: Object) -> Object:
    terms = {name: given[name] for name in TERMS if name in given}
    id_ = call.get("subscription")
    if id_ is not None:
        subscription = tx.get(state.KIND, id_, "subscription")
        state.check_live(subscription)
        _check_customer(call, subscription)
        return _of_running(tx, subscription, terms, bool(given.get("cancel_now")))
    if call.get("customer") is None:
        raise missing("customer")
    customer = tx.get("customer", call["customer"], "customer")
    if terms.get("items"):
        terms["payment_behavior"] = "default_incomplete"
        subscription = subscribing.create(tx, customer, terms)
        return _unfinished(tx, tx.get(invoicing.KIND, subscription["latest_invoice"]))
    running = [
        one for one in tx.where(state.KIND, customer=customer["id"])
        if one["status"] in ("active", "past_due", "trialing") and one["cancel_at"] is None
    ]  # fmt: skip
    if running:
        first = min(running, key=lambda one: state.period_of(tx, one)[1])
        return previewing.next_invoice(tx, first)
    return _of_items(tx, customer, call)


def _check_customer(call: Call, subscription: Object) -> None:
    if call.get("customer") not in (None, subscription["customer"]):
        raise invalid("The subscription is another customer's.", param="subscription")


def _of_running(tx: Transaction, subscription: Object, terms: Object, is_over: bool) -> Object:
    """Make the invoice that comes of a change at once, or else the next one."""
    if is_over:
        if terms.get("proration_behavior") != "none" and subscription["status"] != "trialing":
            for item in state.items_of(tx, subscription):
                at = terms.get("proration_date") or state.now_of(tx, subscription)
                subscription_billing.credit(tx, subscription, item, at)
        invoice = subscription_billing.draft(tx, subscription, "upcoming")
        subscription_billing.add_pending(tx, subscription, invoice)
        return invoice
    before = subscription["latest_invoice"]
    if terms:
        subscription["collection_method"] = "send_invoice"  # nobody is charged for a preview
        subscription_changes.change(tx, subscription, terms)
    if subscription["latest_invoice"] != before:
        return _unfinished(tx, tx.get(invoicing.KIND, subscription["latest_invoice"]))
    if subscription["cancel_at"] == state.period_of(tx, subscription)[1]:
        raise invalid(
            "No upcoming invoices for customer: the subscription ends with its period.",
            code="invoice_upcoming_none",
        )
    return previewing.next_invoice(tx, subscription)


def _unfinished(tx: Transaction, invoice: Object) -> Object:
    """Take back that an invoice has become final, so that its sums are of a draft."""
    if invoice["status"] != "draft":
        tx.get("customer", invoice["customer"])["balance"] = invoice["starting_balance"]
        invoice.update(status="draft", amount_paid=0, attempted=False, ending_balance=None)
        invoice.update(billing_reason="upcoming")
    return invoice


def _of_items(tx: Transaction, customer: Object, call: Call) -> Object:
    currency = customer["currency"] or "usd"
    waiting = invoiceitems.pending(tx, customer["id"], currency)
    if not waiting and not call.get("invoice_items"):
        raise invalid(
            f"No upcoming invoices for customer: {customer['id']}", code="invoice_upcoming_none"
        )
    invoice = invoicing.make(tx, customer, currency, "upcoming")
    invoicing.take_pending(tx, invoice, waiting)
    return invoice


def _add(tx: Transaction, call: Call, invoice: Object) -> None:
    """Add what is only there for the preview: items and discounts."""
    for number, one in enumerate(call.get("invoice_items", [])):
        if one.get("invoiceitem"):
            raise invalid("Change the invoice item itself.", param=f"invoice_items[{number}]")
        fields: dict[str, Any] = invoiceitems.priced(
            tx, one, invoice["currency"], f"invoice_items[{number}]"
        )
        fields["description"] = one.get("description")
        customer = invoice["customer"]
        item = invoiceitems.make(tx, customer=customer, currency=invoice["currency"], **fields)
        invoicing.take_pending(tx, invoice, [item])
    if "discounts" in call.params:
        to = {"customer": invoice["customer"], "invoice": invoice["id"]}
        currency = invoice["currency"]
        invoice["discounts"] = discounts.give_all(tx, call["discounts"], currency=currency, **to)
