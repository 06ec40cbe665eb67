"""Quotes: an offer that is finalized, then accepted or canceled."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid
from simulator.core.perform import perform
from simulator.core.routing import route
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.checkout import lines as checkout_lines

KIND = "quote"
DAYS_OPEN = 30
DAY = 86_400
PLAIN = ("collection_method", "description", "footer", "header")


@route("POST", "/v1/quotes")
def create(call: Call) -> Object:
    """Draft a quote."""
    tx = call.tx
    customer = call.get("customer")
    if customer is not None:
        tx.get("customer", customer, "customer")
    clock = tx.clock_of(customer)
    quote = tx.new(
        KIND,
        clock=clock,
        customer=customer,
        expires_at=call.get("expires_at", tx.now(clock) + DAYS_OPEN * DAY),
        metadata=merged_metadata(None, call.get("metadata")),
        status="draft",
        test_clock=clock,
    )
    quote.update(call.only(*PLAIN))
    _offer(call, quote)
    tx.emit("quote.created", quote)
    return quote


def _offer(call: Call, quote: Object) -> None:
    """Write lines and amounts into a quote."""
    tx = call.tx
    given = call.get("line_items", [])
    lines = [
        checkout_lines.make_line(tx, {"quantity": 1, **line}, f"line_items[{number}]")
        for number, line in enumerate(given)
    ]
    quote["_lines"] = [line["id"] for line in lines]
    quote["currency"] = lines[0]["currency"] if lines else None
    checkout_lines.add_up(tx, quote)
    quote["computed"] = {"recurring": None, "upfront": _sum(lines)}
    recurring = [
        (line, rhythm)
        for line in lines
        if (rhythm := checkout_lines.price_of(tx, line)["recurring"]) is not None
    ]
    if recurring:
        rhythm = recurring[0][1]
        shown = {name: rhythm[name] for name in ("interval", "interval_count")}
        quote["computed"]["recurring"] = {**_sum([line for line, _ in recurring]), **shown}


def _sum(lines: list[Object]) -> Object:
    added = {
        name: sum(line[name] for line in lines)
        for name in ("amount_discount", "amount_subtotal", "amount_tax", "amount_total")
    }
    details = {name: added.pop(name) for name in ("amount_discount", "amount_tax")}
    return {**added, "total_details": {**details, "amount_shipping": 0}}


@route("GET", "/v1/quotes")
def index(call: Call) -> Object:
    """List quotes."""
    return call.page(KIND, match=("customer", "status", "test_clock"))


@route("GET", "/v1/quotes/{quote}")
def read(call: Call) -> Object:
    """Return a quote."""
    return call.tx.get(KIND, call.path["quote"])


@route("POST", "/v1/quotes/{quote}")
def update(call: Call) -> Object:
    """Change a draft."""
    quote = _in_status(call, "draft")
    quote.update(call.only(*PLAIN, "expires_at"))
    if "metadata" in call.params:
        quote["metadata"] = merged_metadata(quote["metadata"], call["metadata"])
    if "line_items" in call.params:
        _offer(call, quote)
    return quote


@route("POST", "/v1/quotes/{quote}/finalize")
def finalize(call: Call) -> Object:
    """Fix a quote and number it: from now on it can be accepted."""
    tx = call.tx
    quote = _in_status(call, "draft")
    if not quote["_lines"]:
        raise invalid("This quote has no line items.", param="line_items")
    count = len([row for row in tx.where(KIND) if row["number"]])
    quote["number"] = f"QT-SIMULATED-{count + 1:04}-1"
    quote["expires_at"] = call.get("expires_at", quote["expires_at"])
    _move(tx, quote, "open", "finalized")
    tx.emit("quote.finalized", quote)
    return quote


@route("POST", "/v1/quotes/{quote}/cancel")
def cancel(call: Call) -> Object:
    """Give a quote up."""
    quote = _in_status(call, "draft", "open")
    _move(call.tx, quote, "canceled", "canceled")
    call.tx.emit("quote.canceled", quote)
    return quote


@route("POST", "/v1/quotes/{quote}/accept")
def accept(call: Call) -> Object:
    """Turn a quote into a subscription, or into a draft of an invoice."""
    tx = call.tx
    quote = _in_status(call, "open")
    if quote["customer"] is None:
        raise invalid("This quote has no customer.", param="customer")
    _move(tx, quote, "accepted", "accepted")
    lines = checkout_lines.of(tx, quote)
    items = [{"price": line["price"], "quantity": line["quantity"]} for line in lines]
    if quote["computed"]["recurring"]:
        made = perform(tx, "POST", "/v1/subscriptions", customer=quote["customer"], items=items)
        quote["subscription"] = made["id"]
        quote["invoice"] = made["latest_invoice"]
    else:
        quote["invoice"] = _bill(tx, quote["customer"], items)
    tx.emit("quote.accepted", quote)
    return quote


def _bill(tx: Transaction, customer: str, items: list[Object]) -> str:
    invoice = perform(tx, "POST", "/v1/invoices", customer=customer, auto_advance=False)
    for item in items:
        perform(
            tx,
            "POST",
            "/v1/invoiceitems",
            customer=customer,
            invoice=invoice["id"],
            pricing={"price": item["price"]},
            quantity=item["quantity"],
        )
    return str(invoice["id"])


def _move(tx: Transaction, quote: Object, status: str, moment: str) -> None:
    quote["status"] = status
    quote["status_transitions"][f"{moment}_at"] = tx.now(quote["test_clock"])


def _in_status(call: Call, *wanted: str) -> Object:
    quote = call.tx.get(KIND, call.path["quote"])
    if quote["status"] not in wanted:
        raise _unfit(quote, wanted)
    return quote


def _unfit(quote: Object, wanted: tuple[str, ...]) -> StripeError:
    return invalid(
        f"This quote's status is {quote['status']}; this can only be done when it is "
        f"{' or '.join(wanted)}."
    )
