"""
Say whether an organization works: staff deactivate and activate, its owner closes and reopens.

Nothing is deleted: money rows point at it. Closing is a state that the owner can undo for
UNDO_DAYS, and staff at any time.
"""

from typing import Any

from django.db import transaction

from apps.core.clock import database_now
from apps.core.errors import DomainError
from apps.tenants.errors import NotConfirmed, OrganizationNotActive, ReopeningTooLate
from apps.tenants.models import Organization
from apps.tenants.selectors import UNDO_DAYS, reopenable_until
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization
from apps.tenants.signals import (
    organization_closed,
    organization_closing,
    organization_reopened,
)


@transaction.atomic
def close_organization(
    *, organization: Organization, confirmation: str, reason: str = ""
) -> Organization:
    """
    Close an organization for its owner, who has typed its slug as `confirmation`.

    Its wallets close in the same transaction, and its keys and pages stop. One that is
    closed already stays as it is.

    :raises NotConfirmed: if something else was typed.
    :raises OrganizationNotActive: if staff have deactivated it.
    :raises DomainError: if a receiver cannot let it close: credits held or owed, work under way.
    """
    locked = lock_organization(organization)
    if confirmation.strip() != locked.slug:
        raise NotConfirmed(expected=locked.slug, field="confirmation")
    if locked.closed_at is not None:
        return locked
    _check_active(locked)
    locked.closed_at = database_now()
    _set_active(locked, False, action="organization.close", reason=reason)
    organization_closed.send(sender=Organization, organization=locked)
    return locked


def what_keeps_open(*, organization: Organization) -> DomainError | None:
    """Return the refusal that closing would meet now, or None. Changes nothing."""
    answers = organization_closing.send(sender=Organization, organization=organization)
    refusals: list[Any] = [answer for _, answer in answers if answer is not None]
    return refusals[0] if refusals else None


@transaction.atomic
def reopen_organization(
    *, organization: Organization, reason: str = "", at_any_time: bool = False
) -> Organization:
    """
    Undo the closing: wallets and keys work as before. One that is not closed stays as it is.

    `at_any_time` is for staff.

    :raises ReopeningTooLate: if its owner had UNDO_DAYS and they are over.
    """
    locked = lock_organization(organization)
    closed_at, until = locked.closed_at, reopenable_until(locked)
    if closed_at is None or until is None:
        return locked
    if not at_any_time and database_now() >= until:
        raise ReopeningTooLate(days=UNDO_DAYS)
    locked.closed_at = None
    _set_active(locked, True, action="organization.reopen", reason=reason)
    organization_reopened.send(sender=Organization, organization=locked, closed_at=closed_at)
    return locked


@transaction.atomic
def deactivate_organization(*, organization: Organization, reason: str) -> Organization:
    """
    Shut an organization out, for staff: no page, no key; its credits stay as they are.

    :raises OrganizationNotActive: if its owner has closed it.
    """
    locked = lock_organization(organization)
    if locked.status == "deactivated":
        return locked
    _check_active(locked)
    _set_active(locked, False, action="organization.deactivate", reason=reason)
    return locked


@transaction.atomic
def activate_organization(*, organization: Organization, reason: str) -> Organization:
    """
    Let an organization in again that staff had deactivated.

    :raises OrganizationNotActive: if its owner has closed it: then it is reopened.
    """
    locked = lock_organization(organization)
    if locked.is_active:
        return locked
    if locked.closed_at is not None:
        raise OrganizationNotActive(standing=locked.status)
    _set_active(locked, True, action="organization.activate", reason=reason)
    return locked


def change(*, organization: Organization, verb: str, reason: str) -> Organization:
    """
    Do to an organization what staff may do: deactivate, activate or reopen it.

    :raises OrganizationNotActive: if its status does not allow it.
    """
    match verb:
        case "deactivate":
            return deactivate_organization(organization=organization, reason=reason)
        case "activate":
            return activate_organization(organization=organization, reason=reason)
        case "reopen":
            return reopen_organization(organization=organization, reason=reason, at_any_time=True)
    raise ValueError(f"Staff cannot {verb} an organization.")


def _check_active(organization: Organization) -> None:
    if not organization.is_active:
        raise OrganizationNotActive(standing=organization.status)


def _set_active(organization: Organization, is_active: bool, *, action: str, reason: str) -> None:
    """Save the state and write down who changed it, and why."""
    before = Organization.objects.get(pk=organization.pk).status
    organization.is_active = is_active
    organization.save(update_fields=["is_active", "closed_at", "updated_at"])
    audit.record(
        action=action,
        organization=organization,
        object_id=organization.public_id,
        before={"status": before},
        after={"status": organization.status},
        reason=reason,
    )
