"""Take back what an upload handed on and nobody has used yet: for staff, once, with a reason."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from apps.core.clock import database_now
from apps.partners import selectors
from apps.partners.errors.uploads import UploadNotDone
from apps.partners.models import PartnerCredit, Upload, UploadRow
from apps.partners.services.programmes import lock_partner
from apps.partners.services.settling import take_back
from apps.partners.services.uploads.storing import lock_upload
from apps.tenants.services import audit


@dataclass(frozen=True)
class Undone:
    """An upload that is undone, and what it took back, in credits: by this call, or none."""

    upload: Upload
    credits: int = 0
    is_replayed: bool = False


@transaction.atomic
def undo_upload(*, upload: Upload, reason: str) -> Undone:
    """
    Take back what is not used of each award of an upload: it returns or lapses by the terms.

    What is used stays used, members stay members, and the batch stays known, so that the same
    file does not hand on again. Queries do not grow with the number of rows.

    :raises UploadNotDone: if it was not carried out.
    """
    partner = lock_partner(upload.partner)
    locked = lock_upload(upload)
    if locked.status == Upload.Status.UNDONE:
        return Undone(locked, is_replayed=True)
    if locked.status != Upload.Status.DONE:
        raise UploadNotDone(upload_status=locked.get_status_display().lower())
    awards = list(awards_of(locked).select_related("member"))
    taken = take_back(partner, awards, selectors.open_lots_of(awards), "undo")
    now = database_now()
    revoked = [award_id for award_id, credits in taken.items() if credits]
    PartnerCredit.objects.filter(pk__in=revoked).update(revoked_at=now, settled_at=now)
    locked.status = Upload.Status.UNDONE
    locked.save(update_fields=["status"])
    audit.record(
        action="partner.undo_upload",
        organization=locked.organization,
        object_id=locked.public_id,
        after={"awards": len(revoked), "taken_back": sum(taken.values())},
        reason=reason,
    )
    return Undone(locked, sum(taken.values()))


def to_take_back(upload: Upload) -> int:
    """Return how many credits would be taken back now."""
    awards = awards_of(upload).select_related("member")
    lots = selectors.open_lots_of(awards)
    return sum(lot.remaining for found in lots.values() for lot in found)


def awards_of(upload: Upload) -> QuerySet[PartnerCredit]:
    """Return the awards that an upload made, and that have not gone by their terms yet."""
    rows = UploadRow.objects.filter(upload=upload, status=UploadRow.Status.DONE)
    return PartnerCredit.objects.filter(pk__in=rows.values("award_id"), settled_at=None)
