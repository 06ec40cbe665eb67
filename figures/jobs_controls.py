"""
Guards of jobs, each taken out by itself in the process that runs it, as it must not be done.

A figure's control runs with one of them; nothing in the app knows of them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest import mock

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.core import ids
from apps.jobs.models import Attempt, GenerationArea, GenerationJob
from apps.jobs.models.jobs import UNFINISHED
from apps.jobs.selectors.offers import offer_of
from apps.jobs.services import claiming, paying, running, sweeping

BLINK_SECONDS = 0.01  # that a process may have to wait at any moment

# Whose area has waited longest, whoever was served last.
OLDEST_FIRST = """
    SELECT queue.organization_id FROM jobs_organizationqueue queue
      JOIN jobs_generationarea area ON area.organization_id = queue.organization_id
     WHERE area.status = 'pending' AND area.operation_type = ANY (%(operations)s)
     ORDER BY area.id LIMIT 1 FOR NO KEY UPDATE OF queue
"""


@contextmanager
def paying_at_each_claim(*, is_keyed: bool) -> Iterator[None]:
    """
    Let a worker pay for what he takes, as where nobody knows whether it was paid before.

    With the key of the attempt that is paid once, whoever asks for it how often. Without, each
    claim after the first is a charge of its own.
    """
    take = claiming.claim_area

    def claim_and_pay(**asked: object) -> GenerationArea | None:
        area = take(**asked)  # type: ignore[arg-type]
        if area is not None:
            attempt = Attempt.objects.get(area=area, outcome=Attempt.Outcome.OPEN)
            if not is_keyed and area.claims > 1:
                attempt.charge_reference += f":{area.claims}"
            if attempt.hold_id is None:
                with transaction.atomic():
                    paying._charge(attempt, area.job, offer_of(area.operation_type))
        return area

    with mock.patch.object(running, "claim_area", claim_and_pay):
        yield


@contextmanager
def taking_without_a_lock() -> Iterator[None]:
    """Let a worker look what waits longest, and then take it, whoever did so meanwhile."""

    def look_and_take(**asked: object) -> GenerationArea | None:
        areas = GenerationArea.objects.select_related("job", "organization", "upload")
        found = areas.filter(status="pending").order_by("id").first()
        if found is None:
            return None
        time.sleep(BLINK_SECONDS)
        taken = GenerationArea.objects.filter(pk=found.pk, status__in=UNFINISHED).update(
            status="processing",
            claim=ids.new_id(),
            claimed_until=Now() + claiming.LEASE,
            claims=F("claims") + 1,
        )
        GenerationJob.objects.filter(pk=found.job_id, status="pending").update(
            status="processing", started_at=Now()
        )
        return areas.get(pk=found.pk) if taken else None

    with mock.patch.object(running, "claim_area", look_and_take):
        yield


@contextmanager
def never_ringing_again() -> Iterator[None]:
    """Let a ring that is lost be lost, as where the broker's messages are the queue."""
    with mock.patch.object(sweeping, "ring_for_waiting_areas", return_value=0):
        yield


@contextmanager
def serving_the_oldest_first() -> Iterator[None]:
    """Hand out what waits longest, whoever it is from."""
    with mock.patch.object(claiming, "NEXT", OLDEST_FIRST):
        yield


CONTROLS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "paying_anew": lambda: paying_at_each_claim(is_keyed=False),
    "taking_without_a_lock": taking_without_a_lock,
    "never_ringing_again": never_ringing_again,
}
