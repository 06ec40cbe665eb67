"""Mail about staff who look in a member's place: to him, and to the owners."""

from django.conf import settings
from django.db.models import F, Func, Value
from django.urls import reverse

from apps.core.mail import Letter, Queue
from apps.rbac.models import Impersonation
from apps.rbac.selectors import owners_of
from apps.tenants.models import User


def letters_of(rows: list[Impersonation]) -> list[Letter]:
    """Tell each of them by a mail of his own, so that none learns another's address, and once."""
    (row,) = rows
    people = {row.user, *owners_of(row.organization)}
    untold = [person for person in people if person.pk not in row.told]
    return [_letter(row, person) for person in sorted(untold, key=lambda one: one.email)]


def _letter(row: Impersonation, person: User) -> Letter:
    path = reverse("rbac:impersonations", args=[row.organization.slug])
    content = {
        "impersonation": row,
        "organization": row.organization,
        "person": person,
        "url": f"{settings.BASE_URL}{path}",
    }
    told = Func(F("told"), Value(person.pk), function="array_append")
    return Letter("emails/rbac/impersonation", [person.email], content, changes={"told": told})


QUEUE = Queue(
    name="impersonations",
    rows=lambda: Impersonation.objects.select_related("organization", "staff_user", "user"),
    letters=letters_of,
)
