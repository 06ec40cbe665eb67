"""
How the money of an invoice is collected: its payment intent, attempts, retries.

An invoice that is final has one payment, with one intent. Whoever confirms that intent, by
the API or in a browser, pays the invoice.
"""

from collections.abc import Callable

from simulator.arithmetic.dunning import Policy, next_attempt
from simulator.core.errors import StripeError, invalid
from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.invoices import invoicing
from simulator.resources.payments import intent_routes, intents

KIND = "invoice_payment"
POLICY = "_dunning"

type Failed = Callable[[Transaction, Object, bool], None]

# Called with an invoice whose payment failed, and whether it will not be tried again.
ON_FAILURE: list[Failed] = []


def prepare(tx: Transaction, invoice: Object) -> None:
    """Make the payment of an invoice that has become final, and its intent."""
    intent = intents.make(
        tx,
        amount=invoice["amount_remaining"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=invoice["description"] or _description(invoice),
        setup_future_usage="off_session" if invoice.get("_saves_method") else None,
        _invoice=invoice["id"],
    )
    invoice["_intent"] = intent["id"]
    tx.new(
        KIND,
        clock=invoice["test_clock"],
        amount_requested=invoice["amount_remaining"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        _payment_intent=intent["id"],
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )


def _description(invoice: Object) -> str | None:
    match invoice["billing_reason"]:
        case "subscription_create":
            return "Subscription creation"
        case "subscription_cycle" | "subscription_update":
            return "Subscription update"
    return "Payment for Invoice"


def method_for(tx: Transaction, invoice: Object) -> str | None:
    """Return the payment method that an invoice is paid with if nobody says another."""
    customer = tx.get("customer", invoice["customer"])
    subscription = tx.find("subscription", invoice.get("_subscription"))
    choices = (
        invoice["default_payment_method"],
        subscription and subscription["default_payment_method"],
        customer["invoice_settings"]["default_payment_method"],
        customer["default_source"],
    )
    return next((str(id_) for id_ in choices if id_), None)


def collect(
    tx: Transaction, invoice: Object, method: str | None = None, *, off_session: bool = True
) -> None:
    """
    Try to take the money for an invoice. Whether it worked is seen in its status.

    :raises StripeError: if the card is declined; that is kept, and the invoice stays open.
    """
    intent = tx.get("payment_intent", invoice["_intent"])
    method = method or method_for(tx, invoice)
    if method is None:
        _failed(tx, invoice, is_retried=False)
        raise no_method()
    if intent["status"] == "requires_action":  # another method may do without it
        intent.update(status="requires_confirmation", next_action=None)
    intent["payment_method"] = method
    invoice["_is_attempted_now"] = True
    intents.confirm(tx, intent, off_session=off_session, may_wait=True)
    if intent["status"] == "requires_action":
        invoice["attempted"] = True
        tx.emit("invoice.payment_action_required", invoice)
        _failed(tx, invoice)


def no_method() -> StripeError:
    """Return the 400 for a customer who has nothing to pay with."""
    return invalid(
        "This customer has no attached payment source or default payment method. Please consider "
        "adding a default payment method. For more information, visit "
        "https://stripe.com/docs/billing/subscriptions/payment-methods-setting"
        "#payment-method-priority.",
        code="resource_missing",
    )


def try_to_collect(tx: Transaction, invoice: Object) -> None:
    """Try, and leave what comes of a failure to dunning."""
    try:
        collect(tx, invoice)
    except StripeError:
        return


def _failed(tx: Transaction, invoice: Object, *, is_retried: bool = True) -> None:
    """
    Count an attempt that failed, and plan the next.

    Without a payment method there is nothing to try again: the invoice waits for one.
    """
    now = tx.now(invoice["test_clock"])
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    tx.unschedule(invoice["id"], invoicing.RETRY)
    due = None
    if invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically":
        due = next_attempt(policy(tx), invoice["attempt_count"], now)
    if invoice.get("_is_first") or not is_retried:
        due = None  # an incomplete subscription waits for its customer
    invoice["next_payment_attempt"] = due
    if due is not None:
        tx.schedule(due, invoicing.RETRY, invoice["id"], invoice["test_clock"])
    tx.emit("invoice.payment_failed", invoice)
    tx.emit("invoice.updated", invoice)
    for told in ON_FAILURE:
        told(tx, invoice, is_retried and due is None)


def proceed(tx: Transaction, invoice: Object) -> None:
    """Do what an invoice that advances by itself does once it is final: charge, or be sent."""
    if invoice["status"] != "open" or not invoice["auto_advance"]:
        return
    if invoice["collection_method"] == "send_invoice":
        tx.emit("invoice.sent", invoice)
    else:
        try_to_collect(tx, invoice)


def _of_living(tx: Transaction, id_: str) -> Object | None:
    """Return an invoice if it and its customer are still there."""
    invoice = tx.find(invoicing.KIND, id_)
    is_there = invoice is not None and tx.find("customer", invoice["customer"]) is not None
    return invoice if is_there else None


@timer(invoicing.FINALIZE)
def advance(tx: Transaction, id_: str) -> None:
    """Make a draft final when its hour is over, and go on with it."""
    invoice = _of_living(tx, id_)
    if invoice is not None and invoice["status"] == "draft":
        invoicing.finalize(tx, invoice)
        proceed(tx, invoice)


@timer(invoicing.RETRY)
def retry(tx: Transaction, id_: str) -> None:
    """Try once more."""
    invoice = _of_living(tx, id_)
    if invoice is not None and invoice["status"] == "open":
        try_to_collect(tx, invoice)


def payment_of(tx: Transaction, invoice: Object) -> Object | None:
    """Return an invoice's payment that is still open."""
    found = tx.where(KIND, invoice=invoice["id"], status="open")
    return found[0] if found else None


def cancel(tx: Transaction, invoice: Object) -> None:
    """Give up what has not been paid."""
    made = payment_of(tx, invoice)
    if made is None:
        return
    intent = tx.get("payment_intent", made["_payment_intent"])
    if intent["status"] in intent_routes.CANCELABLE:
        intent_routes.cancel_it(tx, intent, "void_invoice")
    made["status"] = "canceled"
    made["status_transitions"]["canceled_at"] = tx.now(invoice["test_clock"])


def change_amount(tx: Transaction, invoice: Object) -> None:
    """Let the intent ask for what remains, after a credit note."""
    made = payment_of(tx, invoice)
    if made is not None:
        made["amount_requested"] = invoice["amount_remaining"]
        tx.get("payment_intent", made["_payment_intent"])["amount"] = invoice["amount_remaining"]


def _intent_succeeded(tx: Transaction, intent: Object) -> None:
    invoice = tx.find(invoicing.KIND, intent.get("_invoice"))
    if invoice is None:
        return
    found = tx.where(KIND, invoice=invoice["id"], status="open", _payment_intent=intent["id"])
    if not found:
        return
    made = found[0]
    if invoice.pop("_is_attempted_now", False):
        invoice["attempt_count"] += 1
    now = tx.now(invoice["test_clock"])
    made.update(status="paid", amount_paid=intent["amount_received"])
    made["status_transitions"]["paid_at"] = now
    tx.emit("invoice_payment.paid", made)
    cancel(tx, invoice)  # another payment that was open
    if invoice["status"] in ("open", "uncollectible"):
        invoicing.mark_paid(tx, invoice)


def _intent_failed(tx: Transaction, intent: Object) -> None:
    invoice = tx.find(invoicing.KIND, intent.get("_invoice"))
    if invoice is not None and invoice["status"] == "open":
        invoice["_is_attempted_now"] = False
        _failed(tx, invoice)


invoicing.ON_FINAL.append(prepare)
invoicing.ON_VOID.append(cancel)
intents.ON_SUCCESS.append(_intent_succeeded)
intents.ON_FAILURE.append(_intent_failed)


def policy(tx: Transaction) -> Policy:
    """Return how dunning goes in this simulator: as it was set, or as it is from the start."""
    found = tx.where(POLICY)
    return Policy(tuple(found[-1]["days"]), found[-1]["outcome"]) if found else Policy()
