"""Make, check and revoke API keys."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from apps.core import context
from apps.core.clock import database_now
from apps.core.scope import opened_by
from apps.rbac.errors import ExpiryInThePast, ScopeNotHeld, ScopesRequired, UnknownScope
from apps.rbac.models import ApiKey, UserRole
from apps.rbac.permissions import PERMISSIONS, SCOPES
from apps.rbac.selectors import permissions_of
from apps.rbac.services import tokens
from apps.rbac.services.key_warnings import next_warning
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

NOTE_USE_EVERY = timedelta(minutes=1)
PRODUCT = re.compile(r"[A-Za-z][A-Za-z._-]{0,39}")
BROWSERS = (  # in this order: each names the ones after it as well
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)


@transaction.atomic
def create_key(
    *,
    organization: Organization,
    created_by: User,
    name: str,
    scopes: Collection[str],
    is_live: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """
    Make a key and return it with its secret, which is kept nowhere and cannot be shown again.

    :raises ScopesRequired: if no scope is given.
    :raises UnknownScope: if there is no such scope.
    :raises ScopeNotHeld: if the person may do nothing of what a scope allows.
    :raises ExpiryInThePast: if the key would have ended already.
    """
    check_scopes(scopes, held=scopes_of(permissions_of(created_by, organization)))
    now = database_now()
    if expires_at is not None and expires_at <= now:
        raise ExpiryInThePast
    token = tokens.new_token(is_live=is_live)
    key = ApiKey.objects.create(
        organization=organization,
        created_by=created_by,
        name=name,
        scopes=sorted(set(scopes)),
        is_live=is_live,
        expires_at=expires_at,
        mail_due_at=next_warning(expires_at, now),
        hint=tokens.hint_of(token),
        digest=tokens.digest_of(token),
    )
    audit.record(
        action="api_key.create",
        organization=organization,
        object_id=key.public_id,
        after={"name": name, "hint": key.hint, "scopes": key.scopes, "is_live": is_live},
    )
    return key, token


def scopes_of(codes: Collection[str]) -> frozenset[str]:
    """Return the scopes of which these permissions are a part."""
    return frozenset(one.scope for one in PERMISSIONS if one.scope and one.code in codes)


def check_scopes(scopes: Collection[str], *, held: Collection[str]) -> None:
    """
    Check what is asked for against what the person may give.

    :raises ScopesRequired: if nothing is asked for.
    :raises UnknownScope: if there is no such scope.
    :raises ScopeNotHeld: if he may not give it.
    """
    if not scopes:
        raise ScopesRequired
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownScope(scope=scope)
        if scope not in held:
            raise ScopeNotHeld(scope=scope)


@transaction.atomic
def revoke_key(*, key: ApiKey) -> ApiKey:
    """Stop a key at once and for ever. A key that was revoked before stays as it is."""
    locked = ApiKey.objects.select_for_update(no_key=True).get(pk=key.pk)
    if locked.revoked_at is not None:
        return locked
    locked.revoked_at, locked.mail_due_at = database_now(), None
    locked.save(update_fields=["revoked_at", "mail_due_at"])
    audit.record(
        action="api_key.revoke",
        organization=locked.organization,
        object_id=locked.public_id,
        before={"name": locked.name, "hint": locked.hint},
    )
    return locked


def find_key(token: str) -> ApiKey | None:
    """
    Return the key with this secret if it can be used now, with its organization and maker.

    It cannot once it is revoked or expired, or its maker has left or is not active. After a
    rotation the old secret finds it, too, until its time is over. One query by the digest,
    whatever the reason: an answer's time tells nothing.
    """
    if not tokens.is_well_formed(token):
        return None
    digest = tokens.digest_of(token)
    with opened_by("api_key", digest):
        membership = UserRole.objects.filter(
            user=OuterRef("created_by"), organization=OuterRef("organization")
        )
        return (
            ApiKey.objects.select_related("organization", "created_by")
            .filter(
                Q(digest=digest) | Q(previous_digest=digest, previous_until__gt=Now()),
                Q(expires_at=None) | Q(expires_at__gt=Now()),
                Exists(membership),
                revoked_at=None,
                created_by__is_active=True,
                organization__is_active=True,
            )
            .first()
        )


def note_use(*, key: ApiKey, token: str, at: datetime) -> None:
    """
    Keep when, from where and by which program a key was used last, at most once a minute.

    Of a key with two secrets, the use of each is kept by itself, so that people see whether
    the old one is still needed.
    """
    is_old = bytes(key.digest) != tokens.digest_of(token)
    column = "previous_used_at" if is_old else "last_used_at"
    last: datetime | None = getattr(key, column)
    if last is not None and last > at - NOTE_USE_EVERY:
        return
    cause = context.current()
    # Asked again in the statement: of many requests at once, one writes.
    due = Q(**{column: None}) | Q(**{f"{column}__lte": at - NOTE_USE_EVERY})
    secret = {"previous_digest" if is_old else "digest": tokens.digest_of(token)}
    ApiKey.objects.filter(due, pk=key.pk, **secret).update(
        **{column: at},
        last_used_ip=cause.ip_address,
        last_used_agent=coarse_agent(cause.user_agent),
    )


def coarse_agent(user_agent: str) -> str:
    """Name a program without what would tell one machine from another: `curl`, `Firefox`."""
    if user_agent.startswith("Mozilla/"):
        return next((name for mark, name in BROWSERS if mark in user_agent), "Browser")
    found = PRODUCT.match(user_agent)
    return found[0] if found else ""
