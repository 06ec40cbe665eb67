"""What becomes of automatic reload when an attempt ends, a card changes, or somebody says go on."""

from datetime import timedelta
from uuid import UUID

from apps.billing.models import AutoReload, Customer, Payment
from apps.billing.models.reload import MOST_FAILURES
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.credits.selectors import balance_of, main_wallet
from apps.tenants.models import Organization
from apps.tenants.services.audit import record

# After the first and the second decline in a row; the third one suspends.
BACK_OFF = (timedelta(hours=1), timedelta(hours=6))
# Declines that no later attempt with the same card changes.
FOR_GOOD = frozenset(
    {
        *("account_closed", "card_not_supported", "expired_card", "fraudulent", "lost_card"),
        *("incorrect_number", "invalid_account", "invalid_number", "merchant_blacklist"),
        *("new_account_information_available", "no_action_taken", "pickup_card"),
        *("restricted_card", "revocation_of_all_authorizations", "revocation_of_authorization"),
        *("security_violation", "stolen_card", "stop_payment_order", "transaction_not_allowed"),
    }
)
AT_THE_SECOND = "do_not_honor"  # says nothing the first time, and enough when it comes again
TOP_UPS = (Payment.Purpose.PACK, Payment.Purpose.CUSTOM, Payment.Purpose.RELOAD)
State, Reason = AutoReload.State, AutoReload.Reason


def _locked(organization_id: UUID) -> AutoReload | None:
    return (
        AutoReload.objects.select_for_update(of=("self",))
        .select_related("organization")
        .filter(organization_id=organization_id)
        .first()
    )


@inside_transaction
def note_move(*, payment: Payment) -> None:
    """Draw the conclusions from an attempt that was not paid, or not yet."""
    if payment.purpose != Payment.Purpose.RELOAD:
        return
    reload = _locked(payment.organization_id)
    if reload is None:
        return
    if payment.status == Payment.Status.ACTION_REQUIRED:
        _stop(reload, payment, State.PAUSED, Reason.ACTION_REQUIRED)
    elif payment.status == Payment.Status.FAILED:
        _note_failure(reload, payment)
    elif payment.status == Payment.Status.CANCELLED:
        reload.is_armed = True
    else:
        return
    reload.save()


def _note_failure(reload: AutoReload, payment: Payment) -> None:
    now = database_now()
    reload.consecutive_failures = min(MOST_FAILURES, reload.consecutive_failures + 1)
    reload.is_armed = True  # what comes next is for the back-off to say
    customer = Customer.objects.filter(organization=reload.organization).first()
    reload.failed_fingerprint = customer.card_fingerprint if customer else ""
    code = payment.failure_code
    if code == "authentication_required":
        _stop(reload, payment, State.PAUSED, Reason.ACTION_REQUIRED)
    elif code == "refused":
        _stop(reload, payment, State.SUSPENDED, Reason.REFUSED)
    elif code in FOR_GOOD or _came_again(reload, payment):
        _stop(reload, payment, State.SUSPENDED, Reason.DECLINED_FOR_GOOD)
    elif reload.consecutive_failures >= MOST_FAILURES:
        _stop(reload, payment, State.SUSPENDED, Reason.DECLINED)
    else:
        reload.back_off_until = now + BACK_OFF[reload.consecutive_failures - 1]


def _came_again(reload: AutoReload, payment: Payment) -> bool:
    """Tell whether the bank said the same as the last time, and means it."""
    if payment.failure_code != AT_THE_SECOND or reload.consecutive_failures < 2:
        return False
    earlier = Payment.objects.filter(
        organization=payment.organization_id,
        purpose=Payment.Purpose.RELOAD,
        status=Payment.Status.FAILED,
        created_at__lt=payment.created_at,
    )
    codes = earlier.order_by("-created_at").values_list("failure_code", flat=True)
    return codes.first() == AT_THE_SECOND


def _stop(
    reload: AutoReload, payment: Payment, state: AutoReload.State, reason: AutoReload.Reason
) -> None:
    """Charge no more until somebody has done something; he is told by mail."""
    if reload.state == state and reload.reason == reason:
        return
    reload.state, reload.reason = state, reason
    reload.back_off_until = None
    _tell(reload, payment)
    record(
        action="auto_reload.stopped",
        organization=reload.organization,
        object_id=reload.public_id,
        after={"state": state, "reason": reason, "payment": payment.public_id},
    )


def _tell(reload: AutoReload, payment: Payment) -> None:
    reload.news = payment
    reload.mail_due_at = database_now()
    reload.mail_attempts = 0
    enqueue("core.send_mails", queue="reloads")


@inside_transaction
def note_paid(*, payment: Payment) -> None:
    """Let a top-up that was paid say that the card works; of a reload, tell by mail."""
    if payment.purpose not in TOP_UPS or not payment.amount:
        return
    reload = _locked(payment.organization_id)
    if reload is None:
        return
    _clear(reload, because="payment", of=payment.public_id)
    available = balance_of(main_wallet(reload.organization)).available
    reload.is_armed = available >= reload.threshold
    if payment.purpose == Payment.Purpose.RELOAD:
        _tell(reload, payment)
    reload.save()


@inside_transaction
def note_card(*, customer: Customer) -> None:
    """Let another card than the one that was declined have its own chance."""
    reload = _locked(customer.organization_id)
    if reload is None or not customer.card_fingerprint:
        return
    if customer.card_fingerprint != reload.failed_fingerprint:
        _clear(reload, because="card", of=customer.public_id)
        reload.save()


@inside_transaction
def resume(*, organization: Organization) -> AutoReload | None:
    """Go on after declines, because somebody who may has said so; None if nothing is set."""
    reload = _locked(organization.pk)
    if reload is not None:
        _clear(reload, because="request", of=reload.public_id)
        reload.save()
    return reload


def _clear(reload: AutoReload, *, because: str, of: str) -> None:
    """Forget what went wrong, and look at once whether a reload is due."""
    was = {
        "state": reload.state,
        "reason": reload.reason,
        "consecutive_failures": reload.consecutive_failures,
    }
    if reload.state == State.READY and not reload.consecutive_failures:
        return
    reload.state, reload.reason = State.READY, Reason.NONE
    reload.consecutive_failures = 0
    reload.back_off_until = None
    reload.failed_fingerprint = ""
    reload.mail_due_at = None
    record(
        action="auto_reload.resumed",
        organization=reload.organization,
        object_id=reload.public_id,
        before=was,
        after={"because": because, "of": of},
    )
    if reload.is_enabled:
        enqueue("billing.reload_if_low", organization_id=str(reload.organization_id))
