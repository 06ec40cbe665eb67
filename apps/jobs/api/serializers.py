"""Shapes of the jobs API. Costs are in credits; times are UTC."""

from datetime import datetime
from typing import Any, ClassVar

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.jobs import selectors
from apps.jobs.models import BlobUpload, GenerationArea, GenerationJob, StyleVersion
from apps.jobs.models.jobs import MOST_AREAS
from apps.jobs.services import links
from apps.jobs.services.submission import LONGEST_TIME


class UploadIn(serializers.Serializer[Any]):
    """A picture: PNG, JPEG or WebP, up to 10 MB and 40 megapixels."""

    picture = serializers.FileField()


class UploadOut(serializers.ModelSerializer[BlobUpload]):
    """A picture that is kept until `expires_at`."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="upload", read_only=True)
    url = serializers.SerializerMethodField()
    url_expires_at = serializers.SerializerMethodField()

    class Meta:
        model = BlobUpload
        fields = [
            "id",
            "object",
            "filename",
            "content_type",
            "size",
            "width",
            "height",
            "url",
            "url_expires_at",
            "created_at",
            "expires_at",
        ]

    def get_url(self, upload: BlobUpload) -> str | None:
        """Return a link to the picture that works for some minutes."""
        link = links.upload_link(upload)
        return link.url if link else None

    def get_url_expires_at(self, upload: BlobUpload) -> datetime | None:
        """Return until when the link works."""
        link = links.upload_link(upload)
        return link.expires_at if link else None


class AreaIn(serializers.Serializer[Any]):
    """One picture of a job; what it does not say is as the job says."""

    parameters = serializers.DictField(required=False)
    upload_id = serializers.CharField(max_length=40, required=False)


class WorkIn(serializers.Serializer[Any]):
    """
    What to do, how, and with which pictures.

    `parameters` and `upload_id` hold for every area that does not say otherwise. Without
    `areas`, the job has one.
    """

    operation = serializers.CharField(max_length=100)
    parameters = serializers.DictField(default=dict)
    upload_id = serializers.CharField(max_length=40, required=False)
    areas = serializers.ListField(
        child=AreaIn(), required=False, allow_empty=False, max_length=MOST_AREAS
    )


class JobIn(WorkIn):
    """A job to submit: work, and how long it may take."""

    time = serializers.IntegerField(
        required=False,
        min_value=60,
        max_value=int(LONGEST_TIME.total_seconds()),
        help_text="Seconds after which what has not ended fails and is given back; else 43,200.",
    )


class JobFilterIn(serializers.Serializer[Any]):
    """Which jobs to list."""

    status = serializers.ChoiceField(GenerationJob.Status.choices, required=False)
    operation = serializers.CharField(max_length=100, required=False)
    submitted_by = serializers.CharField(max_length=40, required=False)
    created_from = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


class QuoteIn(WorkIn):
    """Work to ask the price of; without any picture, that of one unit."""


class QuoteOut(serializers.Serializer[Any]):
    """What a job would cost, in credits, and what would be left."""

    object = serializers.CharField(default="quote", read_only=True)
    cost = serializers.IntegerField()
    area_count = serializers.IntegerField()
    is_metered = serializers.BooleanField(
        help_text="The cost is the most that it can be: what is not used comes back."
    )
    is_covered = serializers.BooleanField(help_text="The plan covers it: it costs no credits.")
    available = serializers.IntegerField()
    available_after = serializers.IntegerField()
    is_affordable = serializers.BooleanField()
    shortfall = serializers.IntegerField()
    reason = serializers.CharField(
        allow_null=True, help_text="The code of the refusal that submitting would meet now."
    )


class StyleOut(serializers.ModelSerializer[StyleVersion]):
    """One way in which an operation can be done, as its present version does it."""

    id = serializers.CharField(source="style.public_id")
    object = serializers.CharField(default="style", read_only=True)
    operation = serializers.CharField(source="style.operation")
    code = serializers.CharField(source="style.code", help_text="What `parameters.style` names.")
    name = serializers.CharField(source="style.name")
    description = serializers.CharField(source="style.description")
    swatches = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField(source="number")
    version_id = serializers.CharField(source="public_id")
    preview_url = serializers.SerializerMethodField()

    class Meta:
        model = StyleVersion
        fields = [
            "id",
            "object",
            "operation",
            "code",
            "name",
            "description",
            "swatches",
            "version",
            "version_id",
            "preview_url",
            "created_at",
        ]

    def get_preview_url(self, version: StyleVersion) -> str:
        """Return where a picture is of what this version does; it never changes."""
        style = version.style
        place = [style.operation, style.code, version.number]
        return str(reverse("api:jobs:style_preview", args=place))


class OperationOut(serializers.Serializer[Any]):
    """Something that can be done to a picture, with its price in credits."""

    object = serializers.CharField(default="operation", read_only=True)
    operation = serializers.CharField(source="runner.operation")
    name = serializers.CharField(source="runner.name")
    description = serializers.CharField(source="runner.description")
    cost = serializers.IntegerField()
    unit = serializers.CharField()
    styles = StyleOut(many=True)
    parameters = serializers.DictField(
        source="schema",
        allow_null=True,
        help_text="What it takes, as JSON Schema; null of an operation that is built in.",
    )


class ErrorOut(serializers.Serializer[Any]):
    """Why something failed: a code for machines, and a sentence for people."""

    code = serializers.CharField(source="error_code")
    message = serializers.CharField(source="error_message")


class AreaOut(serializers.ModelSerializer[GenerationArea]):
    """One picture of a job, as far as it is; what paid is that of its present attempt."""

    object = serializers.CharField(default="area", read_only=True)
    parameters = serializers.DictField(
        source="asked", help_text="As they can be asked for again; with the style's version."
    )
    upload_id = serializers.CharField(source="upload.public_id", default=None, allow_null=True)
    result_url = serializers.SerializerMethodField()
    result_url_expires_at = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = GenerationArea
        fields = [
            "object",
            "position",
            "parameters",
            "upload_id",
            "status",
            "progress",
            "attempt_number",
            "price",
            "refunded",
            "payment_type",
            "claims",
            "result_url",
            "result_url_expires_at",
            "result_expires_at",
            "error",
            "started_at",
            "completed_at",
        ]

    def get_result_url(self, area: GenerationArea) -> str | None:
        """Return a link to the result that works for some minutes, while there is one."""
        link = links.result_link(area)
        return link.url if link else None

    def get_result_url_expires_at(self, area: GenerationArea) -> datetime | None:
        """Return until when the link works."""
        link = links.result_link(area)
        return link.expires_at if link else None

    @extend_schema_field(ErrorOut(allow_null=True))
    def get_error(self, area: GenerationArea) -> dict[str, Any] | None:
        """Return why the area failed, if it did."""
        return dict(ErrorOut(area).data) if area.error_code else None


class JobOut(serializers.ModelSerializer[GenerationJob]):
    """
    A job, as far as it is.

    `result_url` and `error` are those of the first area that has one.
    """

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="job", read_only=True)
    operation = serializers.CharField(source="operation_type")
    submitted_by = serializers.CharField(source="user.public_id")
    progress = serializers.SerializerMethodField()
    result_url = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    areas = serializers.SerializerMethodField()
    area_serializer: ClassVar[type[AreaOut]] = AreaOut

    class Meta:
        model = GenerationJob
        fields = [
            "id",
            "object",
            "operation",
            "status",
            "progress",
            "cost",
            "refunded",
            "payment_type",
            "submitted_by",
            "area_count",
            "completed_areas",
            "failed_areas",
            "cancelled_areas",
            "result_url",
            "error",
            "created_at",
            "started_at",
            "completed_at",
            "deadline",
            "areas",
        ]

    def get_progress(self, job: GenerationJob) -> int:
        """Return how far it is, in percent."""
        return selectors.progress_of(job)

    @extend_schema_field(AreaOut(many=True))
    def get_areas(self, job: GenerationJob) -> list[dict[str, Any]]:
        """Return its areas, in order."""
        return list(self.area_serializer(job.areas.all(), many=True).data)

    def get_result_url(self, job: GenerationJob) -> str | None:
        """Return a link to the first result that there is."""
        first = next((area for area in job.areas.all() if selectors.has_result(area)), None)
        return self.area_serializer().get_result_url(first) if first else None

    @extend_schema_field(ErrorOut(allow_null=True))
    def get_error(self, job: GenerationJob) -> dict[str, Any] | None:
        """Return why the first of its failed areas failed."""
        first = next((area for area in job.areas.all() if area.error_code), None)
        return self.area_serializer().get_error(first) if first else None
