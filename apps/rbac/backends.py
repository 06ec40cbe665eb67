"""Answer `user.has_perm(code, organization)` from roles, and single objects from guardian."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.db.models import Model
from guardian.backends import ObjectPermissionBackend

from apps.rbac.permissions import BY_CODE
from apps.rbac.selectors import is_shared_with, permissions_of
from apps.rbac.shareables import shareable_of
from apps.tenants.models import Organization, User

CACHE = "_coffer_permissions"


class RoleBackend(BaseBackend):
    """
    Permissions from roles in an organization, and from global roles.

    The answer is kept on the person's object. Each request loads its own, so a role
    that changed takes effect on the next request, and one request asks once.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        """Test for a permission in an organization; other objects are guardian's matter."""
        if perm not in BY_CODE:
            return False
        return perm in self.get_all_permissions(user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """Return everything that the person may do in the organization."""
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return set()
        if obj is not None and not isinstance(obj, Organization):
            return set()
        kept: dict[UUID | None, frozenset[str]] = user_obj.__dict__.setdefault(CACHE, {})
        key = obj.pk if obj else None
        if key not in kept:
            kept[key] = permissions_of(user_obj, obj)
        return set(kept[key])


class ObjectBackend(ObjectPermissionBackend):
    """Guardian's permissions on single objects; leaves what is asked of others to others."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        """Test for a permission on one object; False where guardian would raise."""
        if obj is None or isinstance(obj, Organization):
            return False
        app_label, dot, _ = perm.partition(".")
        if dot and app_label != obj._meta.app_label:
            return False
        return bool(super().has_perm(user_obj, perm, obj)) and _still_counts(user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """Return the person's permissions on one object."""
        if obj is None or isinstance(obj, Organization):
            return set()
        codes = set(super().get_all_permissions(user_obj, obj))
        return codes if codes and _still_counts(user_obj, obj) else set()


def _still_counts(user: Any, obj: Model) -> bool:
    """Guardian knows no expiry; what can be shared counts while its share is current."""
    return shareable_of(type(obj)) is None or is_shared_with(user, obj)
