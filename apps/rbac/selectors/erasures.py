"""Read what an erasure touches."""

import re
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import Count, Q, QuerySet

from apps.core import scope
from apps.core.clock import now_in_query
from apps.rbac.models import Erasure, UserRole
from apps.rbac.selectors.roles import IS_OWNER
from apps.tenants.models import AuditLog, Organization, PersonalValue, User

LONG = 8  # letters from which on a name is his wherever it stands, and not Ann of Hannover
BEFORE, AFTER = r"(^|[^[:alnum:]._+-])", r"($|[^[:alnum:]_-])"  # so that Jo is not in Joan


@dataclass(frozen=True)
class Identity:
    """By what a person is known here: his addresses and names, those he had before as well."""

    emails: frozenset[str]
    names: frozenset[str]

    @property
    def words(self) -> list[str]:
        """What names him wherever it stands: addresses, and names that are long enough."""
        return sorted(self.emails | {name for name in self.names if len(name) >= LONG})

    def within(self, field: str) -> Q:
        """Return the condition that a column names him, however it is written."""
        condition = Q(pk__in=[])
        for word in self.words:
            condition |= Q(**{f"{field}__iregex": f"{BEFORE}{re.escape(word)}{AFTER}"})
        for name in self.names:
            condition |= Q(**{f"{field}__iexact": name})
        return condition


def identity_of(user: User) -> Identity:
    """Return by what the person is known, now and in what the audit log keeps of him."""
    emails = {user.email}
    emails |= set(EmailAddress.objects.filter(user=user).values_list("email", flat=True))
    names = {user.full_name}
    told = AuditLog.objects.filter(
        object_id=user.public_id, action__in=["user.update", "user.create", "user.sign_up"]
    )
    for value in values_in(told).values_list("value", flat=True):
        if "@" in value:
            emails.add(value)
        elif "://" not in value:
            names.add(value)
    return Identity(frozenset(one.lower() for one in emails), frozenset(names - {""}))


def values_in(rows: QuerySet[AuditLog]) -> QuerySet[PersonalValue]:
    """Return what is kept beside these audit rows."""
    return PersonalValue.objects.filter(entry__in=rows.order_by().values("pk"))


def pending_erasure_of(user: User) -> Erasure | None:
    """Return the erasure that the person may still undo."""
    return Erasure.objects.filter(user=user, status=Erasure.Status.PENDING).first()


def due_erasures() -> QuerySet[Erasure]:
    """Return those whose time has come, the oldest first."""
    due = Erasure.objects.filter(status=Erasure.Status.PENDING, due_at__lte=now_in_query())
    return due.order_by("due_at", "id")


@dataclass(frozen=True)
class OwnedAlone:
    """An open organization that nobody owns but one person."""

    organization: Organization
    has_others: bool  # whether others belong to it


def organizations_without(user: User) -> list[OwnedAlone]:
    """Return the open organizations that only he owns; a query for each that he owns."""
    roles = UserRole.objects.across_organizations("those of the person").filter(
        user=user, **IS_OWNER
    )
    owned = Organization.objects.filter(
        pk__in=roles.values("organization"), closed_at=None
    ).order_by("id")
    found = []
    for organization in owned:
        with scope.within(organization.pk):  # there he sees who else belongs to it
            others = UserRole.objects.filter(organization=organization).exclude(user=user)
            told = others.aggregate(
                owners=Count("pk", filter=Q(user__is_active=True, **IS_OWNER)), all=Count("pk")
            )
        if not told["owners"]:
            found.append(OwnedAlone(organization, has_others=bool(told["all"])))
    return found
