"""
What a worker outside does with areas: the same doors as the built-in runners, by claim.

Every call may be repeated. What a claim did is answered again; what it lost is refused, and
writes nothing.
"""

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

import structlog
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.functions import Now

from apps.core.clock import now_in_query
from apps.core.db import outside_transaction
from apps.core.errors import NotFound
from apps.core.files import StoredFile
from apps.core.scope import opened_by
from apps.jobs import selectors
from apps.jobs.errors import ClaimCompleted, ClaimLost, OperationNotAllowed, ResultTooLarge
from apps.jobs.models import ExternalOperation, GenerationArea, WorkerClaim, WorkerKey
from apps.jobs.models.jobs import Status
from apps.jobs.runners.protocol import Result
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services.claiming import claim_area, renew_claim
from apps.jobs.services.ending import complete_area, fail_area, give_back
from apps.jobs.services.pictures import LARGEST_RESULT_FILE, Picture, inspect

logger = structlog.get_logger(__name__)


@outside_transaction
def take(*, key: WorkerKey, operations: Collection[str] = ()) -> WorkerClaim | None:
    """
    Take the area whose turn it is, of these operations or of all that the key is for.

    None if nothing waits. Asks across organizations, so the caller must be allowed to.

    :raises OperationNotAllowed: if the key is not for one of the operations.
    """
    for operation in operations:
        if operation not in key.operations:
            raise OperationNotAllowed(operation=operation, allowed=", ".join(key.operations))
    ours = [one for one in operations or key.operations if one not in RUNNERS]
    area = claim_area(operations=ours, worker=key.public_id)
    if area is None:
        return None
    assert area.claim is not None
    # Of an area whose claim is not written down, its lease ends like that of a dead worker.
    return WorkerClaim.objects.create(
        id=area.claim,
        organization=area.organization,
        area=area,
        worker_key=key,
        digest=digest_of(key, area.claim),
    )


def digest_of(key: WorkerKey, claim_id: UUID) -> bytes:
    """Return what opens a claim: the secret of its key and its id together."""
    return hashlib.sha256(bytes(key.digest) + claim_id.bytes).digest()


def find(*, key: WorkerKey, claim_id: UUID | None) -> WorkerClaim:
    """
    Return the claim with this id that was made with this key, whether it still holds or not.

    :raises NotFound: if there is none; one of another key looks the same.
    """
    if claim_id is None:
        raise NotFound
    digest = digest_of(key, claim_id)
    with opened_by("worker_claim", digest):
        claims = WorkerClaim.objects.select_related("area__job", "area__upload")
        claim = claims.filter(digest=digest).first()
    if claim is None:
        raise NotFound
    return claim


def heartbeat(*, claim: WorkerClaim, progress: int | None = None) -> datetime:
    """
    Keep the area for another lease and return when that ends.

    :raises ClaimLost: if the area is another's by now, has ended, or is past its deadline.
    """
    if renew_claim(area=claim.area, claim=claim.pk, progress=progress):
        in_time = GenerationArea.objects.filter(
            pk=claim.area_id, claim=claim.pk, job__deadline__gt=now_in_query()
        )
        until = in_time.values_list("claimed_until", flat=True).first()
        if until is not None:
            return until
    raise ClaimLost


def picture(*, claim: WorkerClaim) -> StoredFile:
    """
    Return the picture to work on.

    :raises ClaimLost: if the claim no longer holds.
    :raises NotFound: if the picture is no longer kept.
    """
    if not _is_held(_area_of(claim), claim):
        raise ClaimLost
    return selectors.original_of(claim.area)


@outside_transaction
def complete(*, claim: WorkerClaim, content: bytes) -> Picture:
    """
    Keep a picture as the result, and with it the payment; return what was kept.

    What is refused changes nothing: the area is still the worker's, to be completed or failed.

    :raises PictureRefused: if it is too large, damaged, or no picture that we take.
    :raises ResultTooLarge: if it has more pixels than the operation may make.
    :raises ClaimLost: if the claim no longer holds, or the deadline has passed.
    :raises ClaimCompleted: if it was completed before, with another picture.
    """
    # Asked before a pixel is unpacked: whoever has lost his claim makes us do no work.
    area = _area_of(claim)
    is_repeated = _is_completed(area, claim)
    if not is_repeated and not _is_held(area, claim):
        raise ClaimLost
    found = inspect(content, most=LARGEST_RESULT_FILE)
    if not is_repeated:
        _check_size(claim, found)
        result = Result(found.content, found.content_type, found.width, found.height)
        if complete_area(area=claim.area, claim=claim.pk, result=result):
            return found
        area = _area_of(claim)
        if not _is_completed(area, claim):  # by the same call, at the same moment
            raise ClaimLost
    with default_storage.open(str(area.result)) as file:
        if file.read() != found.content:
            raise ClaimCompleted
    return found


def fail(*, claim: WorkerClaim, code: str, message: str) -> None:
    """
    End the area and give its credits back.

    :raises ClaimLost: if the claim no longer holds.
    """
    _end(
        claim,
        WorkerClaim.Outcome.FAILED,
        lambda: fail_area(area=claim.area, claim=claim.pk, code=code, message=message),
    )


def release(*, claim: WorkerClaim, code: str = "", message: str = "") -> None:
    """
    Let another worker have the area; what was taken too often fails instead.

    Why (`code` and `message`) is for staff, in the log.

    :raises ClaimLost: if the claim no longer holds.
    """
    _end(
        claim,
        WorkerClaim.Outcome.RELEASED,
        lambda: give_back(area=claim.area, claim=claim.pk),
    )
    logger.info("worker_released", claim=claim.public_id, code=code, message=message)


@transaction.atomic
def _end(claim: WorkerClaim, outcome: WorkerClaim.Outcome, deed: Callable[[], bool]) -> None:
    """Do it and write down that it was done, both or neither; what was done before is fine."""
    claims = WorkerClaim.objects.filter(pk=claim.pk)
    if deed():
        claims.update(outcome=outcome, ended_at=Now())
    elif not claims.filter(outcome=outcome).exists():
        raise ClaimLost


def _area_of(claim: WorkerClaim) -> GenerationArea:
    """Return the area as it is now; how it stands is told from this one reading of it."""
    return GenerationArea.objects.get(pk=claim.area_id)


def _is_held(area: GenerationArea, claim: WorkerClaim) -> bool:
    return area.status == Status.PROCESSING and area.claim == claim.pk


def _is_completed(area: GenerationArea, claim: WorkerClaim) -> bool:
    """Tell whether the result that is kept is this claim's: its file is named after it."""
    return area.status == Status.COMPLETED and f"-{claim.pk}-" in str(area.result)


def _check_size(claim: WorkerClaim, found: Picture) -> None:
    operation = ExternalOperation.objects.get(code=claim.area.operation_type)
    pixels = found.width * found.height
    if pixels > operation.most_pixels:
        raise ResultTooLarge(operation=operation.code, pixels=pixels, most=operation.most_pixels)
