"""The API of generation: customers read what is theirs, staff record what was generated."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.capacity.api.filters import filters_of
from apps.capacity.api.generation_serializers import (
    GenerationOut,
    GenerationShareOut,
    ReadingFilterIn,
    ReadingIn,
    ReadingOut,
    ShareFilterIn,
    StaffReadingOut,
)
from apps.capacity.models import GenerationReading, Project
from apps.capacity.selectors.generation import all_readings, generation_of, readings_of, shares_of
from apps.capacity.selectors.projects import shown_project
from apps.capacity.services import readings
from apps.core.api import paginated, run_once, validated
from apps.core.errors import NotFound
from apps.core.idempotency import Answer
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.staff import StaffAPIView

SOURCE = GenerationReading.Source.API


def any_project(name: str) -> Project:
    """
    Return the project of this id or code, for staff: a draft as well.

    :raises NotFound: if there is none.
    """
    project_id = Project.read_id(name)
    found = Project.objects.filter(Q(pk=project_id) if project_id else Q(code=name)).first()
    if found is None:
        raise NotFound
    return found


def ids_of(name: str) -> list[UUID]:
    """Return the id of a reading that is named, or none if it cannot be one's."""
    reading_id = GenerationReading.read_id(name)
    return [reading_id] if reading_id else []


class ProjectReadings(TenantAPIView):
    """What a project generated."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(
        operation_id="projects_readings", tags=["capacity"], responses=ReadingOut(many=True)
    )
    def get(self, request: Request, project: str) -> Response:
        """Return what was read, corrections included, newest first."""
        return paginated(request, readings_of(shown_project(project)), ReadingOut)


class Generation(TenantAPIView):
    """What the organization has of what projects generated."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(
        operation_id="generation_list",
        tags=["capacity"],
        parameters=[ReadingFilterIn],
        responses=GenerationOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return its part of each period that was divided, the latest period first."""
        asked, known = filters_of(request, ReadingFilterIn)
        found = generation_of(self.organization)
        if "project" in asked:
            found = found.filter(project=shown_project(asked["project"]))
        return paginated(request, found, GenerationOut, key=("starts_on", "id"), parameters=known)


class GenerationShares(TenantAPIView):
    """What each allocation of the organization has of what was read."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(
        operation_id="generation_shares",
        tags=["capacity"],
        parameters=[ShareFilterIn],
        responses=GenerationShareOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return its shares, newest first."""
        asked, known = filters_of(request, ShareFilterIn)
        found = shares_of(self.organization)
        if "reading" in asked:
            found = found.filter(reading__in=ids_of(asked["reading"]))
        return paginated(request, found, GenerationShareOut, parameters=known)


class Readings(StaffAPIView):
    """What projects generated, for those who read the meters."""

    permissions = {"GET": "capacity.record", "POST": "capacity.record"}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="readings_list",
        tags=["staff"],
        parameters=[ReadingFilterIn],
        responses=StaffReadingOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return what was read of all projects, newest first."""
        asked, known = filters_of(request, ReadingFilterIn)
        found = all_readings()
        if "project" in asked:
            found = found.filter(project=any_project(asked["project"]))
        return paginated(request, found, StaffReadingOut, parameters=known)

    @extend_schema(
        operation_id="readings_create",
        tags=["staff"],
        request=ReadingIn,
        responses={201: StaffReadingOut},
    )
    def post(self, request: Request) -> Response:
        """Record what a project generated, or correct it and say why; again it changes nothing."""
        fields = validated(ReadingIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.record(fields))

    def record(self, fields: dict[str, Any]) -> Answer:
        """Record or correct, and return the reading."""
        project, corrects = any_project(fields.pop("project")), fields.pop("corrects", None)
        if corrects is None:
            reading = readings.record(project=project, source=SOURCE, **fields)
        else:
            reading = readings.correct(
                reading=self.wrong_one(project, corrects, fields),
                energy_wh=fields["energy_wh"],
                source=SOURCE,
                note=fields["note"],
            )
        shown = all_readings().get(pk=reading.pk)
        return Answer(201, dict(StaffReadingOut(shown).data), {})

    def wrong_one(self, project: Project, name: str, fields: dict[str, Any]) -> GenerationReading:
        """
        Return the reading that is corrected.

        :raises NotFound: if there is none of this project and these days.
        """
        found = GenerationReading.objects.filter(
            pk__in=ids_of(name),
            project=project,
            starts_on=fields["starts_on"],
            ends_on=fields["ends_on"],
        ).first()
        if found is None:
            raise NotFound
        return found
