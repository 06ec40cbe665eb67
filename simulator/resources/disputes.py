"""
Disputes: a cardholder takes back a charge, we answer with evidence, the bank decides.

As in Stripe's test mode the words of the evidence decide at once: `winning_evidence`,
`losing_evidence`, `escalate_inquiry_evidence`. Other evidence leaves it under review.
"""

from simulator import cards
from simulator.core.call import Call, merged_metadata
from simulator.core.errors import StripeError, invalid
from simulator.core.routing import route
from simulator.core.timers import timer
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import view
from simulator.core.world import World
from simulator.resources import balance, charges

KIND = "dispute"
DAY = 86_400
DAYS_TO_ANSWER = 9
FEE = 1500
REASONS = {"fraudulent": "10.4", "product_not_received": "13.1", "inquiry": "10.4"}
OPEN = ("needs_response", "warning_needs_response")
ENDED = ("lost", "won", "warning_closed", "prevented")
WARNING = "radar.early_fraud_warning"


def open_for(tx: Transaction, charge: Object, card: cards.Card) -> None:
    """Let a charge be disputed, or warned of, if that is what its card does."""
    if card.dispute == "warning":
        _warn(tx, charge)
    elif card.dispute is not None:
        _open(tx, charge, card.dispute)


charges.AFTER.append(open_for)


def _open(tx: Transaction, charge: Object, kind: str) -> Object:
    is_inquiry = kind == "inquiry"
    clock = charge["_clock"]
    due = tx.now(clock) + DAYS_TO_ANSWER * DAY
    dispute = tx.new(
        KIND,
        clock=clock,
        amount=charge["amount"],
        charge=charge["id"],
        currency=charge["currency"],
        is_charge_refundable=is_inquiry,
        payment_intent=charge["payment_intent"],
        payment_method_details={
            "type": "card",
            "card": {
                "brand": charge["payment_method_details"]["card"]["brand"],
                "case_type": "inquiry" if is_inquiry else "chargeback",
                "network": charge["payment_method_details"]["card"]["network"],
                "network_reason_code": REASONS[kind],
            },
        },
        reason="fraudulent" if is_inquiry else kind,
        status="warning_needs_response" if is_inquiry else "needs_response",
        _clock=clock,
        _transactions=[],
    )
    details = {"due_by": due, "has_evidence": False, "past_due": False, "submission_count": 0}
    dispute["evidence_details"].update(details)
    dispute["evidence"]["customer_email_address"] = charge["billing_details"]["email"]
    dispute["evidence"]["customer_name"] = charge["billing_details"]["name"]
    tx.schedule(due, "dispute.due", dispute["id"], clock)
    charge["disputed"] = not is_inquiry
    tx.emit("charge.dispute.created", dispute)
    if not is_inquiry:
        _withdraw(tx, dispute)
    return dispute


def _withdraw(tx: Transaction, dispute: Object) -> None:
    _record(tx, dispute, -dispute["amount"], FEE, "Chargeback withdrawal")
    tx.emit("charge.dispute.funds_withdrawn", dispute)


def _record(tx: Transaction, dispute: Object, amount: int, fee: int, words: str) -> None:
    made = balance.record(
        tx,
        "adjustment",
        amount,
        dispute["currency"],
        dispute["id"],
        fee=fee,
        clock=dispute["_clock"],
        is_available=True,
        description=f"{words} for {dispute['charge']}",
        category="dispute" if amount < 0 else "dispute_reversal",
    )
    dispute["_transactions"].append(made["id"])


def _warn(tx: Transaction, charge: Object) -> None:
    warning = tx.new(
        WARNING,
        clock=charge["_clock"],
        actionable=True,
        charge=charge["id"],
        fraud_type="made_with_stolen_card",
        payment_intent=charge["payment_intent"],
    )
    tx.emit("radar.early_fraud_warning.created", warning)


@view(KIND)
def complete(world: World, body: Object) -> None:
    """Embed the movements of money."""
    row = world.store.kinds[KIND].rows.get(body["id"], {})
    found = world.store.kinds[balance.KIND].rows
    body["balance_transactions"] = [world.public(found[id_]) for id_ in row["_transactions"]]


@timer("dispute.due")
def fall_due(tx: Transaction, id_: str) -> None:
    """Let a dispute be lost that nobody has answered."""
    dispute = tx.get(KIND, id_)
    dispute["evidence_details"]["past_due"] = True
    if dispute["status"] in OPEN:
        end(tx, dispute, "warning_closed" if _is_inquiry(dispute) else "lost")


def _is_inquiry(dispute: Object) -> bool:
    return str(dispute["status"]).startswith("warning_")


def end(tx: Transaction, dispute: Object, status: str) -> None:
    """Close a dispute; if it is won, the money and the fee come back."""
    tx.unschedule(dispute["id"])
    dispute["status"] = status
    if status == "won":
        _record(tx, dispute, dispute["amount"], -FEE, "Chargeback reversal")
        tx.emit("charge.dispute.funds_reinstated", dispute)
    tx.emit("charge.dispute.closed", dispute)


@route("GET", "/v1/disputes")
def index(call: Call) -> Object:
    """List disputes."""
    return call.page(KIND, match=("charge", "payment_intent"))


@route("GET", "/v1/disputes/{dispute}")
def read(call: Call) -> Object:
    """Return a dispute."""
    return call.tx.get(KIND, call.path["dispute"])


@route("POST", "/v1/disputes/{dispute}")
def update(call: Call) -> Object:
    """Add evidence, and hand it in unless `submit` is false."""
    tx = call.tx
    dispute = tx.get(KIND, call.path["dispute"])
    given = call.get("evidence", {})
    if given and dispute["status"] not in OPEN:
        raise _too_late(dispute)
    if "metadata" in call.params:
        dispute["metadata"] = merged_metadata(dispute["metadata"], call["metadata"])
    evidence = dispute["evidence"]
    evidence.update({name: value or None for name, value in given.items()})
    evidence["enhanced_evidence"] = evidence["enhanced_evidence"] or {}
    has_evidence = bool(given) or dispute["evidence_details"]["has_evidence"]
    dispute["evidence_details"]["has_evidence"] = has_evidence
    is_submitted = call.get("submit", True) and bool(given or "submit" in call.params)
    if is_submitted and dispute["status"] in OPEN:
        _submit(tx, dispute)
    else:
        tx.emit("charge.dispute.updated", dispute)
    return dispute


def _too_late(dispute: Object) -> StripeError:
    return invalid(
        f"This dispute can no longer be answered: its status is {dispute['status']}. Evidence is "
        f"taken while it is one of {', '.join(OPEN)}.",
        param="evidence",
    )


def _submit(tx: Transaction, dispute: Object) -> None:
    is_inquiry = _is_inquiry(dispute)
    dispute["evidence_details"]["submission_count"] += 1
    dispute["status"] = "warning_under_review" if is_inquiry else "under_review"
    tx.emit("charge.dispute.updated", dispute)
    words = dispute["evidence"]["uncategorized_text"] or ""
    if words == "winning_evidence":
        end(tx, dispute, "warning_closed" if is_inquiry else "won")
    elif words == "losing_evidence" and not is_inquiry:
        end(tx, dispute, "lost")
    elif words in ("escalate_inquiry_evidence", "losing_evidence"):
        _escalate(tx, dispute)


def _escalate(tx: Transaction, dispute: Object) -> None:
    """Turn an inquiry into a chargeback, which has to be answered anew."""
    dispute.update(status="needs_response", is_charge_refundable=False)
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    tx.get("charge", dispute["charge"])["disputed"] = True
    tx.emit("charge.dispute.updated", dispute)
    _withdraw(tx, dispute)


@route("POST", "/v1/disputes/{dispute}/close")
def close(call: Call) -> Object:
    """Give in: the dispute is lost."""
    dispute = call.tx.get(KIND, call.path["dispute"])
    if dispute["status"] not in OPEN:
        raise invalid(
            f"This dispute cannot be closed: its status is {dispute['status']}. Only one that "
            "waits for an answer can."
        )
    end(call.tx, dispute, "warning_closed" if _is_inquiry(dispute) else "lost")
    return dispute


@route("GET", "/v1/radar/early_fraud_warnings")
def warnings(call: Call) -> Object:
    """List warnings of fraud that came before any dispute."""
    return call.page(WARNING, match=("charge", "payment_intent"))


@route("GET", "/v1/radar/early_fraud_warnings/{early_fraud_warning}")
def warning(call: Call) -> Object:
    """Return a warning."""
    return call.tx.get(WARNING, call.path["early_fraud_warning"])
