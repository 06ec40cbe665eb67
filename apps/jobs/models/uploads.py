"""Pictures that are uploaded, to be worked on."""

from django.conf import settings
from django.db import models

from apps.core.models import Row
from apps.tenants.models import Organization


class BlobUpload(Row):
    """A picture that someone uploaded: checked, without its metadata, kept until it is too old."""

    PREFIX = "upl"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    file = models.FileField(max_length=200)
    filename = models.CharField(max_length=200, blank=True)  # as it was called; for display alone
    content_type = models.CharField(max_length=50)
    size = models.PositiveBigIntegerField()  # bytes
    width = models.PositiveIntegerField()  # pixels
    height = models.PositiveIntegerField()  # pixels
    sha256 = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="jobs_uploads_of_tenant"),
            models.Index(fields=["expires_at"], name="jobs_uploads_by_expiry"),
        ]

    def __str__(self) -> str:
        return self.filename or self.public_id
