"""What is behind a payment link: a Checkout session for everybody who opens it."""

from simulator.core.call import Call
from simulator.core.http import Response, as_html, redirect
from simulator.core.perform import perform
from simulator.core.routing import page
from simulator.pages.looks import document, text
from simulator.resources.checkout import lines as checkout_lines
from simulator.resources.payment_links import KIND


@page("GET", "/buy/{link}")
def follow(call: Call) -> Response:
    """Make a session and lead to its page."""
    tx = call.tx
    link = tx.get(KIND, call.path["link"])
    if not link["active"]:
        words = link["inactive_message"] or "This link is no longer active."
        return as_html(document("Not for sale", f"<p>{text(words)}</p>"), 410)
    lines = checkout_lines.of(tx, link)
    is_recurring = any(checkout_lines.price_of(tx, line)["recurring"] for line in lines)
    end = link["after_completion"].get("redirect") or {}
    session = perform(
        tx,
        "POST",
        "/v1/checkout/sessions",
        mode="subscription" if is_recurring else "payment",
        line_items=[{"price": line["price"], "quantity": line["quantity"]} for line in lines],
        success_url=end.get("url", f"{tx.base_url}/buy/{link['id']}/done"),
        allow_promotion_codes=link["allow_promotion_codes"],
        metadata=link["metadata"],
    )
    session["payment_link"] = link["id"]
    return redirect(session["url"])


@page("GET", "/buy/{link}/done")
def done(call: Call) -> Response:
    """Say thank you."""
    link = call.tx.get(KIND, call.path["link"])
    words = link["after_completion"].get("hosted_confirmation") or {}
    shown = words.get("custom_message") or "All is done. You can close this page."
    return as_html(document("Thank you", f"<p>{text(shown)}</p>"))
