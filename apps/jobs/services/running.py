"""
Do work that waits, with the runners that are built in: take it, run it, say how it ended.

Whoever lost his claim, because he was slow or his machine died, writes nothing more; the
sweep lets somebody else have the area.
"""

import time

import structlog
from django.core.files.storage import default_storage

from apps.core import context
from apps.core.db import outside_transaction
from apps.jobs.models import GenerationArea
from apps.jobs.runners.protocol import ReportProgress, Result, RunFailed
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services.claiming import claim_area, renew_claim
from apps.jobs.services.ending import complete_area, fail_area
from apps.jobs.services.looks import parameters_of

logger = structlog.get_logger(__name__)
PROGRESS_SECONDS = 0.5
WORKER = "built-in"


class ClaimLost(Exception):
    """Another has the area by now, or it has ended: what is made of it is of no use."""


@outside_transaction
def work() -> bool:
    """
    Take the area whose turn it is and run it; tell whether there was one.

    Safe to repeat and to call from many workers at once: each takes another one.
    """
    area = claim_area(operations=tuple(RUNNERS), worker=WORKER)
    if area is None:
        return False
    with context.acting(actor="system:jobs"):
        run_area(area)
    return True


def run_area(area: GenerationArea) -> bool:
    """Run an area that we have claimed; tell whether our claim held to the end."""
    claim = area.claim
    assert claim is not None
    try:
        result = _run(area)
    except ClaimLost:
        return False
    except RunFailed as error:
        return fail_area(area=area, claim=claim, code=error.code, message=str(error))
    except Exception:
        # The edge of the worker: whatever a runner breaks on, the customer is refunded.
        logger.exception("runner_broke", area=area.public_id)
        message = "Something broke on our side while the picture was worked on."
        return fail_area(area=area, claim=claim, code="internal_error", message=message)
    # The last report may be long ago, and to store the result takes time as well.
    if not renew_claim(area=area, claim=claim):
        return False
    return complete_area(area=area, claim=claim, result=result)


def _run(area: GenerationArea) -> Result:
    if area.upload is None:
        raise RunFailed("upload_gone", "The picture is no longer kept.")
    with default_storage.open(str(area.upload.file)) as file:
        picture = file.read()
    return RUNNERS[area.operation_type].run(picture, parameters_of(area), _reporter(area))


def _reporter(area: GenerationArea) -> ReportProgress:
    """Return what the runner calls: it writes at most twice a second, and keeps the lease."""
    last = [time.monotonic()]

    def report(percent: int) -> None:
        if time.monotonic() - last[0] >= PROGRESS_SECONDS:
            last[0] = time.monotonic()
            assert area.claim is not None
            if not renew_claim(area=area, claim=area.claim, progress=percent):
                raise ClaimLost

    return report
