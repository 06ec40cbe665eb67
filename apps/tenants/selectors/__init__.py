"""Read organizations and what was done in them. Nothing here writes."""

import zoneinfo
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.tenants.models import AuditLog, Organization, User

# Recovery codes stand in for one of these and are none themselves.
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
SHOWN_BY = "second_factor"  # session key: the id of the person who has shown one in it

UNDO_DAYS = 30  # for which an owner may open what he closed


def audit_log_of(organization: Organization) -> QuerySet[AuditLog]:
    """Return what was done in the organization, newest first."""
    return AuditLog.objects.filter(organization=organization).order_by("-created_at", "-id")


def time_zones() -> list[tuple[str, str]]:
    """Return the time zones that a person can choose, UTC first."""
    places = sorted(name for name in zoneinfo.available_timezones() if "/" in name)
    return [(name, name.replace("_", " ")) for name in ["UTC", *places]]


def all_organizations() -> QuerySet[Organization]:
    """Return every organization, for staff: newest first, whatever its status."""
    return Organization.objects.order_by("-created_at", "-id")


def clock_of(organization_id: UUID) -> datetime | None:
    """Return where time stands still in an organization; None in all that are no sandbox."""
    if not settings.MOVABLE_CLOCK:
        return None
    rows = Organization.objects.filter(pk=organization_id).values_list("clock_at", flat=True)
    return rows.first()


def reopenable_until(organization: Organization) -> datetime | None:
    """Return until when its owner may open a closed organization again, exclusive."""
    if organization.closed_at is None:
        return None
    return organization.closed_at + timedelta(days=UNDO_DAYS)


def has_second_factor(user: User) -> bool:
    """Tell whether the person has an authenticator app, a passkey or a security key."""
    factors = Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS)
    return bool(factors.exists())


def has_shown_second_factor(user: User, session: Mapping[str, Any]) -> bool:
    """
    Tell whether the person has a second factor and this session has shown it.

    A session from before it was set up has not: whoever holds that one knows the password
    and perhaps no more. Staff who look in a person's place have shown their own.
    """
    if user.only_in is not None:
        return True
    return session.get(SHOWN_BY) == str(user.pk) and has_second_factor(user)


def has_confirmed_addresses(user: User) -> bool:
    """Tell whether no e-mail address of the person waits to be confirmed."""
    return not EmailAddress.objects.filter(user=user, verified=False).exists()


def sessions_of(user: User) -> QuerySet[UserSession]:
    """Return where the person is signed in, the latest used first."""
    alive = Session.objects.filter(expire_date__gt=Now()).values("session_key")
    sessions: QuerySet[UserSession] = UserSession.objects.filter(user=user, session_key__in=alive)
    return sessions.order_by("-last_seen_at", "-id")
