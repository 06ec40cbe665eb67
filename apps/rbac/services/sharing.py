"""Share single objects with people outside the organization, and take that back."""

from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from guardian.shortcuts import assign_perm, remove_perm

from apps.core import scope
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.errors import NotFound
from apps.core.models import PublicId
from apps.rbac.errors import ExpiryInThePast, SharePersonUnknown, ShareWithMember
from apps.rbac.models import ApiKey, Share
from apps.rbac.selectors import held_by, members_of
from apps.rbac.services.granting import check_may
from apps.rbac.shareables import Shareable, shareable_by_id, shareable_of
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization

TO_SHARE = "shares.manage"


@transaction.atomic
def share_object(
    *,
    by: User,
    organization: Organization,
    object_id: str,
    email: str,
    expires_at: datetime | None = None,
    key: ApiKey | None = None,
) -> Share:
    """
    Let a person outside see this one object, for ever or until a time (exclusive, UTC).

    Shared again, the share stays and takes the new expiry. `object_id` is a public id.

    :raises PermissionDenied: if whoever shares may not share, or may not see it himself.
    :raises NotFound: if the organization has no such object, or none that can be shared.
    :raises ExpiryInThePast: if it would be over already.
    :raises SharePersonUnknown: if nobody signs in with this address.
    :raises ShareWithMember: if the person belongs to the organization.
    """
    lock_organization(organization)
    held = held_by(by, organization, key)
    check_may(TO_SHARE, held)
    shareable, shared = find_object(object_id)
    if getattr(shared, "organization_id", None) != organization.pk:
        raise NotFound
    check_may(shareable.needs, held)
    if not shareable.is_seen_by(shared, by):
        raise NotFound
    if expires_at is not None and expires_at <= database_now():
        raise ExpiryInThePast
    person = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if person is None:
        raise SharePersonUnknown(field="email")
    if members_of(organization).filter(pk=person.pk).exists():
        raise ShareWithMember(field="email")
    assign_perm(shareable.permission, person, shared)
    wanted = Share(
        organization=organization,
        content_type=ContentType.objects.get_for_model(shared),
        object_id=shared.pk,
        user=person,
        shared_by=by,
        expires_at=expires_at,
    )
    return _write(wanted, object_id)


@transaction.atomic
def revoke_share(*, by: User, share: Share, key: ApiKey | None = None) -> Share:
    """
    Take a share back: the person's next request finds nothing. One taken back stays so.

    :raises PermissionDenied: if whoever asks may not share in this organization.
    """
    organization = lock_organization(share.organization)
    check_may(TO_SHARE, held_by(by, organization, key))
    locked = Share.objects.select_for_update(of=("self",)).get(pk=share.pk)
    return locked if locked.revoked_at is not None else _revoke(locked)


def _revoke(locked: Share) -> Share:
    locked.revoked_at = database_now()
    locked.save(update_fields=["revoked_at"])
    shareable = shareable_of(locked.content_type.model_class() or Share)
    if shareable is not None and locked.shared is not None:
        remove_perm(shareable.permission, locked.user, locked.shared)
    audit.record(
        action="share.revoke",
        organization=locked.organization,
        object_id=getattr(locked.shared, "public_id", str(locked.object_id)),
        before=_facts(locked),
    )
    return locked


@inside_transaction
def revoke_shares_with(*, user: User) -> int:
    """
    Take back everything that is shared with a person, wherever, and return how much it was.

    Nobody's permission is asked: it is for the erasure of the person.
    """
    current = Share.objects.across_organizations("what is shared with the person").filter(
        user=user, revoked_at=None
    )
    shares = list(current.select_for_update(of=("self",)).order_by("id"))
    for share in shares:
        with scope.within(share.organization_id):
            _revoke(share)
    return len(shares)


def find_object(public_id: str) -> tuple[Shareable, Model]:
    """
    Return the object with this public id, of whichever organization, and how it is shared.

    :raises NotFound: if there is none, or such things cannot be shared.
    """
    shareable = shareable_by_id(public_id)
    if shareable is None:
        raise NotFound
    assert issubclass(shareable.model, PublicId)
    row_id = shareable.model.read_id(public_id)
    found = shareable.model._default_manager.filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return shareable, found


def _write(wanted: Share, object_id: str) -> Share:
    share, is_new = Share.objects.select_for_update(of=("self",)).get_or_create(
        content_type=wanted.content_type,
        object_id=wanted.object_id,
        user=wanted.user,
        revoked_at=None,
        defaults={
            "organization": wanted.organization,
            "shared_by": wanted.shared_by,
            "expires_at": wanted.expires_at,
        },
    )
    before = None if is_new else _facts(share)
    if not is_new:
        if share.expires_at == wanted.expires_at:
            return share
        share.expires_at, share.shared_by = wanted.expires_at, wanted.shared_by
        share.save(update_fields=["expires_at", "shared_by"])
    audit.record(
        action="share.create" if is_new else "share.update",
        organization=share.organization,
        object_id=object_id,
        before=before,
        after=_facts(share),
    )
    return share


def _facts(share: Share) -> dict[str, object]:
    """Return what the audit log keeps: the person's id, which outlives his address."""
    ends = share.expires_at
    return {
        "share": share.public_id,
        "user": share.user.public_id,
        "expires_at": ends.isoformat() if ends else None,
    }
