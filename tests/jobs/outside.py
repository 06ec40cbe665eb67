"""Operations, keys and claims of workers outside, for tests."""

from django.test import Client

from apps.credits.services import prices
from apps.jobs.models import (
    BlobUpload,
    ExternalOperation,
    GenerationArea,
    GenerationJob,
    WorkerClaim,
    WorkerKey,
)
from apps.jobs.services import (
    external_operations,
    submission,
    worker_claims,
    worker_keys,
)
from apps.jobs.services.submission import AreaRequest
from apps.tenants.models import Organization, User
from tests.jobs.work import make_upload
from tests.people import make_member, make_person, with_key

OUTLINE = "image.outline"
CLAIMS = "/api/v1/worker/claims"
PARAMETERS = {
    "type": "object",
    "properties": {"strength": {"type": "integer", "minimum": 1, "maximum": 3, "default": 1}},
}


def make_external(
    code: str = OUTLINE, *, credit_cost: int = 8, metadata: dict | None = None, **fields
) -> ExternalOperation:
    """Make an operation that is sold."""
    prices.set_price(name=code, credit_cost=credit_cost, category="compute", metadata=metadata)
    fields.setdefault("most_pixels", 1_000_000)
    fields.setdefault("parameters", PARAMETERS)
    fields.setdefault("is_active", True)
    return external_operations.make_operation(code=code, name="Outline", **fields)


def make_worker_key(*operations: str, created_by: User | None = None) -> tuple[WorkerKey, str]:
    return worker_keys.create_worker_key(
        name="Test worker",
        operations=operations or [OUTLINE],
        created_by=created_by or make_person(is_staff=True),
    )


def make_claim(organization: Organization, staff: User) -> WorkerClaim:
    """Write down that a worker took an area of the organization, which none did."""
    area = GenerationArea.objects.filter(organization=organization).order_by("pk")[0]
    operation = ExternalOperation.objects.values_list("code", flat=True)[0]
    key, _ = make_worker_key(operation, created_by=staff)
    digest = worker_claims.digest_of(key, area.pk)
    return WorkerClaim.objects.create(
        organization=organization, area=area, worker_key=key, digest=digest
    )


def make_worker(*operations: str) -> Client:
    """Return a client that is a worker."""
    return with_key(make_worker_key(*operations)[1])


def submit_outside(
    organization: Organization,
    *,
    areas: int = 1,
    operation: str = OUTLINE,
    upload: BlobUpload | None = None,
) -> GenerationJob:
    user = make_member(organization, "developer")
    upload = upload or make_upload(organization, user)
    return submission.submit_job(
        organization=organization,
        user=user,
        operation=operation,
        areas=[AreaRequest(upload)] * areas,
    )


def post(worker: Client, claim: dict, verb: str, body: dict | None = None):
    address = f"{CLAIMS}/{claim['id']}/{verb}"
    return worker.post(address, body or {}, content_type="application/json")


def take(worker: Client) -> dict:
    """Claim what is next, which must be there."""
    response = worker.post(CLAIMS, {}, content_type="application/json")
    assert response.status_code == 200, response.content
    return response.json()


def put(worker: Client, claim: dict, content: bytes):
    return worker.put(f"{CLAIMS}/{claim['id']}/result", content, content_type="image/png")
