"""What each operation costs: as it was quoted, and metered ones never more than was held."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.invariants import verify
from apps.credits.models import Hold, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services import prices
from apps.credits.services.grants import grant_credits
from apps.jobs.errors import InvalidParameters
from apps.jobs.models import Attempt, BlobUpload, GenerationJob
from apps.jobs.runners.protocol import Result
from apps.jobs.services.claiming import claim_area
from apps.jobs.services.ending import complete_area
from apps.jobs.services.quotes import quote_job
from apps.jobs.services.submission import AreaRequest, submit_job
from tests.jobs.work import available, make_upload, picture, set_price, work_off
from tests.people import make_member, make_organization

pytestmark = pytest.mark.django_db
ENLARGE, SHEET = "image.enlarge", "image.contact_sheet"


@pytest.fixture
def organization():
    set_price()
    prices.set_price(name=SHEET, credit_cost=3, category="compute")
    metered = {"metered": "megapixel"}
    prices.set_price(name=ENLARGE, credit_cost=2, category="compute", metadata=metered)
    organization = make_organization()
    grant_credits(
        wallet=main_wallet(organization),
        amount=10_000,
        kind=Lot.Kind.PURCHASE,
        reference="pack",
        source="test",
    )
    return organization


@pytest.fixture
def developer(organization):
    return make_member(organization, "developer")


@pytest.mark.parametrize(
    ("operation", "parameters", "cost"),
    [
        ("image.restyle", {"style": "meadow"}, 5),
        (SHEET, {"columns": 2, "rows": 2, "cell": 64}, 3),
        (ENLARGE, {"factor": 2}, 2),  # of 800 × 600 pixels, one begun megapixel
        (ENLARGE, {"factor": 4}, 4),  # of 1,600 × 1,200, two
    ],
)
def test_a_job_costs_what_was_quoted(organization, developer, operation, parameters, cost):
    upload = make_upload(organization, developer, picture(size=(400, 300)))
    areas = [AreaRequest(upload, parameters)]
    before = available(organization)
    quote = quote_job(organization=organization, operation=operation, areas=areas)

    job = submit_job(organization=organization, user=developer, operation=operation, areas=areas)
    assert work_off() == 1

    job.refresh_from_db()
    assert (job.status, job.cost, quote.cost) == ("completed", cost, cost)
    assert before - available(organization) == cost
    assert all(finding.failures == 0 for finding in verify())


def wide(organization, developer, width: int, height: int) -> BlobUpload:
    """An upload of this size as far as anybody asks who does not open it."""
    upload = make_upload(organization, developer)
    BlobUpload.objects.filter(pk=upload.pk).update(width=width, height=height)
    upload.refresh_from_db()
    return upload


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 3000), st.integers(1, 1000), st.sampled_from([2, 3]), st.integers(0, 2))
def test_what_is_captured_is_never_more_than_was_held(
    organization, developer, width, height, factor, lie
):
    """Also where a worker of somebody else makes more than was asked of him."""
    before = available(organization)
    request = AreaRequest(wide(organization, developer, width, height), {"factor": factor})
    job = submit_job(organization=organization, user=developer, operation=ENLARGE, areas=[request])
    held = before - available(organization)
    area = claim_area(operations=[ENLARGE], worker="test")
    size = (width * factor + lie * 1000, height * factor)

    assert complete_area(area=area, claim=area.claim, result=Result(b"x", "image/png", *size))

    megapixels = -(-size[0] * size[1] // 1_000_000)
    attempt = Attempt.objects.get(area__job=job)
    assert attempt.cost == before - available(organization) == min(2 * megapixels, held)
    assert lie or attempt.cost == held
    assert attempt.hold.amount == held
    assert not Hold.objects.filter(status="open").exists()


@pytest.mark.parametrize(
    ("operation", "parameters", "size", "words"),
    [
        (ENLARGE, {"factor": 4}, (2000, 1300), "factor: The result would be 8,000 × 5,200 pixels"),
        (SHEET, {"columns": 10, "rows": 10, "cell": 900}, (64, 64), "cell: The result would be"),
    ],
)
def test_what_would_be_too_large_is_refused_before_it_is_paid(
    organization, developer, operation, parameters, size, words
):
    areas = [AreaRequest(wide(organization, developer, *size), parameters)]
    before = available(organization)

    for ask in (
        lambda: quote_job(organization=organization, operation=operation, areas=areas),
        lambda: submit_job(
            organization=organization, user=developer, operation=operation, areas=areas
        ),
    ):
        with pytest.raises(InvalidParameters) as refusal:
            ask()
        assert words in str(refusal.value)
    assert available(organization) == before
    assert not GenerationJob.objects.exists()
