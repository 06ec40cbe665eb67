"""
Send the mails of invitations. The rows are the queue (docs/adr/0007).

A worker claims a row for as long as a lease, makes a new link, keeps its digest, commits,
and sends. Delivery is at least once: a worker that dies between the mail server's yes and
the last write leaves a row that another sends again, with a link that replaces the first.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.mail import send_mail
from apps.rbac.models import Invitation
from apps.rbac.services import invitation_links

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=15)  # longer than any mail server takes
MOST_ATTEMPTS = 8  # two hours; then the page says that the mail did not go out


@dataclass(frozen=True)
class Round:
    """What one round did; `has_more` says that another one is worth it."""

    sent: int
    failed: int
    has_more: bool


@outside_transaction
def send_due_invitations(*, limit: int = 50) -> Round:
    """Send what is due, up to `limit` mails. Safe to repeat, and from several workers at once."""
    claims = _claim(limit)
    results = [_deliver(invitation, token) for invitation, token in claims]
    return Round(results.count(True), results.count(False), has_more=len(claims) == limit)


@transaction.atomic
def _claim(limit: int) -> list[tuple[Invitation, str]]:
    """Take over what is due, each with a link of its own that is kept nowhere."""
    now = database_now()
    due = (
        Invitation.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("organization", "role", "invited_by")
        .filter(mail_due_at__lte=now, expires_at__gt=now, status=Invitation.Status.PENDING)
        .order_by("mail_due_at", "id")[:limit]
    )
    claims = []
    for one in due:
        token = invitation_links.new_token()
        one.digest = invitation_links.digest_of(token)
        one.mail_attempts += 1
        one.mail_due_at = now + LEASE
        one.save(update_fields=["digest", "mail_attempts", "mail_due_at"])
        claims.append((one, token))
    return claims


def _deliver(invitation: Invitation, token: str) -> bool:
    """Send one mail, and close its row if it is still ours."""
    try:
        send_mail(
            template="emails/rbac/invitation",
            to=[invitation.email],
            context=_content(invitation, token),
        )
    except Exception:  # one mail that fails must not keep the others
        logger.exception("invitation_mail_failed", invitation=invitation.public_id)
        if invitation.mail_attempts >= MOST_ATTEMPTS:
            _own(invitation).update(mail_due_at=None)
        return False
    _own(invitation).update(mail_due_at=None, sent_at=database_now())
    return True


def _own(invitation: Invitation) -> Any:
    """Return the row for as long as no other worker, and no resend, has replaced our link."""
    return Invitation.objects.filter(pk=invitation.pk, digest=invitation.digest)


def _content(invitation: Invitation, token: str) -> dict[str, Any]:
    path = reverse("invitation", args=[token])
    return {
        "organization": invitation.organization,
        "role": invitation.offered_role.name,
        "inviter": invitation.invited_by,
        "expires_at": invitation.expires_at,
        "email": invitation.email,
        "url": f"{settings.BASE_URL}{path}",
    }
