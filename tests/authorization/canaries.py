"""A mark in every text of a place, so that wherever it turns up it is known whence it came."""

from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, models, transaction

from apps.core.models import PublicId
from apps.tenants.models import User
from tests.authorization.registry import personal_models, tenant_models
from tests.authorization.silence import without_triggers
from tests.authorization.world import Place

MARK = "kanari"  # then the place, then a number for each column: kanariHERE012x
LONGEST_MARK = len(f"{MARK}there000x")  # a shorter column holds a code or a name of few letters
# Columns whose text decides what a row is; changed, the row would be another.
LEFT_OUT = {
    "capacity.Reservation.offline_reference": "comes only with a payment",
    "capacity.GenerationShare.reference": "comes only with a posting",
    "credits.FormerAccount.difference_reason": "comes only with a difference",
    "billing.Refund.stripe_refund_id": "comes only with the moment at which Stripe made it",
    "credits.CreditTransaction.actor": "says whose movement it is, by id",
    "credits.CreditTransaction.reference": "says to which operation it belongs",
    "credits.Hold.reference": "says to which operation it belongs",
    "credits.Correction.terms": "is read back as the terms of a command",
    "credits.Correction.reason": "one of a few",
    "jobs.Attempt.charge_reference": "leads to the movements that paid it",
    "partners.Upload.mapping": "holds the places of columns, and no text",
    "jobs.GenerationJob.operation_type": "names the runner",
    "jobs.GenerationArea.operation_type": "names the runner",
    "tenants.OutboxEvent.event_type": "says what happened",
    "partners.PartnerCredit.reference": "says to which operation it belongs",
    "rbac.ApiKey.hint": "is compared on rotation, and is part of the secret",
    "tenants.AuditLog.actor": "says whose deed it was, by id",
    "tenants.User.password": "is a hash",
    "tenants.User.email": "is where mails go; each has the name of its place in it",
    "mfa.Authenticator.data": "holds the secret of the factor",
}
NAMES_LEFT_OUT = {"time_zone": "is a name that the system must know"}  # in any table
HELP = "{name} takes no mark ({error}). Say why in LEFT_OUT of tests/authorization/canaries.py."


@dataclass
class Canaries:
    """The marks that were set, and the ids of what belongs to a place."""

    columns: dict[str, str] = field(default_factory=dict)  # mark → column
    rows: dict[str, str] = field(default_factory=dict)  # id → the place it is of
    marked: dict[str, int] = field(default_factory=dict)  # column → rows that carry it


def mark_of(place: str, number: int = 0) -> str:
    """Return what a column of a place carries; without a number, the beginning of all of them."""
    return f"{MARK}{place}" + (f"{number:03d}x" if number else "")


def set_marks(*places: Place) -> Canaries:
    """Mark every text column of every row that belongs to a place or to its people."""
    canaries = Canaries()
    for place in places:
        for model, path in tenant_models().items():
            rows = model._default_manager.filter(**{path: place.organization.pk})
            _mark_rows(canaries, place, model, rows)
        people = [one.pk for one in place.people.values()]
        _mark_rows(canaries, place, User, User.objects.filter(pk__in=people))
        for model, owner in personal_models().items():
            rows = model._default_manager.filter(**{f"{owner}__in": people})
            _mark_rows(canaries, place, model, rows)
        _note_ids(canaries, place)
    return canaries


def text_columns(model: type[models.Model]) -> list[models.Field]:
    """Return the columns whose text people or programs have written."""
    return [
        one
        for one in model._meta.concrete_fields
        if isinstance(one, models.CharField | models.TextField | models.JSONField)
        if not (one.choices or one.primary_key or isinstance(one, models.FileField))
        if (one.max_length or LONGEST_MARK) >= LONGEST_MARK
        if f"{model._meta.label}.{one.name}" not in LEFT_OUT and one.name not in NAMES_LEFT_OUT
    ]


def _mark_rows(
    canaries: Canaries, place: Place, model: type[models.Model], rows: models.QuerySet[Any]
) -> None:
    columns = text_columns(model)
    if not columns or not rows.exists():
        return
    with without_triggers(model):
        for column in columns:
            name = f"{model._meta.label}.{column.name}"
            number = len(canaries.columns) + 1
            mark = mark_of(place.name, number)
            try:
                with transaction.atomic():
                    canaries.marked[name] = _mark_column(model, column, mark, rows)
            except DatabaseError as error:
                raise AssertionError(HELP.format(name=name, error=error)) from error
            canaries.columns[mark] = name


def _mark_column(
    model: type[models.Model], column: models.Field, mark: str, rows: models.QuerySet[Any]
) -> int:
    """Put the mark at the end of each text, where it fits; into JSON as a member of its own."""
    table = connection.ops.quote_name(model._meta.db_table)
    name = connection.ops.quote_name(column.column)
    pk = connection.ops.quote_name(model._meta.pk.column)
    if isinstance(column, models.JSONField):
        value = (
            f"CASE WHEN jsonb_typeof({name}) = 'object' "
            f"THEN {name} || jsonb_build_object('mark', %s::text) ELSE {name} END"
        )
    else:
        # A slug or an address ends in it as well as a sentence does; an empty text becomes it.
        value = f"COALESCE(left({name}, {column.max_length or 4000} - {len(mark)}), '') || %s"
    keys = list(rows.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {name} = {value} WHERE {pk} = ANY(%s)", [mark, keys])
        return cursor.rowcount


def _note_ids(canaries: Canaries, place: Place) -> None:
    """Note the ids of all rows of the place, as people see them."""
    for model, path in tenant_models().items():
        if issubclass(model, PublicId):
            for row in model._default_manager.filter(**{path: place.organization.pk}):
                canaries.rows[row.public_id] = place.name
    for person in place.people.values():
        canaries.rows[person.public_id] = place.name
