"""The locks of capacity: the project's row first, and then its reservation."""

from collections.abc import Collection
from uuid import UUID

from apps.capacity.models import Project, Reservation
from apps.core.db import inside_transaction


@inside_transaction
def lock_project(project_id: UUID) -> Project:
    """Return the project as it is now, locked: nobody else gives or takes blocks of it."""
    return lock_projects([project_id])[project_id]


@inside_transaction
def lock_projects(project_ids: Collection[UUID]) -> dict[UUID, Project]:
    """Lock several projects in id order, so that no two callers wait for each other."""
    rows = Project.objects.select_for_update(no_key=True).filter(pk__in=project_ids)
    return {project.pk: project for project in rows.order_by("pk")}


@inside_transaction
def lock_reservation(reservation: Reservation) -> tuple[Project, Reservation]:
    """Return its project and then itself as they are now, locked in this order."""
    project = lock_project(reservation.project_id)
    rows = Reservation.objects.select_for_update(no_key=True, of=("self",))
    return project, rows.get(pk=reservation.pk)
