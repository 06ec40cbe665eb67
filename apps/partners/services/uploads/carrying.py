"""
Carry out what was confirmed: in batches, or as one where it is all or nothing.

A batch is one transaction: members, awards, and what became of each row. So a worker that dies
leaves whole batches, and the next one goes on where it was. That nothing is given twice is held
by the key of each award, not by the rows.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F, Q
from psycopg.types.json import Jsonb

from apps.core import scope
from apps.core.clock import database_now, workers_now
from apps.core.db import outside_transaction
from apps.core.errors import Busy, DomainError
from apps.core.queue import enqueue
from apps.core.sheets import Fault, Line
from apps.partners.errors.uploads import UploadAbandoned, UploadRowRefused
from apps.partners.models import PartnerCredit, PartnerMember, Upload, UploadRow
from apps.partners.selectors.uploads import TO_DO
from apps.partners.services.awards import Awarded, AwardRequest, award_many
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.programmes import lock_active, lock_partner
from apps.partners.services.uploads.checking import (
    Checked,
    changes_of,
    check_lines,
    key_of,
)
from apps.partners.services.uploads.confirming import CARRY_OUT
from apps.partners.services.uploads.parsing import Parsed
from apps.partners.services.uploads.storing import lock_upload
from apps.tenants.services import audit

logger = structlog.get_logger(__name__)
BATCH = 500  # rows of one transaction, where it is not all or nothing
LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 8
Status = UploadRow.Status


@outside_transaction
def carry_out(upload_id: UUID) -> None:
    """Carry an upload out, unless somebody else does. Safe to repeat, and at once."""
    upload = _claim(upload_id)
    if upload is None:
        return
    organization = upload.organization
    with scope.within(organization.pk, organization.clock_at):
        try:
            if upload.attempts > MOST_ATTEMPTS:
                raise UploadAbandoned(attempts=MOST_ATTEMPTS)
            while _carry_batch(upload):
                pass
        except Busy:
            raise  # the sweep rings again
        except DomainError as refusal:
            _end_refused(upload, refusal)


def ring_for_waiting(*, limit: int = 50) -> int:
    """Ring for uploads that nobody carries out, and return how many."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=workers_now())
    waiting = Upload.objects.filter(free, status=Upload.Status.CONFIRMED).order_by("confirmed_at")
    found = list(waiting.values_list("pk", flat=True)[:limit])
    for upload_id in found:
        enqueue(CARRY_OUT, upload_id=str(upload_id))
    return len(found)


def _claim(upload_id: UUID) -> Upload | None:
    """Take it for LEASE; who goes on longer is only joined, and each batch has its lock."""
    now = workers_now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    waiting = Upload.objects.filter(free, pk=upload_id, status=Upload.Status.CONFIRMED)
    if not waiting.update(claimed_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    upload: Upload = Upload.objects.select_related("organization", "partner").get(pk=upload_id)
    return upload


@transaction.atomic
def _carry_batch(upload: Upload) -> bool:
    """Carry the next rows out; return whether there may be more."""
    lock_active(upload.partner)
    locked = lock_upload(upload)
    if locked.status != Upload.Status.CONFIRMED:
        return False
    waiting = UploadRow.objects.filter(upload=locked, status__in=TO_DO).order_by("number")
    is_one = locked.mode == Upload.Mode.ALL
    rows = list(waiting if is_one else waiting[:BATCH])
    if rows:
        _carry(locked, rows)
    locked.done_rows += len(rows)
    locked.claimed_until = workers_now() + LEASE
    if is_one or len(rows) < BATCH:
        _end(locked, Upload.Status.DONE)
    locked.save(update_fields=["done_rows", "claimed_until"])
    return locked.status == Upload.Status.CONFIRMED


def _carry(upload: Upload, rows: Sequence[UploadRow]) -> None:
    """
    Invite and award by these rows, and write down what became of each.

    :raises UploadRowRefused: if it is all or nothing, and one of them is refused.
    """
    checked = check_lines(upload, [Line(row.number, tuple(row.cells)) for row in rows])
    for row, now in zip(rows, checked.rows, strict=True):
        is_wrong = now.status == Status.WRONG  # what was right when it was confirmed
        row.status = Status.FAILED if is_wrong else Status(now.status)
        row.errors, row.member_id, row.award_id = now.errors, now.member_id, now.award_id
    _hand_on(upload, rows, checked)
    failed = [row for row in rows if row.status == Status.FAILED]
    if failed and upload.mode == Upload.Mode.ALL:
        raise UploadRowRefused(row=failed[0].number, problem=failed[0].errors[0]["message"])
    _write(rows)


def _hand_on(upload: Upload, rows: Sequence[UploadRow], checked: Checked) -> None:
    """
    Invite and award by the rows that can be; one whose award is refused invites nobody.

    Whom an award is refused is known only once he is there, so it is tried, and done again
    without those who were refused: each time with fewer rows, and nearly always once or twice.
    """
    doing = [
        (row, said) for row, said in zip(rows, checked.parsed, strict=True) if row.status in TO_DO
    ]
    while doing:
        with transaction.atomic():
            members, answers = _try(upload, doing, checked)
            is_whole = all(isinstance(answer, Awarded) for answer in answers)
            transaction.set_rollback(not is_whole)
        for (row, _), member, answer in zip(doing, members, answers, strict=True):
            _note(row, member, answer, is_kept=is_whole)
        doing = [] if is_whole else [one for one in doing if one[0].status in TO_DO]


def _try(
    upload: Upload, doing: Sequence[tuple[UploadRow, Parsed]], checked: Checked
) -> tuple[list[PartnerMember], list[Awarded | DomainError]]:
    """Take in, rename and award all of these; return the members and what each award came to."""
    groups, by = checked.known.groups, upload.confirmed_by
    people = [
        NewMember(said.email, said.first_name, said.last_name, groups.get(said.group.lower()))
        for _, said in doing
    ]
    members = add_members(partner=upload.partner, people=people, by=by)
    requests, changed = [], []
    for (row, said), member in zip(doing, members, strict=True):
        changes = changes_of(said, member, checked.known)
        for name, value in changes.items():
            setattr(member, name, value)
        if changes and row.status != Status.UNCHANGED:  # who is new was written as the row says
            changed.append(member)
        requests.append(_request(upload, row, member))
    _write_members(changed)
    return members, award_many(partner=upload.partner, requests=requests, by=by)


def _request(upload: Upload, row: UploadRow, member: PartnerMember) -> AwardRequest:
    assert row.credits, "checked when the row was read"
    return AwardRequest(
        member=member,
        credits=row.credits,
        key=key_of(upload.batch, row.email),
        source=PartnerCredit.Source.UPLOAD,
        campaign=upload.campaign,
    )


def _note(
    row: UploadRow, member: PartnerMember, answer: Awarded | DomainError, *, is_kept: bool
) -> None:
    if isinstance(answer, DomainError):
        row.status = Status.FAILED
        row.errors = [Fault("", row.email, answer.code, str(answer)).as_json()]
    elif is_kept:
        row.status, row.member, row.award = Status.DONE, member, answer.award


def _write(rows: Sequence[UploadRow]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE partners_uploadrow AS kept
               SET status = told.status, errors = told.errors,
                   member_id = told.member_id, award_id = told.award_id
              FROM unnest(%s::uuid[], %s::text[], %s::jsonb[], %s::uuid[], %s::uuid[])
                   AS told (id, status, errors, member_id, award_id)
             WHERE kept.id = told.id
            """,
            [
                [row.pk for row in rows],
                [row.status for row in rows],
                [Jsonb(row.errors) for row in rows],
                [row.member_id for row in rows],
                [row.award_id for row in rows],
            ],
        )


def _write_members(members: Sequence[PartnerMember]) -> None:
    """Keep what the rows say of members beside their addresses."""
    if not members:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE partners_partnermember AS kept
               SET first_name = told.first_name, last_name = told.last_name,
                   group_id = told.group_id, updated_at = now()
              FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[])
                   AS told (id, first_name, last_name, group_id)
             WHERE kept.id = told.id
               AND (kept.first_name, kept.last_name, kept.group_id)
                   IS DISTINCT FROM (told.first_name, told.last_name, told.group_id)
            """,
            [
                [member.pk for member in members],
                [member.first_name for member in members],
                [member.last_name for member in members],
                [member.group_id for member in members],
            ],
        )


@transaction.atomic
def _end_refused(upload: Upload, refusal: DomainError) -> None:
    """End what cannot go on: the rows that wait are not carried out any more, and say why."""
    lock_partner(upload.partner)
    locked = lock_upload(upload)
    if locked.status != Upload.Status.CONFIRMED:
        return
    fault = Fault("", "", refusal.code, str(refusal)).as_json()
    rows = UploadRow.objects.filter(upload=locked, status__in=TO_DO)
    rows.update(status=Status.FAILED, errors=[fault])
    locked.problem = str(refusal)[:500]
    locked.save(update_fields=["problem"])
    is_one = locked.mode == Upload.Mode.ALL
    _end(locked, Upload.Status.REFUSED if is_one else Upload.Status.DONE)
    logger.warning("upload_refused", upload=locked.public_id, code=refusal.code)


def _end(upload: Upload, status: Upload.Status) -> None:
    upload.status, upload.ended_at = status, database_now()
    upload.save(update_fields=["status", "ended_at"])
    audit.record(
        action="partner.end_upload",
        organization=upload.organization,
        object_id=upload.public_id,
        after={"status": status.value, "problem": upload.problem},
    )
