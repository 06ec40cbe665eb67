"""
Mails about automatic reload: each charge, and why it stopped.

The row is the queue. It is claimed, the mail goes out after that commit, and the row is closed
only if nothing newer happened meanwhile. Delivery is at least once.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.billing.models import AutoReload, Payment
from apps.billing.selectors.reloads import card_name, card_of
from apps.core import scope
from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.mail import LEASE, Claim, Round, claim_mails, send_mail
from apps.core.money import format_money
from apps.rbac.selectors import members_with

logger = structlog.get_logger(__name__)
MOST_ATTEMPTS = 8
CONTACTS = "billing.manage"


@outside_transaction
def send_due(*, limit: int = 100) -> Round:
    """Send what is due. Safe to repeat, and from several workers at once."""
    claims = claim_mails(AutoReload.objects.all(), limit=limit)
    sent = [_deliver(claim) for claim in claims]
    return Round(sent.count(True), sent.count(False), has_more=len(claims) == limit)


def _deliver(claim: Claim) -> bool | None:
    """Send one mail; None if it is not ours any more, or nobody is there to read it."""
    held = _hold(claim)
    if held is None:
        return None
    reload, until = held
    rows = AutoReload.objects.filter(pk=reload.pk, mail_due_at=until)
    letter = _letter(reload)
    if letter is None:
        rows.update(mail_due_at=None)
        return None
    try:
        send_mail(**letter)
    except Exception:  # one organization's mail must not keep those of others
        logger.exception("reload_mail_failed", organization=reload.organization.public_id)
        is_over = reload.mail_attempts >= MOST_ATTEMPTS
        pause: timedelta = LEASE * 2 ** (reload.mail_attempts - 1)
        rows.update(mail_due_at=None if is_over else database_now() + pause)
        return False
    rows.update(mail_due_at=None)
    return True


@transaction.atomic
def _hold(claim: Claim) -> tuple[AutoReload, Any] | None:
    """Lock the row if the claim is still ours, and let the lease begin right before the mail."""
    reload = (
        AutoReload.objects.select_for_update(of=("self",))
        .select_related("organization", "news")
        .filter(pk=claim.pk, mail_due_at=claim.until)
        .first()
    )
    if reload is None:
        return None
    reload.mail_due_at = database_now() + LEASE
    reload.mail_attempts += 1
    reload.save(update_fields=["mail_due_at", "mail_attempts"])
    return reload, reload.mail_due_at


def _letter(reload: AutoReload) -> dict[str, Any] | None:
    """Return the mail that is needed as things stand now; None if there is nothing to tell."""
    payment, organization = reload.news, reload.organization
    is_stopped = reload.state != AutoReload.State.READY
    if payment is None or not (is_stopped or payment.status == Payment.Status.SUCCEEDED):
        return None
    people = members_with(organization, CONTACTS).values_list("email", flat=True)
    to = list(dict.fromkeys([*people, *filter(None, [organization.billing_email])]))
    if not to:
        logger.warning("reload_mail_has_no_reader", organization=organization.public_id)
        return None
    with scope.within(organization.pk):
        customer = card_of(organization)
    path = reverse("billing:auto_reload", args=[organization.slug])
    return {
        "template": f"emails/billing/reload_{'stopped' if is_stopped else 'charged'}",
        "to": to,
        "context": {
            "organization": organization,
            "reason": reload.reason,
            "price": format_money(payment.amount, payment.currency),
            "amount": payment.credits,
            "card": card_name(customer) if customer else "your card",
            "url": f"{settings.BASE_URL}{path}",
        },
    }
