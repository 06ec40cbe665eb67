"""What becomes of an entry of the waiting list when the reservation that it was offered ends."""

from datetime import datetime

from apps.capacity.models import Reservation, WaitlistEntry
from apps.core.db import inside_transaction

Status = WaitlistEntry.Status
OUTCOMES = {
    Reservation.Status.ALLOCATED.value: Status.TAKEN,
    Reservation.Status.RELEASED.value: Status.DECLINED,
    Reservation.Status.EXPIRED.value: Status.LAPSED,
    Reservation.Status.LATE.value: Status.LAPSED,
}


@inside_transaction
def end_offer(reservation: Reservation, now: datetime) -> None:
    """Write down what became of an offer, if a locked reservation that has just ended was one."""
    offers = WaitlistEntry.objects.filter(reservation=reservation, status=Status.OFFERED)
    offers.update(status=OUTCOMES[reservation.status], ended_at=now)
