"""Pictures and jobs for tests."""

from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image

from apps.credits import selectors as credits_selectors
from apps.credits.services import prices
from apps.jobs.models import BlobUpload, GenerationJob
from apps.jobs.services import submission, uploads
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
    return submission.submit_job(
        organization=organization,
        user=user,
        operation=OPERATION,
        parameters={"style": "dusk"},
        upload=make_upload(organization, user, picture(plain=plain)),
    )


def available(organization: Organization) -> int:
    """Return the credits that the organization can spend."""
    return credits_selectors.balance_of(credits_selectors.main_wallet(organization)).available
