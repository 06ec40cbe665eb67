"""Pictures and jobs for tests."""

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO

from django.core.files.base import ContentFile
from django.db.models.functions import Now
from PIL import Image

from apps.credits import selectors as credits_selectors
from apps.credits.services import prices
from apps.jobs.models import BlobUpload, GenerationArea, GenerationJob
from apps.jobs.services import running, submission, sweeping, uploads
from apps.jobs.services.claiming import claim_area
from apps.jobs.services.submission import AreaRequest
from apps.tenants.models import Organization, User
from tests.people import make_member

OPERATION = "image.restyle"


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), *, plain: bool = False) -> bytes:
    """Return a picture with many colours, or with one."""
    image = Image.new("RGB", size, (120, 120, 120))
    if not plain:
        image.putdata([(x * 3 % 256, x * 7 % 256, x % 256) for x in range(size[0] * size[1])])
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def set_price(credit_cost: int = 5) -> None:
    prices.set_price(name=OPERATION, credit_cost=credit_cost, category="compute", unit="picture")


def make_upload(organization: Organization, user: User, content: bytes | None = None) -> BlobUpload:
    file = ContentFile(content or picture(), name="picture.png")
    return uploads.store_upload(organization=organization, user=user, file=file)


def make_job(
    organization: Organization, user: User | None = None, *, plain: bool = False
) -> GenerationJob:
    user = user or make_member(organization, "developer")
    return make_areas(organization, user, plain=[plain])


def make_areas(
    organization: Organization,
    user: User | None = None,
    *,
    plain: Sequence[bool] = (False, False, False),
    time: timedelta = submission.TIME,
) -> GenerationJob:
    """Submit a job with an area for each of these; those with a plain picture will fail."""
    user = user or make_member(organization, "developer")
    pictures = {one: make_upload(organization, user, picture(plain=one)) for one in set(plain)}
    return submission.submit_job(
        organization=organization,
        user=user,
        operation=OPERATION,
        areas=[AreaRequest(pictures[one], {"style": "dusk"}) for one in plain],
        time=time,
    )


def claim() -> GenerationArea | None:
    """Take whatever is next, as a worker does."""
    return claim_area(operations=[OPERATION], worker="test")


def work_off() -> int:
    """Do all that waits; return how many areas were worked on."""
    done = 0
    while running.work():
        done += 1
    return done


def lose_lease(area: GenerationArea) -> None:
    """Let time pass until the claim of a worker that died has run out, and is taken back."""
    lost = GenerationArea.objects.filter(pk=area.pk)
    lost.update(claimed_until=Now() - timedelta(seconds=1))
    assert sweeping.take_back_lost_claims() == 1


def available(organization: Organization) -> int:
    """Return the credits that the organization can spend."""
    return credits_selectors.balance_of(credits_selectors.main_wallet(organization)).available
