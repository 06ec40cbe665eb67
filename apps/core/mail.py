"""
Mails: a subject, a text and the same as HTML, from three templates of one name.

Rows are the queue (docs/adr/0007, docs/guides/tasks.md). A row that needs a mail has a
`mail_due_at`. A worker claims it by moving that on to the end of a lease; right before it
sends, it locks the row, sees whether that moment still stands there, and writes a new one.
This moment is the whole fence: whatever ends or renews the need of a mail changes it, and so
does another worker; whoever finds another one there sends nothing and writes nothing.

Delivery is at least once: the claim of a worker that died ends, and another takes over.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.models import Mailed

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=15)  # longer than any mail server takes
ROWS_OF_A_ROUND = 20  # few: a mail server that hangs takes EMAIL_TIMEOUT for each of them
MOST_ATTEMPTS = 8  # the pauses between them double: 32 hours from the first to the last


@dataclass(frozen=True)
class Letter:
    """One mail that a row needs, and what the row says once the mail server has taken it."""

    template: str
    to: Sequence[str]
    context: Mapping[str, Any]
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Queue[M: Mailed]:
    """
    Which rows need mails, and what those say.

    `letters` is asked right before the mails, with the rows locked that share them, and may
    change these rows: a new secret, an amount. Without a letter there is nothing to tell any
    more. A row that it gives no `mail_due_at` is left out of the letters for good.
    """

    name: str  # of the task's argument and of the log lines
    rows: Callable[[], QuerySet[M]]  # asked for late: managers of tenants need to know whose
    letters: Callable[[list[M]], list[Letter]]
    batch: Callable[[M], Q] = lambda row: Q(pk=row.pk)  # the claimed rows that share the mails
    fill: Callable[[int], int] = lambda limit: 0  # writes up to so many rows that became due
    after: Callable[[M], dict[str, Any]] = lambda row: {"mail_due_at": None}  # once it is over


@dataclass(frozen=True)
class Claim:
    """A row whose mail is ours to send until its lease ends."""

    pk: UUID
    until: datetime


@dataclass(frozen=True)
class Round:
    """What one round of sending did; `has_more` says that another one is worth it."""

    mails: int  # rows, or batches of them, whose mails all went out
    failed: int
    has_more: bool


@dataclass(frozen=True)
class _Held[M: Mailed]:
    """Rows that we have locked and claimed anew, with what must be said of them."""

    queue: Queue[M]
    rows: list[M]
    letters: list[Letter]
    until: datetime

    def write(self, **changes: Any) -> bool:
        """Change the rows that are still ours; tell whether there are any."""
        ours = self.queue.rows().filter(pk__in=[one.pk for one in self.rows])
        return ours.filter(mail_due_at=self.until).update(**changes) > 0

    def renewed(self) -> "_Held[M] | None":
        """Let the lease begin now, before another letter; None if the rows are ours no more."""
        until = _end_of_lease(database_now())
        return replace(self, until=until) if self.write(mail_due_at=until) else None

    def end(self, **changes: Any) -> None:
        """Let the rows wait no more, as the queue says."""
        for row in self.rows:
            self._ours(row).update(**self.queue.after(row), **changes)

    def wait(self) -> None:
        """Let each row wait for its next attempt, or for none after the last."""
        now = database_now()
        for row in self.rows:
            if row.mail_attempts < MOST_ATTEMPTS:
                self._ours(row).update(mail_due_at=now + LEASE * 2 ** (row.mail_attempts - 1))
            elif self._ours(row).update(**self.queue.after(row)):
                logger.error("mail_given_up", queue=self.queue.name, row=row.public_id)

    def _ours(self, row: M) -> QuerySet[M]:
        return self.queue.rows().filter(pk=row.pk, mail_due_at=self.until)


_queues: dict[str, Queue[Any]] = {}


def register(queue: Queue[Any]) -> None:
    """
    Let the task `core.send_mails` know a queue by its name.

    :raises ValueError: if another one is called so.
    """
    if _queues.setdefault(queue.name, queue) != queue:
        raise ValueError(f"Two queues of mails are called {queue.name}.")


def queues() -> dict[str, Queue[Any]]:
    """Return every registered queue by name, in the order of their names."""
    return dict(sorted(_queues.items()))


@outside_transaction
def send_due[M: Mailed](queue: Queue[M], *, limit: int = ROWS_OF_A_ROUND) -> Round:
    """
    Send what is due for up to `limit` rows. Safe to repeat, and from several workers at once.

    What fails is tried again after a pause that doubles, MOST_ATTEMPTS times in all.
    """
    found = queue.fill(limit)
    claims = claim_mails(queue.rows(), limit=limit)
    done = [_deliver(queue, claim) for claim in claims]
    return Round(done.count(True), done.count(False), has_more=limit in (found, len(claims)))


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
    until = _end_of_lease(now)
    claims = [Claim(row.pk, until) for row in due.order_by("mail_due_at", "pk")[:limit]]
    rows.filter(pk__in=[claim.pk for claim in claims]).update(mail_due_at=until)
    return claims


def _end_of_lease(now: datetime) -> datetime:
    """Return an end that no other claim has, even where the clock stands still."""
    return now + LEASE - timedelta(microseconds=secrets.randbelow(1_000_000))


def _deliver[M: Mailed](queue: Queue[M], claim: Claim) -> bool | None:
    """Send the mails of one claim; return None if there is nothing to send any more."""
    try:
        held = _hold(queue, claim)
    except Exception:  # what cannot be said of one row must not keep the others
        logger.exception("mail_not_written", queue=queue.name, row=str(claim.pk))
        _put_off(queue, claim)
        return False
    if held is None:
        return None
    if not held.letters:
        logger.info("mail_dropped", queue=queue.name, row=held.rows[0].public_id)
        held.end()
        return None
    return _send(held)


@transaction.atomic
def _hold[M: Mailed](queue: Queue[M], claim: Claim) -> _Held[M] | None:
    """Lock what is claimed, begin its lease anew, and write its letters; None if it is not ours."""
    ours = queue.rows().filter(mail_due_at=claim.until)
    claimed = ours.filter(pk=claim.pk).first()
    if claimed is None:
        return None
    locked = ours.filter(queue.batch(claimed)).select_for_update(no_key=True, of=("self",))
    rows = list(locked.order_by("pk"))
    until = _end_of_lease(database_now())
    for row in rows:
        row.mail_due_at, row.mail_attempts = until, row.mail_attempts + 1
        if row.mail_attempts > MOST_ATTEMPTS:  # whoever died after so many may have sent them all
            _change(row, queue.after(row))
    due = [row for row in rows if row.mail_due_at == until]
    letters = queue.letters(due) if due else []
    for row in rows:
        row.save()
    return _Held(queue, rows, letters, until) if rows else None


@transaction.atomic
def _put_off[M: Mailed](queue: Queue[M], claim: Claim) -> None:
    """Count an attempt whose letters could not be written; the next one waits as others do."""
    ours = queue.rows().filter(pk=claim.pk, mail_due_at=claim.until)
    row = ours.select_for_update(no_key=True, of=("self",)).first()
    if row is not None:
        row.mail_attempts += 1
        held = _Held(queue, [row], [], claim.until)
        held.write(mail_attempts=row.mail_attempts)
        held.wait()


def _change(row: Mailed, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)


def _send[M: Mailed](held: _Held[M]) -> bool | None:
    """Send each letter by itself; what the server does not take waits for the next attempt."""
    have_gone = 0
    for number, letter in enumerate(held.letters):
        renewed = held.renewed() if number else held
        if renewed is None:
            return None
        held = renewed
        if _try(held, letter):
            have_gone += 1
            if letter.changes:
                held.write(**letter.changes)
    if have_gone == len(held.letters):
        held.end(sent_at=database_now())
        return True
    held.wait()
    return False


def _try[M: Mailed](held: _Held[M], letter: Letter) -> bool:
    try:
        send_mail(template=letter.template, to=letter.to, context=letter.context)
    except Exception:  # one mail must not keep the others
        logger.exception("mail_failed", queue=held.queue.name, row=held.rows[0].public_id)
        return False
    return True


@outside_transaction
def send_mail(*, template: str, to: Sequence[str], context: Mapping[str, Any]) -> None:
    """
    Send one mail to those of these addresses that the mail server takes.

    `template` is the beginning of `…_subject.txt`, `…_message.txt` and `…_message.html`.
    Times are written in UTC, because the addresses may be in several zones.

    :raises OSError: if it takes none of them, or is not there.
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
