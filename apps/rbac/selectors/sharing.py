"""Read what is shared with people outside."""

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from guardian.shortcuts import get_objects_for_user

from apps.core.rows import RowManager
from apps.rbac.models import Share
from apps.rbac.shareables import shareable_of
from apps.tenants.models import Organization, User

TO_A_PERSON = "what is shared with the person, wherever it is from"


def shares_of(organization: Organization) -> QuerySet[Share]:
    """Return what the organization shared, newest first; what was taken back or is over, too."""
    shares = Share.objects.filter(organization=organization)
    people = shares.select_related("organization", "user", "shared_by", "content_type")
    return people.prefetch_related("shared").order_by("-created_at", "-id")


def shares_with(user: User) -> QuerySet[Share]:
    """Return what is shared with the person now, newest first."""
    shares = Share.objects.across_organizations(TO_A_PERSON).filter(
        _is_current(), _is_seen_by(user), user=user, organization__is_active=True
    )
    found = shares.select_related("organization", "user", "shared_by", "content_type")
    return found.prefetch_related("shared").order_by("-created_at", "-id")


def shared_objects[M: Model](user: User, model: type[M]) -> QuerySet[M]:
    """
    Return the rows of a shareable model that are shared with the person now; one query.

    django-guardian must say so and the share must be current: neither alone is enough, and
    nobody sees anything here for being a superuser or in a group.
    """
    shareable = shareable_of(model)
    assert shareable is not None, "apps.rbac.shareables does not know it"
    current = Share.objects.across_organizations(TO_A_PERSON).filter(
        _is_current(),
        _is_seen_by(user),
        user=user,
        content_type=ContentType.objects.get_for_model(model),
        object_id=OuterRef("pk"),
        organization=OuterRef("organization"),
        organization__is_active=True,
    )
    manager = model._default_manager
    assert isinstance(manager, RowManager)
    rows: QuerySet[M] = get_objects_for_user(
        user,
        shareable.permission,
        klass=manager.across_organizations(TO_A_PERSON),
        use_groups=False,
        with_superuser=False,
        accept_global_perms=False,
    )
    return rows.filter(Exists(current))


def is_shared_with(user: User, shared: Model) -> bool:
    """Tell whether a share of this object with the person is current."""
    kind = ContentType.objects.get_for_model(shared)
    shares = Share.objects.across_organizations(TO_A_PERSON).filter(
        _is_current(), _is_seen_by(user), user=user, content_type=kind
    )
    return shares.filter(object_id=shared.pk, organization__is_active=True).exists()


def _is_seen_by(user: User) -> Q:
    """Return the condition that staff who look in his place see what is of their organization."""
    return Q() if user.only_in is None else Q(organization=user.only_in)


def _is_current() -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=Now()))
