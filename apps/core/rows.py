"""Managers of tenant tables: rows of one organization, or none without saying why."""

from typing import Any, NoReturn, Self

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Q, QuerySet

from apps.core import scope


class RowManager[M: models.Model](models.Manager[M]):
    """
    Rows of the scope's organization, where the table has organizations at all.

    Rows that belong to none (system roles, global roles) belong to each. The database's
    own wall stands behind this one, so that what slips past it here is not seen either.
    """

    def get_queryset(self) -> QuerySet[M]:
        """
        Return the organization's rows.

        Where there is a choice of organizations and nobody made it, they raise when they
        are asked for anything: NoOrganization.
        """
        rows = super().get_queryset()
        field = organization_field(self.model)
        if field is None:
            return rows
        now = scope.current()
        if not now.is_open:
            return ClosedRows(self.model, using=self._db)
        if now.organization_id is None:
            return rows
        own = Q(organization_id=now.organization_id)
        return rows.filter(own | Q(organization_id=None) if field.null else own)

    def across_organizations(self, reason: str) -> QuerySet[M]:
        """Return the rows of every organization that the database shows, and say why."""
        assert reason, "say why"
        return super().get_queryset()


class ClosedRows[M: models.Model](QuerySet[M]):
    """
    Rows that nobody may ask for yet. A form may hold them until it is shown to somebody.

    Copied (`all()`, as every form copies those of its class) when there is an organization,
    they are the rows of that one.
    """

    def all(self) -> Self:
        """Return the rows of the organization that there is by now, if there is one."""
        if scope.current().is_open:
            return self.model._default_manager.get_queryset()  # type: ignore[return-value]
        return self

    def none(self) -> Self:
        """Return no rows: those may be asked for by everybody."""
        return QuerySet(self.model).none()  # type: ignore[return-value]

    def using(self, alias: str | None) -> Self:
        """Return the same: which connection it is, is not theirs to choose."""
        return self.all()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise scope.NoOrganization(
            f"{self.model.__name__} was asked without an organization: enter one"
            " (apps.core.scope), or say why in across_organizations()."
        )

    # Everything else that asks or writes goes through one of these.
    _chain = _fetch_all = _iterator = iterator = _refuse
    count = exists = aggregate = explain = raw = update = _refuse
    create = bulk_create = bulk_update = _refuse


def organization_field(model: type[models.Model]) -> models.Field[Any, Any] | None:
    """Return the column that says whose a row is, if the table has one."""
    try:
        field = model._meta.get_field("organization")
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, models.Field) else None
