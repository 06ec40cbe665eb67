"""
Mails: a subject, a text and the same as HTML, from three templates of one name.

Rows are the queue (docs/adr/0007). A row that needs a mail has a `mail_due_at`; a worker
claims it by moving that on by a lease, commits, sends, and then clears it. Delivery is at
least once: the claim of a worker that died ends, and another takes the row over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from apps.core.clock import database_now
from apps.core.db import outside_transaction

LEASE = timedelta(minutes=15)  # longer than any mail server takes


@dataclass(frozen=True)
class Claim:
    """A row whose mail is ours to send until its lease ends."""

    pk: UUID
    until: datetime


@dataclass(frozen=True)
class Round:
    """What one round of sending did; `has_more` says that another one is worth it."""

    mails: int
    failed: int
    has_more: bool


@transaction.atomic
def claim_mails(rows: QuerySet[Any], *, limit: int) -> list[Claim]:
    """
    Claim up to `limit` of the rows whose `mail_due_at` has come, the oldest first.

    Safe from several workers at once: rows in other hands are skipped.
    """
    now = database_now()
    due = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(
        mail_due_at__lte=now
    )
    claims = [Claim(row.pk, now + LEASE) for row in due.order_by("mail_due_at", "pk")[:limit]]
    rows.filter(pk__in=[claim.pk for claim in claims]).update(mail_due_at=now + LEASE)
    return claims


def renew_claim(rows: QuerySet[Any], claim: Claim, **changes: Any) -> Claim | None:
    """Let the lease begin now, right before the mail; None if somebody else has the row."""
    renewed = Claim(claim.pk, database_now() + LEASE)
    ours = rows.filter(pk=claim.pk, mail_due_at=claim.until)
    return renewed if ours.update(mail_due_at=renewed.until, **changes) else None


@outside_transaction
def send_mail(*, template: str, to: Sequence[str], context: Mapping[str, Any]) -> None:
    """
    Send one mail to all of these addresses, so that it goes to all of them or to none.

    `template` is the beginning of `…_subject.txt`, `…_message.txt` and `…_message.html`.
    Times are written in UTC, because the addresses may be in several zones.

    :raises OSError: if the mail server does not take it.
    """
    site = {"domain": urlsplit(settings.BASE_URL).netloc}
    with timezone.override(timezone.get_default_timezone()):
        subject, text, html = (
            render_to_string(f"{template}_{part}", {"current_site": site, **context})
            for part in ("subject.txt", "message.txt", "message.html")
        )
    mail = EmailMultiAlternatives(" ".join(subject.split()), text, to=list(to))
    mail.attach_alternative(html, "text/html")
    mail.send()
