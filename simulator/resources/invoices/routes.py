"""Invoices, as they are made, changed and paid by hand."""

from typing import Any

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid, missing
from simulator.core.lists import in_range
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import includable, list_of, view
from simulator.core.world import World
from simulator.resources import discounts, payment_methods, tax_rates
from simulator.resources.invoices import collecting, invoicing
from simulator.resources.invoices import items as invoiceitems
from simulator.resources.invoices import lines as invoice_lines

KIND = invoicing.KIND
PLAIN = (
    "account_tax_ids",
    "custom_fields",
    "description",
    "effective_at",
    "footer",
    "number",
    "on_behalf_of",
    "rendering",
    "shipping_details",
    "statement_descriptor",
)
# What may still be changed when an invoice is final.
ALWAYS = {"auto_advance", "default_payment_method", "metadata"}
SEARCHED = ("created", "currency", "customer", "number", "status", "total")


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Put lines and tax rates in; a preview has them already."""
    if body["id"].startswith("upcoming_"):
        return
    invoice_lines.put_in(world, body)
    rates = [world.store.find("tax_rate", id_) for id_ in body["default_tax_rates"]]
    body["default_tax_rates"] = [world.public(row) for row in rates if row is not None]


@includable(KIND, "payments")
def payments(world: World, body: Object) -> Object:
    """Return an invoice's payments."""
    found = world.store.kinds[collecting.KIND].matching({"invoice": body["id"]})[::-1]
    return list_of([world.public(row) for row in found], "/v1/invoice_payments")


@includable(KIND, "confirmation_secret")
def confirmation_secret(world: World, body: Object) -> Any:
    """Return with which a browser confirms an invoice's payment."""
    row = world.store.find(KIND, body["id"]) or {}
    intent = world.store.find("payment_intent", row.get("_intent") or "")
    if intent is None or body["status"] != "open":
        return None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


@route("POST", "/v1/invoices")
def create(call: Call) -> Object:
    """Make a draft, of a customer's pending items if they are to be included."""
    tx = call.tx
    if call.get("customer") is None:
        raise missing("customer")
    customer = tx.get("customer", call["customer"], "customer")
    currency = (call.get("currency") or customer["currency"] or "usd").lower()
    subscription = _subscription(call)
    invoice = invoicing.make(
        tx,
        customer,
        currency,
        "manual",
        auto_advance=call.get("auto_advance", False),
        metadata=merged_metadata(None, call.get("metadata")),
        parent=parent_of(subscription) if subscription else None,
        _subscription=subscription and subscription["id"],
    )
    _fill(call, invoice)
    _check_terms(call, invoice)
    if "discounts" not in call.params and customer["discount"]:
        invoice["discounts"] = [customer["discount"]]
    if call.get("pending_invoice_items_behavior", "exclude") == "include" or subscription:
        items = invoiceitems.pending(tx, customer["id"], currency)
        mine = invoice["_subscription"]
        wanted = [one for one in items if not mine or one.get("_subscription") == mine]
        invoicing.take_pending(tx, invoice, wanted)
    return invoicing.announce(tx, invoice)


def _subscription(call: Call) -> Object | None:
    id_ = call.get("subscription")
    return call.tx.get("subscription", id_, "subscription") if id_ else None


def parent_of(subscription: Object) -> Object:
    """Return how an invoice says of which subscription it is, in the shape of 2026."""
    return {
        "quote_details": None,
        "subscription_details": {
            "metadata": dict(subscription["metadata"]),
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }


def _fill(call: Call, invoice: Object) -> None:
    """Take over what was given, for a new draft or one that is changed."""
    tx = call.tx
    invoice.update(call.only(*PLAIN, "collection_method", "due_date"))
    if "days_until_due" in call.params:
        invoice["_days_until_due"] = call["days_until_due"]
        due = tx.now(invoice["test_clock"]) + (call["days_until_due"] or 0) * invoicing.DAY
        invoice["due_date"] = due
    if (call.get("automatic_tax") or {}).get("enabled"):
        raise invalid(
            "This simulator knows no country's taxes: use tax rates instead of automatic tax.",
            param="automatic_tax[enabled]",
        )
    if method := call.get("default_payment_method"):
        invoice["default_payment_method"] = own_method(tx, invoice["customer"], method)
    if "default_tax_rates" in call.params:
        rates = tax_rates.check(tx, call["default_tax_rates"], "default_tax_rates")
        invoice["default_tax_rates"] = rates
    if "discounts" in call.params:
        to = {"customer": invoice["customer"], "invoice": invoice["id"]}
        currency = invoice["currency"]
        invoice["discounts"] = discounts.give_all(tx, call["discounts"], currency=currency, **to)
    if "payment_settings" in call.params:
        given = call.get("payment_settings", {})
        invoice["payment_settings"] = {**invoice["payment_settings"], **given}


def own_method(
    tx: Transaction, customer: str, id_: str, param: str = "default_payment_method"
) -> str:
    """
    Return the id of a customer's payment method.

    :raises StripeError: if it is not attached to the customer.
    """
    method = payment_methods.find(tx, id_, param)
    if method["customer"] != customer:
        raise invalid(
            f"The customer does not have a payment method with the ID {id_}. The payment method "
            "must be attached to the customer.",
            param=param,
            code="resource_missing",
        )
    return str(method["id"])


def _check_terms(call: Call, invoice: Object) -> None:
    is_sent = invoice["collection_method"] == "send_invoice"
    if not is_sent and (call.get("days_until_due") or call.get("due_date")):
        name = "days_until_due" if call.get("days_until_due") else "due_date"
        raise invalid(
            "You can only specify a due date if `collection_method` is `send_invoice`.", param=name
        )
    if is_sent and invoice["due_date"] is None and invoice.get("_days_until_due") is None:
        raise missing("days_until_due")


@route("GET", "/v1/invoices")
def index(call: Call) -> Object:
    """List invoices."""
    subscription, due = call.get("subscription"), call.get("due_date")

    def keep(invoice: Object) -> bool:
        if subscription is not None and invoice.get("_subscription") != subscription:
            return False
        return due is None or (
            invoice["due_date"] is not None and in_range(invoice["due_date"], due)
        )

    return call.page(KIND, match=("collection_method", "customer", "status"), keep=keep)


@route("GET", "/v1/invoices/search")
def search(call: Call) -> Object:
    """Search invoices."""
    return call.search(KIND, SEARCHED)


@route("GET", "/v1/invoices/{invoice}")
def read(call: Call) -> Object:
    """Return an invoice."""
    return call.tx.get(KIND, call.path["invoice"])


@route("POST", "/v1/invoices/{invoice}")
def update(call: Call) -> Object:
    """Change a draft; of a final invoice only what does not change what is owed."""
    tx = call.tx
    invoice = tx.get(KIND, call.path["invoice"])
    if call.params.keys() - ALWAYS:
        invoicing.check_draft(invoice, "updated")
    _fill(call, invoice)
    if "metadata" in call.params:
        invoice["metadata"] = merged_metadata(invoice["metadata"], call["metadata"])
    if "auto_advance" in call.params:
        invoice["auto_advance"] = call["auto_advance"]
        invoicing.advance_later(tx, invoice)
    if invoice["status"] == "draft":
        _check_terms(call, invoice)
        invoicing.recompute(tx, invoice)
    tx.emit("invoice.updated", invoice)
    return invoice


@route("DELETE", "/v1/invoices/{invoice}")
def delete(call: Call) -> Object:
    """Delete a draft made by hand; its items wait again."""
    tx = call.tx
    invoice = tx.get(KIND, call.path["invoice"])
    if invoice["status"] != "draft" or invoice["billing_reason"] != "manual":
        raise invoicing.not_editable(
            "You can only delete draft invoices, and none that a subscription made."
        )
    for line in invoice_lines.of_invoice(tx, invoice):
        if (item := tx.find(invoiceitems.KIND, line.get("_item"))) is not None:
            item["invoice"] = None
    tx.unschedule(invoice["id"])
    tx.emit("invoice.deleted", invoice)
    for line in invoice_lines.of_invoice(tx, invoice):
        tx.remove(line)
    return tx.remove(invoice)
