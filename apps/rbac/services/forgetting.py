"""The steps of an erasure: each forgets the person in one place. All run in one transaction."""

import json
from collections.abc import Callable

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import Q
from guardian.models import UserObjectPermission

from apps.core import scope
from apps.core.clock import database_now
from apps.core.ids import new_id
from apps.core.personal import GONE
from apps.rbac.errors import StillOwner
from apps.rbac.models import (
    ApiKey,
    Impersonation,
    Invitation,
    LastSeen,
    OwnershipTransfer,
    UserRole,
)
from apps.rbac.selectors.erasures import Identity, organizations_without, values_in
from apps.rbac.services import keys
from apps.rbac.services.invitations import revoke_invitations_of
from apps.rbac.services.members import remove_member
from apps.rbac.services.personal_exports import forget_exports_of
from apps.rbac.services.sharing import revoke_shares_with
from apps.tenants.models import AuditLog, Organization, OrganizationSlug, PersonalValue, User
from apps.tenants.services.organizations import lock_organization, update_organization
from apps.tenants.services.sessions import end_other_sessions
from apps.tenants.services.standing import close_organization

ERASED = "Erased person"
NOWHERE = "erased.invalid"  # a domain that can never exist (RFC 6761)
Step = Callable[[User, Identity], None]


def close_what_is_his_alone(user: User, identity: Identity | None = None) -> None:
    """
    Close each organization to which nobody else belongs; what was left in it lapses.

    Whoever joins locks the organization, too: under its lock nobody can come in any more.

    :raises StillOwner: if somebody joined since it was asked for who belongs to it.
    """
    for owned in organizations_without(user):
        with scope.within(owned.organization.pk):
            locked = lock_organization(owned.organization)
            if UserRole.objects.filter(organization=locked).exclude(user=user).exists():
                raise StillOwner(organizations=locked.name)
            close_organization(organization=locked, confirmation=locked.slug)


def rename_what_was_his_alone(user: User, identity: Identity) -> None:
    """Take name and addresses from the closed organizations to which nobody else belongs."""
    roles = UserRole.objects.filter(user=user, organization__closed_at__isnull=False)
    for organization in Organization.objects.filter(pk__in=roles.values("organization")):
        others = UserRole.objects.filter(organization=organization).exclude(user=user)
        if others.exists():
            continue
        locked = lock_organization(organization)
        OrganizationSlug.objects.filter(organization=locked).delete()
        slug = f"erased-{locked.pk.hex}"
        OrganizationSlug.objects.create(slug=slug, organization=locked)
        locked.name, locked.slug, locked.description = "Erased organization", slug, ""
        locked.website = locked.billing_email = ""
        locked.save()
        about = AuditLog.objects.filter(organization=locked)
        values_in(about).delete()


def leave_organizations(user: User, identity: Identity) -> None:
    """End his memberships, with his keys and the invitations that he sent."""
    roles = UserRole.objects.filter(user=user).select_related("organization")
    organizations = {one.organization for one in roles if one.organization}
    for organization in sorted(organizations, key=lambda one: one.pk):
        if organization.closed_at is None:
            remove_member(organization=organization, user=user, by=user)
            continue
        # It has no owner afterwards, which only a closed one may.
        revoke_invitations_of(organization=organization, inviter=user)
        UserRole.objects.filter(user=user, organization=organization).delete()
    for key in ApiKey.objects.filter(created_by=user, revoked_at=None).order_by("id"):
        keys.revoke_key(key=key)
    ApiKey.objects.filter(created_by=user).update(
        name="Key of an erased person", last_used_ip=None, last_used_agent=""
    )
    LastSeen.objects.filter(user=user).delete()
    revoke_shares_with(user=user)
    UserObjectPermission.objects.filter(user=user).delete()
    OwnershipTransfer.objects.filter(
        Q(from_user=user) | Q(to_user=user), status=OwnershipTransfer.Status.PENDING
    ).update(status=OwnershipTransfer.Status.WITHDRAWN, ended_at=database_now(), mail_due_at=None)


def forget_addresses_elsewhere(user: User, identity: Identity) -> None:
    """Take his address from invitations, and from organizations that sent their bills there."""
    for invitation in Invitation.objects.filter(email__in=identity.emails):
        if invitation.status == Invitation.Status.PENDING:
            invitation.status, invitation.ended_at = Invitation.Status.REVOKED, database_now()
        invitation.email = f"erased-{new_id().hex}@{NOWHERE}"
        invitation.mail_due_at = invitation.digest = None
        invitation.save()
    for organization in Organization.objects.filter(identity.within("billing_email")):
        update_organization(organization=organization, billing_email="")
    Impersonation.objects.filter(user=user).update(reason=GONE, ticket=GONE, mail_due_at=None)
    for field in ("reason", "ticket"):  # staff name people where they look in others' place, too
        Impersonation.objects.filter(identity.within(field)).update(**{field: GONE})


def forget_exports(user: User, identity: Identity) -> None:
    """Let the files go that he asked for; the next sweep deletes them."""
    forget_exports_of(user=user)


def forget_sign_in(user: User, identity: Identity) -> None:
    """Sign him out everywhere, and delete addresses and second factors."""
    end_other_sessions(user=user, keep=None, reason="erased")
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()


def forget_in_the_audit_log(user: User, identity: Identity) -> None:
    """Delete what tokens of the log stand for where it is his; the rows and seals stay."""
    about = AuditLog.objects.filter(object_id=user.public_id)
    values_in(about).delete()
    PersonalValue.objects.filter(identity.within("value")).delete()


def forget_kept_answers(user: User, identity: Identity) -> None:
    """Forget the bodies of answers, kept for replays, that name him; their keys stay."""
    with connection.cursor() as cursor:
        for word in identity.words:
            for written in {word, json.dumps(word)[1:-1]}:  # JSON writes other letters as \uXXXX
                cursor.execute(
                    """
                    UPDATE core_idempotencykey SET body = NULL
                     WHERE body IS NOT NULL
                       AND position(lower(%s) IN lower(convert_from(body, 'UTF8'))) > 0
                    """,
                    [written],
                )


def forget_in_the_back_office(user: User, identity: Identity) -> None:
    """Take his name from the history that Django's admin keeps of its objects."""
    named = identity.within("object_repr") | identity.within("change_message")
    LogEntry.objects.filter(named | Q(object_id=str(user.pk))).update(
        object_repr=ERASED, change_message=""
    )


def forget_account(user: User, identity: Identity) -> None:
    """Leave of the account its id, to which money and history point."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    locked.email = f"erased-{locked.pk.hex}@{NOWHERE}"
    locked.full_name, locked.avatar_url, locked.time_zone = ERASED, "", "UTC"
    locked.is_active, locked.last_login = False, None
    locked.set_unusable_password()
    locked.groups.clear()
    locked.user_permissions.clear()
    locked.save()


# In this order: what is his alone is closed while he still owns it, and the log is cleared
# after everything that writes into it.
STEPS: tuple[Step, ...] = (
    close_what_is_his_alone,
    rename_what_was_his_alone,
    leave_organizations,
    forget_addresses_elsewhere,
    forget_exports,
    forget_sign_in,
    forget_account,
    forget_kept_answers,
    forget_in_the_back_office,
    forget_in_the_audit_log,
)
