"""
Staff look at an organization's pages in a member's place: with a reason, read-only, an hour.

The staff person stays signed in as himself all the while. His session keeps the id of the
row, and each request is let through by what the row and everybody's access say then.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.core import context
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.errors import PermissionDenied
from apps.core.queue import enqueue
from apps.rbac import selectors
from apps.rbac.errors import CannotImpersonate, NotAMember, ReasonRequired
from apps.rbac.models import Impersonation
from apps.rbac.models.impersonations import LONGEST
from apps.rbac.selectors.impersonations import IMPERSONATE, can_be_impersonated, is_member
from apps.tenants.models import Organization, User
from apps.tenants.selectors.config import Setting, declare, value_of
from apps.tenants.services import audit

SHORTEST_REASON = 10  # letters
MINUTES = declare(
    Setting(
        "support.impersonation_minutes",
        default=LONGEST // timedelta(minutes=1),
        description="Minutes for which staff look in a member's place.",
        minimum=1,
        maximum=LONGEST // timedelta(minutes=1),
        requires_admin=False,
    )
)
Cause = Impersonation.Cause


@transaction.atomic
def start_impersonation(
    *, staff_user: User, user: User, organization: Organization, reason: str, ticket: str
) -> Impersonation:
    """
    Begin to look in a member's place, and let the organization's owners know.

    What the staff person still had open ends: he looks in one place at a time.

    :raises PermissionDenied: if he may not look in anybody's place.
    :raises ReasonRequired: if he does not say why, or names no ticket.
    :raises CannotImpersonate: if the other is staff, not active, or he himself.
    :raises NotAMember: if the other does not belong to the organization, or it is not active.
    """
    # Locked, so that of two starts at once the second sees the first and ends it.
    locked = User.objects.select_for_update(no_key=True).get(pk=staff_user.pk)
    if not locked.is_active or not locked.is_staff or not locked.has_perm(IMPERSONATE):
        raise PermissionDenied(permission=IMPERSONATE)
    reason, ticket = reason.strip(), ticket.strip()
    if len(reason) < SHORTEST_REASON or not ticket:
        raise ReasonRequired(letters=SHORTEST_REASON)
    if user == locked or not can_be_impersonated(user):
        raise CannotImpersonate
    if not organization.is_active or not is_member(user, organization):
        raise NotAMember(field="organization")
    for open_one in Impersonation.objects.filter(staff_user=locked, ended_at=None):
        end_impersonation(impersonation=open_one, cause=Cause.REPLACED)
    now = database_now()
    impersonation = Impersonation.objects.create(
        organization=organization,
        staff_user=locked,
        user=user,
        reason=reason,
        ticket=ticket,
        started_at=now,
        expires_at=now + timedelta(minutes=value_of(MINUTES)),
        mail_due_at=now,
    )
    _record("start", impersonation)
    enqueue("core.send_mails", queue="impersonations")
    return impersonation


@transaction.atomic
def end_impersonation(*, impersonation: Impersonation, cause: str) -> Impersonation:
    """End it, once: who ends it again gets what is written already."""
    locked = (
        Impersonation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "staff_user", "user")
        .get(pk=impersonation.pk)
    )
    if locked.ended_at is not None:
        return locked
    # Its time was up at that moment, whenever somebody looks.
    now = database_now()
    locked.ended_at = min(now, locked.expires_at)
    locked.end_cause = Cause.TIME if now >= locked.expires_at else cause
    locked.save(update_fields=["ended_at", "end_cause"])
    _record("stop", locked)
    return locked


def end_late_impersonations(*, limit: int = 100) -> int:
    """End those whose time is up, and return how many. Safe to repeat, and at once."""
    late: list[UUID] = list(selectors.late_impersonations().values_list("pk", flat=True)[:limit])
    for impersonation in Impersonation.objects.filter(pk__in=late):
        end_impersonation(impersonation=impersonation, cause=Cause.TIME)
    return len(late)


@inside_transaction
def _record(verb: str, impersonation: Impersonation) -> None:
    """
    Write the audit row, with both people, into the organization's chain.

    The reason stays on the impersonation: it may name somebody who has himself erased. So may
    the ticket, which is kept beside the row.
    """
    with context.acting(
        actor=f"user:{impersonation.staff_user.public_id}",
        acting_as=f"user:{impersonation.user.public_id}",
    ):
        audit.record(
            action=f"impersonation.{verb}",
            organization=impersonation.organization,
            object_id=impersonation.public_id,
            after={"ticket": impersonation.ticket, "until": impersonation.expires_at.isoformat()}
            if verb == "start"
            else {"cause": impersonation.end_cause},
        )
