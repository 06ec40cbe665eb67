"""What the billing portal's pages show."""

from collections.abc import Callable
from datetime import UTC, datetime

from simulator.core.values import Object
from simulator.pages import forms
from simulator.pages.looks import amount, text
from simulator.pages.portal_visit import Visit

type Step = Callable[[Visit, str], tuple[str, str]]

FEEDBACK = {
    "": "I would rather not say",
    "too_expensive": "It is too expensive",
    "missing_features": "Something is missing",
    "switched_service": "I use something else now",
    "unused": "I do not use it",
    "other": "Another reason",
}


def step_of(flow: Object) -> str:
    """Return the step to which a deep link leads."""
    type_ = flow["type"]
    if type_ == "payment_method_update":
        return "card"
    if type_ == "customer_update":
        return "details"
    step = "cancel" if type_ == "subscription_cancel" else "change"
    return f"{step}/{flow[type_]['subscription']}"


def overview(visit: Visit) -> str:
    """Return everything that a customer may see."""
    headline = f"<p>{text(visit.headline)}</p>" if visit.headline else ""
    parts = [headline, _subscriptions(visit), _cards(visit), _details(visit), _invoices(visit)]
    return "".join(parts)


def _subscriptions(visit: Visit) -> str:
    boxes = "".join(_subscription(visit, one) for one in visit.subscriptions())
    return f"<h2>Plans</h2>{boxes or '<p class=muted>No plan.</p>'}"


def _subscription(visit: Visit, subscription: Object) -> str:
    items = visit.items(subscription)
    named = ", ".join(_item(visit, item) for item in items)
    end = day(max(item["current_period_end"] for item in items))
    status = str(subscription["status"]).replace("_", " ")
    told = f"Next bill on {end}."
    if subscription["cancel_at_period_end"]:
        told = f"Ends on {end}."
    id_ = subscription["id"]
    actions = ""
    if visit.allows("change"):
        actions += _link(visit, f"change/{id_}", "Change plan")
    if visit.allows("cancel"):
        if subscription["cancel_at_period_end"]:
            actions += button(visit, f"keep/{id_}", "Do not cancel")
        else:
            actions += _link(visit, f"cancel/{id_}", "Cancel plan")
    return f'<div class="box"><p><strong>{named}</strong> ({status}). {told}</p>{actions}</div>'


def _item(visit: Visit, item: Object) -> str:
    many = f" × {item['quantity']}" if (item.get("quantity") or 1) != 1 else ""
    return f"{price_name(visit, item['price'])}{many}"


def price_name(visit: Visit, price: Object) -> str:
    """Return what a price is called: its product, and what it costs how often."""
    product = visit.call.tx.find("product", price["product"]) or {}
    recurring = price["recurring"] or {}
    count = recurring.get("interval_count", 1)
    often = recurring.get("interval", "once") if count == 1 else f"{count} {recurring['interval']}s"
    cost = "by use" if price["unit_amount"] is None else amount(
        price["unit_amount"], price["currency"]
    )  # fmt: skip
    return f"{text(product.get('name', price['id']))}, {cost} / {text(often)}"


def _cards(visit: Visit) -> str:
    default = visit.customer["invoice_settings"]["default_payment_method"]
    boxes = "".join(_card(visit, card, is_default=card["id"] == default) for card in visit.cards())
    add = _link(visit, "card", "Add a card") if visit.allows("card") else ""
    return f"<h2>Cards</h2>{boxes or '<p class=muted>No card.</p>'}{add}"


def _card(visit: Visit, method: Object, *, is_default: bool) -> str:
    card = method["card"]
    shown = f"{text(card['brand'])} ending in {text(card['last4'])}"
    actions = ""
    if visit.allows("default") and not is_default:
        actions += button(visit, f"default/{method['id']}", f"Pay with {shown}")
    if visit.allows("remove"):
        actions += button(visit, f"remove/{method['id']}", f"Remove {shown}")
    mark = " <strong>(pays)</strong>" if is_default else ""
    until = f"{card['exp_month']:02}/{card['exp_year']}"
    return f'<div class="box"><p>{shown}, until {until}{mark}</p>{actions}</div>'


def _details(visit: Visit) -> str:
    if not visit.allows("details"):
        return ""
    customer = visit.customer
    shown = ", ".join(text(customer[name]) for name in ("name", "email") if customer[name])
    return f"<h2>Details</h2><p>{shown or 'None.'}</p>{_link(visit, 'details', 'Change details')}"


def _invoices(visit: Visit) -> str:
    if not visit.features["invoice_history"]["enabled"]:
        return ""
    rows = "".join(_invoice(one) for one in visit.invoices())
    if not rows:
        return "<h2>Invoices</h2><p class=muted>No invoice.</p>"
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Day", "Number", "Status"))
    head += '<th scope="col" class="number">Total</th>'
    return f"""<h2>Invoices</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>
<tbody>{rows}</tbody></table></div>"""


def _invoice(invoice: Object) -> str:
    number = text(invoice["number"] or invoice["id"])
    if invoice.get("hosted_invoice_url"):
        number = f'<a href="{text(invoice["hosted_invoice_url"])}">{number}</a>'
    return (
        f"<tr><td>{day(invoice['created'])}</td><td>{number}</td><td>{text(invoice['status'])}</td>"
        f'<td class="number">{amount(invoice["total"], invoice["currency"])}</td></tr>'
    )


def day(moment: int) -> str:
    """Return the day of a moment, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def _link(visit: Visit, step: str, words: str) -> str:
    return f'<p><a class="button" href="{text(visit.url(step))}">{words}</a></p>'


def button(visit: Visit, step: str, words: str) -> str:
    """Return a form of one button."""
    return f'<form method="post" action="{text(visit.url(step))}"><button>{words}</button></form>'


def _show_card(visit: Visit, _id: str) -> tuple[str, str]:
    choice = forms.card_choice([], str(visit.call.params.get("card", "")))
    body = f"""<p>It is saved for later and pays from now on. Nothing is charged now.</p>
<form method="post">{choice}<button class="primary">Save card</button></form>"""
    return "Add a card", body


def _show_cancel(visit: Visit, id_: str) -> tuple[str, str]:
    subscription = visit.subscription(id_)
    end = day(max(item["current_period_end"] for item in visit.items(subscription)))
    rules = visit.features["subscription_cancel"]
    when = "at once" if rules["mode"] == "immediately" else f"on {end}"
    reasons = ""
    if rules["cancellation_reason"]["enabled"]:
        options = "".join(
            f'<option value="{value}">{words}</option>' for value, words in FEEDBACK.items()
        )
        reasons = f'<label>Why? <select name="feedback">{options}</select></label>'
    body = f"""<p>{_named(visit, subscription)} ends {when}.</p>
<form method="post">{reasons}<button class="primary">Cancel plan</button></form>"""
    return "Cancel plan", body


def _named(visit: Visit, subscription: Object) -> str:
    return ", ".join(_item(visit, item) for item in visit.items(subscription))


def _show_change(visit: Visit, id_: str) -> tuple[str, str]:
    subscription = visit.subscription(id_)
    now = visit.items(subscription)[0]["price"]["id"]
    wanted = _wanted(visit) or now
    options = "".join(
        f'<label class="choice"><input type="radio" name="price" value="{price["id"]}"'
        f"{' checked' if price['id'] == wanted else ''}> "
        f"<span>{price_name(visit, price)}{' (now)' if price['id'] == now else ''}</span></label>"
        for price in visit.prices()
    )
    body = f"""<form method="post"><fieldset><legend>Plan</legend>{options}</fieldset>
<button class="primary">Change plan</button></form>"""
    return "Change plan", body


def _wanted(visit: Visit) -> str | None:
    """Return the price that a deep link has chosen already."""
    confirm = (visit.session["flow"] or {}).get("subscription_update_confirm")
    return confirm["items"][0]["price"] if confirm else None


def _show_details(visit: Visit, _id: str) -> tuple[str, str]:
    allowed = visit.features["customer_update"]["allowed_updates"]
    fields = "".join(
        f'<label>{label} <input name="{name}" type="{type_}" autocomplete="{name}" '
        f'value="{text(visit.customer[name] or "")}"></label>'
        for name, label, type_ in (("name", "Name", "text"), ("email", "Email", "email"))
        if name in allowed
    )
    return "Details", f'<form method="post">{fields}<button class="primary">Save</button></form>'


STEPS: dict[str, Step] = {
    "card": _show_card,
    "cancel": _show_cancel,
    "change": _show_change,
    "details": _show_details,
}
