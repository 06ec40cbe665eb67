"""A row for a model that nothing else has made one of: from what its fields allow."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, models, transaction
from django.utils import timezone

from apps.tenants.models import Organization, User
from tests.authorization.registry import tenant_models
from tests.authorization.silence import without_triggers

if TYPE_CHECKING:
    from tests.authorization.world import Place

SOON = timedelta(days=7)
_numbers = count(1_000_000_000)  # ids that are counted: such as stand nowhere in a page by chance
HELP = (
    "{model} belongs to an organization and could not be filled by itself ({error}). Let a "
    "service make one for each place: `live` in tests/authorization/world.py."
)


def fill(model: type[models.Model], place: Place) -> models.Model:
    """
    Insert a row that belongs to the place, with all guards of its table off.

    :raises AssertionError: if the table does not take it, saying where to make one instead.
    """
    row = model(**{one.attname: value for one, value in _values(model, place)})
    try:
        with without_triggers(model), transaction.atomic():
            row.save_base(raw=True, force_insert=True)
    except DatabaseError as error:
        raise AssertionError(HELP.format(model=model._meta.label, error=error)) from error
    row.refresh_from_db()
    return row


def _values(model: type[models.Model], place: Place) -> list[tuple[models.Field, Any]]:
    way = tenant_models()[model].partition("__")[0] if model in tenant_models() else ""
    return [
        (one, _value(one, place))
        for one in model._meta.concrete_fields
        if not (one.has_default() or one.has_db_default())
        if not one.null or one.name == way
    ]


def _value(field: models.Field, place: Place) -> Any:
    if isinstance(field, models.ForeignKey):
        return _of_relation(field, place)
    if isinstance(field, models.AutoField):
        return next(_numbers)
    if field.choices:
        return "" if field.blank else field.choices[0][0]
    for kinds, value in _PLAIN:
        if isinstance(field, kinds):
            return value() if callable(value) else value
    return "" if field.blank else f"text-{place.name}"[: field.max_length]


def _of_relation(field: models.ForeignKey, place: Place) -> Any:
    related = field.related_model
    if related is Organization:
        return place.organization.pk
    if related is User:
        return list(place.people.values())[len(field.name) % len(place.people)].pk
    way = tenant_models().get(related)
    rows = related._default_manager.filter(**({way: place.organization.pk} if way else {}))
    return (rows.first() or fill(related, place)).pk


_PLAIN = (
    (models.BooleanField, False),
    (models.DateTimeField, lambda: timezone.now() + SOON),
    (models.DateField, lambda: timezone.now().date()),
    (models.IntegerField, 1),
    (models.DecimalField, 1),
    (models.JSONField, dict),
    (ArrayField, list),
    (models.BinaryField, lambda: b"0" * 32),
    (models.GenericIPAddressField, "127.0.0.1"),
)
