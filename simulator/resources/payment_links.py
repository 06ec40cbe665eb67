"""Payment links: an address that makes a Checkout session for everybody who opens it."""

from simulator.core.call import Call, merged_metadata
from simulator.core.errors import invalid
from simulator.core.routing import route
from simulator.core.values import Object
from simulator.resources.checkout import lines as checkout_lines

KIND = "payment_link"
PLAIN = ("allow_promotion_codes", "billing_address_collection", "inactive_message", "submit_type")


@route("POST", "/v1/payment_links")
def create(call: Call) -> Object:
    """Make a link."""
    tx = call.tx
    lines = [
        checkout_lines.make_line(tx, line, f"line_items[{number}]")
        for number, line in enumerate(call["line_items"])
    ]
    if not lines:
        raise invalid("You must provide at least one line item.", param="line_items")
    end = call.get("after_completion", {"type": "hosted_confirmation"})
    link = tx.new(
        KIND,
        active=True,
        after_completion=_end(end),
        automatic_tax={"enabled": False, "liability": None},
        currency=lines[0]["currency"],
        customer_creation=call.get("customer_creation", "if_required"),
        metadata=merged_metadata(None, call.get("metadata")),
        payment_method_types=call.get("payment_method_types"),
        _lines=[line["id"] for line in lines],
    )
    link.update(call.only(*PLAIN))
    link["url"] = f"{tx.base_url}/buy/{link['id']}"
    tx.emit("payment_link.created", link)
    return link


def _end(given: Object) -> Object:
    if given["type"] == "hosted_confirmation":
        shown = {"custom_message": None, **(given.get("hosted_confirmation") or {})}
        return {"type": given["type"], "hosted_confirmation": shown}
    return given


@route("GET", "/v1/payment_links")
def index(call: Call) -> Object:
    """List links."""
    return call.page(KIND, match=("active",))


@route("GET", "/v1/payment_links/{payment_link}")
def read(call: Call) -> Object:
    """Return a link."""
    return call.tx.get(KIND, call.path["payment_link"])


@route("POST", "/v1/payment_links/{payment_link}")
def update(call: Call) -> Object:
    """Change a link, or switch it off."""
    link = call.tx.get(KIND, call.path["payment_link"])
    link.update(call.only("active", *PLAIN))
    if "after_completion" in call.params:
        link["after_completion"] = _end(call["after_completion"])
    if "metadata" in call.params:
        link["metadata"] = merged_metadata(link["metadata"], call["metadata"])
    call.tx.emit("payment_link.updated", link)
    return link
