"""The API of projects: how much of them can be had, and their blocks."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.capacity.api.serializers import AvailableOut, BlockOut, ProjectOut
from apps.capacity.selectors.blocks import block_of, blocks_of
from apps.capacity.selectors.projects import shown_project, shown_projects
from apps.core.api import paginated
from apps.core.clock import workers_now
from apps.rbac.api.base import TenantAPIView


class Projects(TenantAPIView):
    """The projects of the instance, which all of its organizations can reserve."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(operation_id="projects_list", tags=["capacity"], responses=ProjectOut(many=True))
    def get(self, request: Request) -> Response:
        """Return projects, newest first."""
        return paginated(request, shown_projects(), ProjectOut)


class OneProject(TenantAPIView):
    """One project, by its id or its code."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(operation_id="projects_retrieve", tags=["capacity"], responses=ProjectOut)
    def get(self, request: Request, project: str) -> Response:
        """Return one project."""
        return Response(ProjectOut(shown_project(project)).data)


class Available(TenantAPIView):
    """What can be had of a project."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(operation_id="projects_available", tags=["capacity"], responses=AvailableOut)
    def get(self, request: Request, project: str) -> Response:
        """Return the kW that are neither allocated nor held."""
        return Response(AvailableOut(shown_project(project)).data)


class Blocks(TenantAPIView):
    """The blocks of a project."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(operation_id="blocks_list", tags=["capacity"], responses=BlockOut(many=True))
    def get(self, request: Request, project: str) -> Response:
        """Return the blocks that are not retired, the youngest first."""
        blocks = blocks_of(shown_project(project), workers_now())
        return paginated(request, blocks, BlockOut, key=("position", "id"))


class OneBlock(TenantAPIView):
    """One block, by its serial, with the project that it is of."""

    permissions = {"GET": "capacity.view"}

    @extend_schema(operation_id="blocks_retrieve", tags=["capacity"], responses=BlockOut)
    def get(self, request: Request, project: str, serial: str) -> Response:
        """Return one block."""
        return Response(BlockOut(block_of(shown_project(project), serial)).data)
