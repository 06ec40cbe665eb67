"""Jobs of the demo, left for its worker: of one picture and of several, good and bad ones."""

from django.core.files.uploadedfile import SimpleUploadedFile

from apps.core import context
from apps.jobs.models import BlobUpload, GenerationJob
from apps.jobs.services import submission, uploads
from apps.jobs.services.submission import AreaRequest
from apps.tenants.models import Organization, User
from demo import access, pictures


def submit_sample_jobs() -> None:
    """Leave jobs of each operation: some that work, one that fails, one of which a part fails."""
    user = User.objects.get(email="owner@acme.test")
    organization = Organization.objects.get(slug="acme")
    with context.acting(actor=f"user:{user.public_id}"):
        evening = _upload(organization, user, "evening.png", pictures.landscape())
        morning = _upload(organization, user, "morning.png", pictures.landscape(seed=11))
        blank = _upload(organization, user, "blank.png", pictures.blank())
        access.share_a_job(_restyle(organization, user, [(evening, "dusk")]), user)
        _restyle(organization, user, [(blank, "dusk")])
        areas = [(evening, "newsprint"), (morning, "meadow"), (blank, "dusk")]
        _restyle(organization, user, areas)
        large = AreaRequest(evening, {"factor": 3})
        _submit(organization, user, "image.enlarge", [large])
        sheet = AreaRequest(morning, {"vary": "brightness", "caption": "From dark to light"})
        _submit(organization, user, "image.contact_sheet", [sheet])


def _upload(organization: Organization, user: User, name: str, content: bytes) -> BlobUpload:
    file = SimpleUploadedFile(name, content, content_type="image/png")
    return uploads.store_upload(organization=organization, user=user, file=file)


def _restyle(
    organization: Organization, user: User, areas: list[tuple[BlobUpload, str]]
) -> GenerationJob:
    requests = [AreaRequest(upload, {"style": style}) for upload, style in areas]
    return _submit(organization, user, "image.restyle", requests)


def _submit(
    organization: Organization, user: User, operation: str, areas: list[AreaRequest]
) -> GenerationJob:
    return submission.submit_job(
        organization=organization, user=user, operation=operation, areas=areas
    )
