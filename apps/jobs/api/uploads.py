"""The API of uploads: keep a picture, look what is kept, delete it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, validated
from apps.core.bodies import body_length
from apps.jobs import selectors
from apps.jobs.api.base import JobsAPIView
from apps.jobs.api.serializers import UploadIn, UploadOut
from apps.jobs.models import BlobUpload
from apps.jobs.services import uploads
from apps.jobs.services.pictures import check_length

BESIDE_THE_FILE = 64 * 1024  # bytes of a multipart body


class Uploads(JobsAPIView):
    """Pictures to work on."""

    permissions = {"GET": "jobs.view", "POST": "jobs.submit"}
    for_own = {"GET": "jobs.view_own"}
    parser_classes = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """
        Refuse a body that is too long before any of it is read.

        :raises PictureTooLarge: if it is.
        """
        check_length(body_length(request._request) - BESIDE_THE_FILE)
        super().initial(request, *args, **kwargs)

    @extend_schema(operation_id="uploads_list", tags=["jobs"], responses=UploadOut(many=True))
    def get(self, request: Request) -> Response:
        """Return the pictures that are kept, newest first."""
        return paginated(request, selectors.uploads_of(self.organization, self.by()), UploadOut)

    @extend_schema(
        operation_id="uploads_create", tags=["jobs"], request=UploadIn, responses={201: UploadOut}
    )
    def post(self, request: Request) -> Response:
        """
        Keep a picture until `expires_at`, without its metadata.

        The same picture once more is another upload. 413 if it is too large, 409 if the
        organization keeps as much as it may.
        """
        fields = validated(UploadIn, request.data)
        upload = uploads.store_upload(
            organization=self.organization, user=self.user, file=fields["picture"]
        )
        return Response(UploadOut(upload).data, status=201)


class Upload(JobsAPIView):
    """One picture."""

    permissions = {"GET": "jobs.view", "DELETE": "jobs.submit"}
    for_own = {"GET": "jobs.view_own"}

    @extend_schema(operation_id="uploads_retrieve", tags=["jobs"], responses=UploadOut)
    def get(self, request: Request, upload_id: str) -> Response:
        """Return what is known of the picture, with a link to it."""
        return Response(UploadOut(self.upload(upload_id)).data)

    @extend_schema(operation_id="uploads_delete", tags=["jobs"], responses={204: None})
    def delete(self, request: Request, upload_id: str) -> Response:
        """Delete the picture; 409 while a job that has not ended needs it."""
        uploads.delete_upload(upload=self.upload(upload_id))
        return Response(status=204)

    def upload(self, upload_id: str) -> BlobUpload:
        """Return the organization's picture with this id."""
        return self.get_object(selectors.uploads_of(self.organization, self.by()), upload_id)
