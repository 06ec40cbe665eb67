"""What Checkout bills: subscriptions that it starts, and invoices for single payments."""

from simulator.core.perform import perform
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.checkout import changes as checkout_changes
from simulator.resources.checkout import completion
from simulator.resources.checkout import lines as checkout_lines
from simulator.resources.payments import intents, setups
from simulator.resources.subscriptions.state import ENDED

GIVEN = (
    "billing_cycle_anchor",
    "billing_mode",
    "default_tax_rates",
    "description",
    "metadata",
    "proration_behavior",
    "trial_end",
    "trial_period_days",
    "trial_settings",
)


def begin(tx: Transaction, session: Object, method: Object | None) -> Object | None:
    """
    Start a subscription and pay its first invoice; return the intent if there is one.

    :raises StripeError: if the card is declined. The subscription is then incomplete, and
        the next attempt pays its invoice.
    """
    if session["subscription"] is None:
        _subscribe(tx, session)
    subscription = tx.get("subscription", session["subscription"])
    invoice = tx.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "paid":
        return None if method is None else _save(tx, session, method)
    intent = tx.get("payment_intent", invoice["_intent"])
    intent.update(_session=session["id"], setup_future_usage="off_session")
    session["_intent"] = intent["id"]
    if method is None:
        return intent
    intent["payment_method"] = method["id"]
    return intents.confirm(tx, intent, return_url=completion.page_url(tx, session))


def _subscribe(tx: Transaction, session: Object) -> None:
    data = session["_subscription_data"]
    items: list[Object] = []
    extra: list[Object] = []
    for line in checkout_lines.of(tx, session):
        given = {"price": line["price"], "quantity": line["quantity"]}
        given = {name: value for name, value in given.items() if value is not None}
        if line["_tax_rates"]:
            given["tax_rates"] = list(line["_tax_rates"])
        is_recurring = checkout_lines.price_of(tx, line)["recurring"] is not None
        (items if is_recurring else extra).append(given)
    subscription = perform(
        tx,
        "POST",
        "/v1/subscriptions",
        customer=session["_customer"],
        items=items,
        add_invoice_items=extra or None,
        discounts=_discounts(session),
        payment_behavior="default_incomplete",
        **{name: data[name] for name in GIVEN if name in data},
    )
    session.update(subscription=subscription["id"], invoice=subscription["latest_invoice"])


def _discounts(session: Object) -> list[Object] | None:
    given = session["discounts"] or []
    return [{key: value for key, value in one.items() if value} for one in given] or None


def _save(tx: Transaction, session: Object, method: Object) -> Object:
    """Set a card up for what is due later: nothing is due now."""
    intent = completion.intent_of(tx, session)
    if intent is None:
        intent = setups.make(tx, customer=session["_customer"], _session=session["id"])
        session["_intent"] = intent["id"]
    intent["payment_method"] = method["id"]
    return setups.confirm(tx, intent, return_url=completion.page_url(tx, session))


def complete(tx: Transaction, session: Object) -> None:
    """Let the subscription go on with the card that has paid, or invoice what was paid."""
    intent = completion.intent_of(tx, session)
    if session["mode"] == "subscription" and intent is not None:
        subscription = tx.get("subscription", session["subscription"])
        subscription["default_payment_method"] = intent["payment_method"]
        tx.emit("customer.subscription.updated", subscription)
    wants_invoice = (session["invoice_creation"] or {}).get("enabled")
    if wants_invoice and intent is not None and intent["status"] == "succeeded":
        session["invoice"] = _invoice(tx, session, intent)


def _invoice(tx: Transaction, session: Object, intent: Object) -> str:
    """Make an invoice that is paid by the payment that there was."""
    data = session["invoice_creation"]["invoice_data"]
    invoice = perform(
        tx,
        "POST",
        "/v1/invoices",
        customer=session["_customer"],
        auto_advance=False,
        currency=session["currency"],
        pending_invoice_items_behavior="exclude",
        description=data["description"],
        footer=data["footer"],
        custom_fields=data["custom_fields"],
        metadata=data["metadata"],
        discounts=_discounts(session),
    )
    for line in checkout_lines.of(tx, session):
        perform(
            tx,
            "POST",
            "/v1/invoiceitems",
            customer=session["_customer"],
            invoice=invoice["id"],
            pricing={"price": line["price"]},
            quantity=line["quantity"],
            tax_rates=list(line["_tax_rates"]) or None,
        )
    path = f"/v1/invoices/{invoice['id']}"
    perform(tx, "POST", f"{path}/finalize", auto_advance=False)
    perform(tx, "POST", f"{path}/attach_payment", payment_intent=intent["id"])
    return str(invoice["id"])


def give_up(tx: Transaction, session: Object) -> None:
    """Give up a subscription that no card was found for, in a trial too, and its intent."""
    subscription = tx.find("subscription", session["subscription"])
    if subscription is None:
        return
    if subscription["status"] not in ENDED:
        perform(tx, "DELETE", f"/v1/subscriptions/{subscription['id']}")
    completion.give_up_intent(tx, session)
    session.update(subscription=None, invoice=None, _intent=None)


completion.BEGIN["subscription"] = begin
completion.ON_COMPLETE.append(complete)
checkout_changes.ON_CHANGE.append(give_up)
completion.ON_EXPIRE.append(give_up)
