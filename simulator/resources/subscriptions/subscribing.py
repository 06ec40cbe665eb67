"""How a subscription begins: by hand, through Checkout, or by a schedule."""

from simulator.arithmetic import periods
from simulator.core.call import merged_metadata
from simulator.core.errors import StripeError, invalid, missing
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources import tax_rates
from simulator.resources.invoices import collecting, invoicing
from simulator.resources.invoices import items as invoiceitems
from simulator.resources.payments import setups
from simulator.resources.subscriptions import billing as subscription_billing
from simulator.resources.subscriptions import state, terms
from simulator.resources.subscriptions.state import KIND

SETTINGS = {
    "payment_method_options": None,
    "payment_method_types": None,
    "save_default_payment_method": "off",
}
NOT_SIMULATED = (
    "application_fee_percent",
    "backdate_start_date",
    "billing_schedules",
    "billing_thresholds",
    "pending_invoice_item_interval",
    "transfer_data",
)


def create(
    tx: Transaction, customer: Object, given: Object, *, is_draft_first: bool = False
) -> Object:
    """
    Begin a subscription; `given` are the parameters of Stripe's own operation.

    `is_draft_first` leaves the first invoice a draft for an hour, as schedules do: the
    subscription is then active before it is paid.

    :raises StripeError: if something does not fit together, or if it must be paid at once
        (`error_if_incomplete`) and cannot.
    """
    _check(given)
    now = tx.now(customer["test_clock"])
    subscription = _make(tx, customer, given, now)
    _add_items(tx, subscription, given)
    part = _first_period(tx, subscription, given, now)
    terms.fill(tx, subscription, given)
    terms.set_end(tx, subscription, given)
    is_trial = subscription["trial_end"] is not None
    subscription["status"] = "trialing" if is_trial else "active"
    invoice = subscription_billing.draft(
        tx, subscription, "subscription_create", period_start=now, period_end=now
    )
    if part is None or given.get("proration_behavior") != "none":
        subscription_billing.add_periods(tx, subscription, invoice, part=part)
    add_given_items(tx, subscription, given)
    subscription_billing.add_pending(tx, subscription, invoice)
    _begin(tx, subscription, invoice, given, is_draft_first=is_draft_first)
    return subscription


def _check(given: Object) -> None:
    for name in NOT_SIMULATED:
        if given.get(name):
            raise invalid(f"This simulator does not do `{name}`.", param=name)
    if (given.get("automatic_tax") or {}).get("enabled"):
        raise invalid(
            "This simulator knows no country's taxes: use tax rates instead of automatic tax.",
            param="automatic_tax[enabled]",
        )
    if given.get("payment_behavior") == "pending_if_incomplete":
        raise invalid(
            "`pending_if_incomplete` is for updates: a new subscription has nothing to go back to.",
            param="payment_behavior",
        )
    if not given.get("items"):
        raise missing("items")
    if given.get("trial_end") is not None and given.get("trial_period_days") is not None:
        raise invalid("You may specify only one of these: trial_end, trial_period_days.")
    terms.check(given.get("collection_method"), given.get("days_until_due"))


def _make(tx: Transaction, customer: Object, given: Object, now: int) -> Object:
    mode = given.get("billing_mode") or {"type": "flexible"}
    flexible = mode.get("flexible") or {"proration_discounts": "included"}
    return tx.new(
        KIND,
        clock=customer["test_clock"],
        automatic_tax={"disabled_reason": None, "enabled": False, "liability": None},
        billing_cycle_anchor=now,
        billing_mode={
            "type": mode["type"],
            "flexible": flexible if mode["type"] == "flexible" else None,
        },
        billing_schedules=[],
        cancel_at_period_end=False,
        cancellation_details={**dict.fromkeys(("comment", "feedback", "reason"))},
        collection_method=given.get("collection_method") or "charge_automatically",
        currency=(given.get("currency") or "").lower(),
        customer=customer["id"],
        days_until_due=given.get("days_until_due"),
        default_tax_rates=[],
        discounts=[],
        invoice_settings={
            **dict.fromkeys(("account_tax_ids", "custom_fields", "description", "footer")),
            "issuer": {"type": "self"},
        },
        payment_settings=dict(SETTINGS),
        start_date=now,
        status="incomplete",
        test_clock=customer["test_clock"],
        trial_settings={"end_behavior": {"missing_payment_method": "create_invoice"}},
        metadata=merged_metadata(None, given.get("metadata")),
    )


def _add_items(tx: Transaction, subscription: Object, given: Object) -> None:
    for number, one in enumerate(given["items"]):
        price = state.find_price(tx, one, f"items[{number}]")
        if price is not None and not subscription["currency"]:
            subscription["currency"] = price["currency"]
        params = one if price is None else {**one, "price": price["id"], "price_data": None}
        state.add_item(tx, subscription, params, f"items[{number}]")
    state.check_items(tx, subscription)


def _first_period(
    tx: Transaction, subscription: Object, given: Object, now: int
) -> tuple[int, int] | None:
    """Let the first period run; return the whole one if it is only the end of it."""
    interval, count = state.interval_of(tx, subscription)
    trial_end = terms.trial_end_of(given, now)
    anchor = given.get("billing_cycle_anchor")
    if given.get("billing_cycle_anchor_config"):
        anchor = periods.anchored(now, interval, given["billing_cycle_anchor_config"])
        subscription["billing_cycle_anchor_config"] = _config(given["billing_cycle_anchor_config"])
    if trial_end is not None:
        subscription.update(trial_start=now, trial_end=trial_end)
        subscription["billing_cycle_anchor"] = anchor or trial_end
        state.set_period(tx, subscription, now, trial_end)
        return None
    latest = periods.shifted(now, interval, count)
    if anchor is not None and anchor > latest:
        raise invalid(
            "billing_cycle_anchor cannot be later than next natural billing date "
            f"({latest}) for plan.",
            param="billing_cycle_anchor",
        )
    if given.get("billing_cycle_anchor") is not None and anchor is not None and anchor < now:
        raise invalid("billing_cycle_anchor must be in the future.", param="billing_cycle_anchor")
    subscription["billing_cycle_anchor"] = anchor or now
    whole = periods.period_at(anchor or now, interval, count, now)
    state.set_period(tx, subscription, now, whole[1])
    return None if whole[0] == now else whole


def _config(given: Object) -> Object:
    return {**dict.fromkeys(("hour", "minute", "month", "second")), **given}


def add_given_items(tx: Transaction, subscription: Object, given: Object) -> None:
    """Let what is sold once, together with a subscription, wait for its next invoice."""
    for number, one in enumerate(given.get("add_invoice_items") or ()):
        currency = subscription["currency"]
        fields = invoiceitems.priced(tx, one, currency, f"add_invoice_items[{number}]")
        item = invoiceitems.make(
            tx,
            customer=subscription["customer"],
            currency=currency,
            metadata=merged_metadata(None, one.get("metadata")),
            tax_rates=tax_rates.check(tx, one.get("tax_rates"), "add_invoice_items[tax_rates]"),
            _subscription=subscription["id"],
            **fields,
        )
        tx.get(invoiceitems.KIND, item["id"])["discountable"] = one.get("discountable", True)


def _begin(
    tx: Transaction, subscription: Object, invoice: Object, given: Object, *, is_draft_first: bool
) -> None:
    """Bill the first period, and see whether it is paid."""
    invoicing.recompute(tx, invoice)
    is_charged = subscription["collection_method"] == "charge_automatically"
    behavior = given.get("payment_behavior") or "allow_incomplete"
    must_pay = is_charged and invoice["amount_due"] > 0 and not is_draft_first
    if must_pay:
        if behavior != "default_incomplete" and not collecting.method_for(tx, invoice):
            raise collecting.no_method()
        subscription["status"] = "incomplete"
        invoice["_is_first"] = True
    _set_up(tx, subscription, invoice)
    subscription_billing.announce(tx, subscription, invoice)
    state.plan(tx, subscription)
    tx.emit("customer.subscription.created", subscription)
    if invoice["amount_due"] > 0 and not must_pay:
        return  # a draft for an hour, then sent or charged
    invoicing.finalize(tx, invoice)
    if must_pay and behavior != "default_incomplete":
        _pay(tx, invoice, given, behavior)


def _set_up(tx: Transaction, subscription: Object, invoice: Object) -> None:
    """Ask for a payment method now if nothing is paid now but will be later."""
    is_charged = subscription["collection_method"] == "charge_automatically"
    if not is_charged or invoice["amount_due"] > 0 or collecting.method_for(tx, invoice):
        return
    intent = setups.make(tx, customer=subscription["customer"], usage="off_session")
    intent["_subscription"] = subscription["id"]
    subscription["pending_setup_intent"] = intent["id"]


def _pay(tx: Transaction, invoice: Object, given: Object, behavior: str) -> None:
    is_strict = behavior == "error_if_incomplete"
    try:
        subscription_billing.charge(tx, invoice, off_session=given.get("off_session", False))
    except StripeError as error:
        if is_strict:
            error.keeps_effects = False
            raise
    if is_strict and invoice["status"] != "paid":
        raise StripeError(
            402,
            "card_error",
            "Subscription creation failed because the payment requires additional action.",
            code="subscription_payment_intent_requires_action",
        )
