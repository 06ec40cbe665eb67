"""The API of files by which credits are handed on: upload, look, confirm, and what became of it."""

from typing import Any

from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, paginated, run_once, validated
from apps.core.bodies import body_length
from apps.core.errors import RequestTooLarge
from apps.core.exports import stream_csv
from apps.core.idempotency import Answer
from apps.core.renderers import CsvRenderer
from apps.core.sheets import LARGEST_FILE
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.api.upload_serializers import (
    ConfirmIn,
    MappingIn,
    PartnerUploadIn,
    PartnerUploadOut,
    RowsIn,
    UploadProgressOut,
    UploadRowOut,
)
from apps.partners.models import Upload
from apps.partners.selectors import uploads as selectors
from apps.partners.selectors.campaigns import campaign_of
from apps.partners.services.uploads import confirming, storing

BESIDE_THE_FILE = 64 * 1024  # bytes of a multipart body


class Uploads(ProgrammeAPIView):
    """Files of members and credits."""

    permissions = {"GET": "partners.view", "POST": "partners.manage"}
    parser_classes = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """
        Refuse a body that is too long before any of it is read.

        :raises RequestTooLarge: if it is.
        """
        if body_length(request._request) > LARGEST_FILE + BESIDE_THE_FILE:
            raise RequestTooLarge(most_mb=LARGEST_FILE // 1024**2)
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="partner_uploads_list",
        tags=["partner"],
        parameters=[LimitParameter],
        responses=PartnerUploadOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the uploads, newest first."""
        return paginated(request, selectors.uploads_of(self.organization), PartnerUploadOut)

    @extend_schema(
        operation_id="partner_uploads_create",
        tags=["partner"],
        request={"multipart/form-data": PartnerUploadIn},
        responses={201: UploadProgressOut},
    )
    def post(self, request: Request) -> Response:
        """
        Read a file and say what each row would do; hands nothing on.

        400 with `reason` and `row` if it cannot be read. Where its columns are not understood
        the status is `mapping`, and they are to be told.
        """
        fields = validated(PartnerUploadIn, request.data)
        named = fields.get("campaign")
        upload = storing.store_upload(
            partner=self.partner,
            data=fields["file"].read(),
            filename=fields["file"].name,
            batch=fields["batch"],
            mode=Upload.Mode(fields["mode"]),
            campaign=campaign_of(self.partner, named) if named else None,
            by=self.user,
        )
        where = reverse("api:partners:upload", args=[upload.public_id])
        return Response(shown(upload), status=201, headers={"Location": where})


class UploadView(ProgrammeAPIView):
    """A view of one upload."""

    def upload(self, partner_upload_id: str) -> Upload:
        """Return the organization's upload with this id."""
        return self.get_object(selectors.uploads_of(self.organization), partner_upload_id)


class OneUpload(UploadView):
    """One upload, as far as it is."""

    permissions = {"GET": "partners.view", "DELETE": "partners.manage"}

    @extend_schema(
        operation_id="partner_uploads_retrieve", tags=["partner"], responses=UploadProgressOut
    )
    def get(self, request: Request, partner_upload_id: str) -> Response:
        """Return the upload, with how many rows stand how."""
        return Response(shown(self.upload(partner_upload_id)))

    @extend_schema(operation_id="partner_uploads_discard", tags=["partner"], responses={204: None})
    def delete(self, request: Request, partner_upload_id: str) -> Response:
        """Discard an upload that was not confirmed, with all its rows; else 409."""
        storing.discard_upload(upload=self.upload(partner_upload_id))
        return Response(status=204)


class Mapping(UploadView):
    """Which column of a file is what."""

    permissions = {"PUT": "partners.manage"}

    @extend_schema(
        operation_id="partner_uploads_map",
        tags=["partner"],
        request=MappingIn,
        responses=UploadProgressOut,
    )
    def put(self, request: Request, partner_upload_id: str) -> Response:
        """Say which column is what, and look at every row again."""
        fields = validated(MappingIn, request.data)
        return Response(
            shown(storing.map_columns(upload=self.upload(partner_upload_id), mapping=fields))
        )


class Preview(UploadView):
    """What the rows of a file would do."""

    permissions = {"POST": "partners.manage"}

    @extend_schema(
        operation_id="partner_uploads_preview",
        tags=["partner"],
        request=None,
        responses=UploadProgressOut,
    )
    def post(self, request: Request, partner_upload_id: str) -> Response:
        """Look at every row again, as members and awards change."""
        return Response(shown(storing.refresh_preview(upload=self.upload(partner_upload_id))))


class Confirmation(UploadView):
    """That what a preview says is carried out."""

    permissions = {"POST": "partners.manage"}
    keyed_methods = frozenset({"POST"})
    confirmed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="partner_uploads_confirm",
        tags=["partner"],
        request=ConfirmIn,
        responses={202: UploadProgressOut},
    )
    def post(self, request: Request, partner_upload_id: str) -> Response:
        """
        Let a worker hand on what the preview says, once.

        `credits` is what the preview said that the pool gives: 409 if it would be another
        number now, and 402 if the pool does not have them.
        """
        fields = validated(ConfirmIn, request.data)
        upload = self.upload(partner_upload_id)

        def effect() -> Answer:
            confirmed = confirming.confirm_upload(
                upload=upload,
                mode=Upload.Mode(fields.get("mode", upload.mode)),
                credits=fields["credits"],
                by=self.user,
            )
            return Answer(202, shown(confirmed))

        return run_once(request, principal=self.principal, effect=effect, is_repeatable=True)


class Rows(UploadView):
    """The rows of a file."""

    permissions = {"GET": "partners.view"}

    @extend_schema(
        operation_id="partner_uploads_rows",
        tags=["partner"],
        parameters=[LimitParameter, RowsIn],
        responses=UploadRowOut(many=True),
    )
    def get(self, request: Request, partner_upload_id: str) -> Response:
        """Return the rows in the order of the file: each fault with row, column, value and fix."""
        asked = {name: one for name, one in request.query_params.items() if name == "status"}
        status = validated(RowsIn, asked).get("status", "")
        rows = selectors.rows_of(self.upload(partner_upload_id), status)
        return paginated(
            request, rows, UploadRowOut, key=("place", "id"), parameters=frozenset({"status"})
        )


class UploadFile(UploadView):
    """A file of rows."""

    renderer_classes = [JSONRenderer, CsvRenderer]
    permissions = {"GET": "partners.view"}


class Result(UploadFile):
    """What became of each row."""

    @extend_schema(
        operation_id="partner_uploads_result",
        tags=["partner"],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, partner_upload_id: str) -> HttpResponseBase:
        """Return the file with what became of each row, as CSV."""
        file = selectors.result_of(self.upload(partner_upload_id))
        return stream_csv(**vars(file))


class Errors(UploadFile):
    """The rows that are wrong."""

    @extend_schema(
        operation_id="partner_uploads_errors",
        tags=["partner"],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, partner_upload_id: str) -> HttpResponseBase:
        """Return the rows that are wrong, as CSV that can be mended and uploaded as it is."""
        file = selectors.errors_of(self.upload(partner_upload_id))
        return stream_csv(**vars(file))


def shown(upload: Upload) -> dict[str, Any]:
    """Return an upload with how its rows stand, as the API shows it."""
    progress = selectors.progress_of(upload)
    return {
        **PartnerUploadOut(upload).data,
        "rows": progress.counts,
        "percent": progress.percent,
        "pool_available": selectors.pool_left(upload),
    }
