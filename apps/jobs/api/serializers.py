"""Shapes of the jobs API. Costs are in credits; times are UTC."""

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from apps.jobs.models import BlobUpload, GenerationJob


class UploadIn(serializers.Serializer[Any]):
    """A picture: PNG, JPEG or WebP, up to 10 MB and 40 megapixels."""

    picture = serializers.FileField()


class UploadOut(serializers.ModelSerializer[BlobUpload]):
    """A picture that is kept until `expires_at`."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="upload", read_only=True)

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
            "created_at",
            "expires_at",
        ]


class JobIn(serializers.Serializer[Any]):
    """What to do, how, and with which picture."""

    operation = serializers.CharField(max_length=100)
    parameters = serializers.DictField(default=dict)
    upload_id = serializers.CharField(max_length=40)


class QuoteIn(serializers.Serializer[Any]):
    """What to ask the price of."""

    operation = serializers.CharField(max_length=100)


class QuoteOut(serializers.Serializer[Any]):
    """What a job would cost, in credits, and what would be left."""

    object = serializers.CharField(default="quote", read_only=True)
    cost = serializers.IntegerField()
    available = serializers.IntegerField()
    available_after = serializers.IntegerField()
    is_affordable = serializers.BooleanField()
    shortfall = serializers.IntegerField()
    reason = serializers.CharField(
        allow_null=True, help_text="The code of the refusal that submitting would meet now."
    )


class StyleOut(serializers.Serializer[Any]):
    """One way in which an operation can be done."""

    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    swatches = serializers.ListField(child=serializers.CharField())


class OperationOut(serializers.Serializer[Any]):
    """Something that can be done to a picture, with its price in credits."""

    object = serializers.CharField(default="operation", read_only=True)
    operation = serializers.CharField(source="runner.operation")
    name = serializers.CharField(source="runner.name")
    description = serializers.CharField(source="runner.description")
    cost = serializers.IntegerField()
    unit = serializers.CharField()
    styles = StyleOut(many=True, source="runner.styles")


class JobOut(serializers.ModelSerializer[GenerationJob]):
    """A job, as far as it is."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="job", read_only=True)
    operation = serializers.CharField(source="operation_type")
    upload_id = serializers.CharField(source="upload.public_id", default=None, allow_null=True)
    submitted_by = serializers.CharField(source="user.public_id")
    result_url = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = GenerationJob
        fields = [
            "id",
            "object",
            "operation",
            "parameters",
            "upload_id",
            "status",
            "progress",
            "cost",
            "payment_type",
            "attempts",
            "submitted_by",
            "result_url",
            "error",
            "created_at",
            "started_at",
            "completed_at",
        ]

    def get_result_url(self, job: GenerationJob) -> str | None:
        """Return the address of the result, once there is one."""
        if not job.result:
            return None
        return str(reverse("api:jobs:result", args=[job.public_id]))

    def get_error(self, job: GenerationJob) -> dict[str, str] | None:
        """Return why the job failed, if it did."""
        if not job.error_code:
            return None
        return {"code": job.error_code, "message": job.error_message}
