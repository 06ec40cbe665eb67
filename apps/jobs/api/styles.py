"""The API of styles: which there are, and what they do to a sample."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, validated
from apps.core.files import small_picture
from apps.jobs import selectors
from apps.jobs.api.base import JobsAPIView
from apps.jobs.api.serializers import StyleOut
from apps.jobs.runners.registry import STYLED


class StyleFilterIn(serializers.Serializer[Any]):
    """Which styles to list."""

    operation = serializers.ChoiceField(choices=sorted(STYLED), required=False)


class Styles(JobsAPIView):
    """The styles that can be chosen now."""

    permissions = {"GET": "jobs.view"}
    for_own = {"GET": "jobs.view_own"}

    @extend_schema(
        operation_id="styles_list",
        tags=["jobs"],
        parameters=[StyleFilterIn],
        responses=StyleOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return each style that can be chosen, as its present version does it, newest first."""
        known = frozenset(StyleFilterIn().fields)
        asked = {name: value for name, value in request.query_params.items() if name in known}
        found = selectors.styles_in_force(**validated(StyleFilterIn, asked))
        return paginated(request, found, StyleOut, parameters=known)


class StylePreview(JobsAPIView):
    """What one version of a style does."""

    permissions = {"GET": "jobs.view"}
    for_own = {"GET": "jobs.view_own"}

    @extend_schema(
        operation_id="styles_preview",
        tags=["jobs"],
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, operation: str, style: str, version: int) -> HttpResponse:
        """Return what it makes of the sample picture; versions of old jobs are shown, too."""
        return small_picture(selectors.preview_of(operation, style, version))
