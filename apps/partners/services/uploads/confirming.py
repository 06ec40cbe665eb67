"""Agree to what a preview says; a worker carries it out."""

from collections import Counter

from django.db import transaction

from apps.core.clock import database_now
from apps.core.queue import enqueue
from apps.credits.selectors import balance_of, main_wallet
from apps.partners.errors.uploads import (
    PoolTooSmall,
    UploadChanged,
    UploadHasEnded,
    UploadHasNothing,
    UploadHasWrongRows,
    UploadNotMapped,
)
from apps.partners.models import Upload, UploadRow
from apps.partners.selectors.uploads import TO_DO
from apps.partners.services.award_checks import check_campaign
from apps.partners.services.programmes import lock_active, lock_partner
from apps.partners.services.uploads.storing import lock_upload, look_again
from apps.tenants.models import User
from apps.tenants.services import audit

CARRY_OUT = "partners.carry_out_upload"


@transaction.atomic
def confirm_upload(
    *, upload: Upload, mode: Upload.Mode, credits: int, by: User | None = None
) -> Upload:
    """
    Hand on what the rows say, once: `credits` is what the preview said that it takes.

    Confirmed again, it is returned as it is.

    :raises UploadHasEnded: if it was discarded.
    :raises PartnerSuspended: if staff have suspended the programme.
    :raises UploadNotMapped: if nobody said yet which column is what.
    :raises UploadChanged: if it would take another number of credits now.
    :raises UploadHasNothing: if no row would do anything.
    :raises UploadHasWrongRows: if it shall be all or nothing, and rows are wrong.
    :raises PoolTooSmall: if the pool does not have the credits.
    :raises CampaignClosed: if its campaign has not begun, or has ended.
    :raises CampaignBudgetSpent: if the campaign's budget does not cover the credits.
    """
    lock_partner(upload.partner)
    locked = lock_upload(upload)
    if locked.status == Upload.Status.DISCARDED:
        raise UploadHasEnded(upload_status=locked.get_status_display().lower())
    if locked.confirmed_at:
        return locked
    lock_active(locked.partner)
    if locked.status == Upload.Status.MAPPING:
        raise UploadNotMapped
    look_again(locked)
    _check(locked, mode, seen=credits)
    locked.status, locked.mode = Upload.Status.CONFIRMED, mode
    locked.confirmed_by, locked.confirmed_at = by, database_now()
    locked.save(update_fields=["status", "mode", "confirmed_by", "confirmed_at"])
    audit.record(
        action="partner.confirm_upload",
        organization=locked.organization,
        object_id=locked.public_id,
        after={"mode": mode.value, "credits": locked.credits},
    )
    enqueue(CARRY_OUT, upload_id=str(locked.pk))
    return locked


def _check(upload: Upload, mode: Upload.Mode, *, seen: int) -> None:
    statuses = UploadRow.objects.filter(upload=upload).values_list("status", flat=True)
    counted = Counter(statuses)
    wrong = counted[UploadRow.Status.WRONG]
    if upload.credits != seen:
        raise UploadChanged(seen=seen, credits=upload.credits)
    if not any(counted[status] for status in TO_DO):
        raise UploadHasNothing(repeated=counted[UploadRow.Status.REPEATED], wrong=wrong)
    if mode == Upload.Mode.ALL and wrong:
        raise UploadHasWrongRows(wrong=wrong)
    if upload.campaign:
        check_campaign(upload.campaign, upload.credits, database_now())
    available = balance_of(main_wallet(upload.organization)).available
    if upload.credits > available:
        raise PoolTooSmall(required=upload.credits, available=available)
