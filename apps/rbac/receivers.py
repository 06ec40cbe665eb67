"""What rbac does when it hears news from below."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps as installed
from django.db.models import Model
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from apps.core import mail, personal
from apps.rbac import permissions, selectors
from apps.rbac.errors import LastOwner
from apps.rbac.models import Permission, Role, RolePermission
from apps.rbac.selectors import personal_data
from apps.rbac.services import (
    erasure_mails,
    impersonation_mails,
    invitation_mails,
    key_warnings,
    roles,
    transfer_mails,
)
from apps.tenants.models import Organization, User
from apps.tenants.signals import organization_created, organization_reopened


@receiver(organization_created)
def make_owner(organization: Organization, owner: User, **kwargs: Any) -> None:
    """Give the owner his role, in the transaction that creates the organization."""
    role = roles.system_role(permissions.OWNER.name)
    roles.assign_role(user=owner, role=role, organization=organization)


@receiver(organization_reopened)
def need_owner(organization: Organization, **kwargs: Any) -> None:
    """
    Keep an organization closed whose owners are gone.

    :raises LastOwner: if it has none.
    """
    if not selectors.owners_of(organization).exists():
        raise LastOwner


@receiver(post_migrate, sender=installed.get_app_config("rbac"))
def sync_permissions(**kwargs: Any) -> None:
    """Bring the tables up to the page in permissions.py, unless they are migrated back."""
    if _are_as_now(kwargs.get("apps", installed).all_models["rbac"]):
        roles.sync_permissions()


def _are_as_now(migrated: Mapping[str, type[Model]]) -> bool:
    """Tell whether the tables have the columns that the models write today."""
    return all(
        (there := migrated.get(str(model._meta.model_name))) is not None
        and {field.column for field in there._meta.local_fields}
        == {field.column for field in model._meta.local_fields}
        for model in (Permission, Role, RolePermission)
    )


personal.register("memberships", personal_data.memberships_of)
personal.register("api_keys", personal_data.keys_of)
personal.register("invitations", personal_data.invitations_of)
personal.register("shares", personal_data.shares_of)
personal.register("looks_by_support", personal_data.looks_at)
personal.register("last_visits", personal_data.visits_of)
personal.register("ownership_transfers", personal_data.transfers_of)
personal.register("erasures", personal_data.erasures_of)
personal.register("exports", personal_data.files_of)
mail.register(erasure_mails.QUEUE)
mail.register(impersonation_mails.QUEUE)
mail.register(invitation_mails.QUEUE)
mail.register(key_warnings.QUEUE)
mail.register(transfer_mails.QUEUE)
