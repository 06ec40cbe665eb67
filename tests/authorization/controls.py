"""What the matrix must notice: a permission that is not asked, an organization not filtered by."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from unittest import mock

from django.db.models import Prefetch

from apps.jobs import selectors
from apps.jobs.models import GenerationArea, GenerationJob
from apps.rbac.api import base
from apps.rbac.pages.base import TenantPage
from tests import roles
from tests.authorization.rows import Row
from tests.authorization.table import ROWS


def rows_of(*routes: str) -> list[Row]:
    """Return the rows of these routes."""
    return [row for row in ROWS if row.route in routes]


@contextmanager
def api_asks_for_nothing() -> Iterator[list[Row]]:
    """Let the API ask for no permission; members of all roles come in."""
    with mock.patch.object(base, "check_permission", return_value=None):
        yield rows_of("api/v1/audit")


@contextmanager
def pages_ask_for_nothing() -> Iterator[list[Row]]:
    """Let pages ask for no permission."""
    with mock.patch.object(TenantPage, "check_permission", return_value=None):
        yield rows_of("o/<slug:slug>/audit/")


@contextmanager
def jobs_of_everybody() -> Iterator[list[Row]]:
    """Let the list of jobs forget whose jobs it lists; only the database's wall is left."""

    def everything(organization, by=None):
        why = "a control of the matrix"
        areas = GenerationArea.objects.across_organizations(why).select_related("upload")
        rows = GenerationJob.objects.across_organizations(why).select_related("user")
        return rows.prefetch_related(Prefetch("areas", areas))

    with mock.patch.object(selectors, "jobs_of", everything):
        yield rows_of("api/v1/jobs", "o/<slug:slug>/jobs/")


@contextmanager
def jobs_of_everybody_without_walls() -> Iterator[list[Row]]:
    """The same, and the database shows every row, as to the owner of its tables."""
    with jobs_of_everybody() as rows, mock.patch.object(roles, "role", return_value=nullcontext()):
        yield rows


@contextmanager
def ids_tell_more() -> Iterator[list[Row]]:
    """Let the answer for another's job differ from that for nobody's, without walls."""
    find = base.TenantAPIView.get_object

    def found(self, rows, public_id):
        row_id = rows.model.read_id(public_id)
        if rows.model._base_manager.filter(pk=row_id).exists():
            self.headers["X-Exists"] = "yes"
        return find(self, rows, public_id)

    without_walls = mock.patch.object(roles, "role", return_value=nullcontext())
    with without_walls, mock.patch.object(base.TenantAPIView, "get_object", found):
        yield rows_of("api/v1/jobs/<str:job_id>")
