"""Mails that tell who has waited what is offered to him."""

from django.conf import settings
from django.urls import reverse

from apps.capacity.models import WaitlistEntry
from apps.capacity.selectors.projects import day_of, fee_on
from apps.core.mail import Letter, Queue
from apps.rbac.selectors import members_with

Status = WaitlistEntry.Status
TO_ACCEPT = "capacity.reserve"


def letters_of(rows: list[WaitlistEntry]) -> list[Letter]:
    """Tell whoever may accept it of an offer that stands, or of what he has got for nothing."""
    (entry,) = rows
    reservation = entry.reservation
    if reservation is None or entry.status not in (Status.OFFERED, Status.TAKEN):
        return []
    if reservation.paid_at is not None:  # he was quicker than this mail, and knows
        return []
    to = list(members_with(entry.organization, TO_ACCEPT).values_list("email", flat=True))
    content = {
        "organization": entry.organization,
        "project": entry.project,
        "reservation": reservation,
        "is_taken": entry.status == Status.TAKEN,
        "monthly_fee": fee_on(
            entry.project, reservation.capacity_kw, day_of(reservation.created_at)
        ),
        "url": settings.BASE_URL + reverse("capacity:waiting", args=[entry.organization.slug]),
    }
    return [Letter("emails/capacity/offer", to, content)] if to else []


QUEUE = Queue(
    name="capacity_offers",
    # The offer is read once the entry is locked: joined, it would be as it was before the wait.
    rows=lambda: WaitlistEntry.objects.select_related("organization", "project"),
    letters=letters_of,
)
