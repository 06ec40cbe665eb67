"""Set the values that staff may change while the instance runs."""

from django.db import transaction

from apps.tenants.errors import AdminRequired
from apps.tenants.models import AdminConfig, User
from apps.tenants.selectors.config import setting_named
from apps.tenants.services import audit


@transaction.atomic
def set_config(*, key: str, value: object, by: User) -> AdminConfig:
    """
    Set a value; it counts from the next decision on.

    :raises UnknownSetting: if nothing reads this key.
    :raises AdminRequired: if only superusers may set it.
    :raises InvalidSetting: if the value is of another type or size.
    """
    setting = setting_named(key)
    _check_may(by, key, setting.requires_admin)
    checked = setting.check(value)
    row = AdminConfig.objects.select_for_update().filter(key=key).first()
    before = None if row is None else row.value
    if row is not None and before == checked and type(before) is type(checked):
        return row
    row, _ = AdminConfig.objects.update_or_create(
        key=key, defaults={"value": checked, "requires_admin": setting.requires_admin}
    )
    audit.record(
        action="config.set", object_id=key, before={"value": before}, after={"value": checked}
    )
    return row


@transaction.atomic
def reset_config(*, key: str, by: User) -> None:
    """
    Go back to the default.

    :raises UnknownSetting: if nothing reads this key.
    :raises AdminRequired: if only superusers may set it.
    """
    setting = setting_named(key)
    _check_may(by, key, setting.requires_admin)
    row = AdminConfig.objects.select_for_update().filter(key=key).first()
    if row is None:
        return
    audit.record(action="config.reset", object_id=key, before={"value": row.value})
    row.delete()


def _check_may(by: User, key: str, requires_admin: bool) -> None:
    """Refuse all but superusers where the setting asks for one, or its row does."""
    kept = AdminConfig.objects.filter(key=key).values_list("requires_admin", flat=True).first()
    if (requires_admin or kept) and not by.is_superuser:
        raise AdminRequired(key=key)
