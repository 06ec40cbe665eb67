"""Changes by staff, each with its audit row."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from allauth.account.adapter import get_adapter
from django.db import transaction
from django.db.models import Model
from django.forms.models import model_to_dict
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.tenants.models import Organization, User
from apps.tenants.services import audit


class AuditedAdmin[M: Model](ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """Writes an audit row in the transaction of each change that staff make."""

    show_full_result_count = False
    list_per_page = 50

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        """Save, and keep what was before and after in the fields that changed."""
        before = {name: str(form.initial.get(name, "")) for name in form.changed_data}
        super().save_model(request, obj, form, change)
        after = {name: str(value) for name, value in model_to_dict(obj, form.changed_data).items()}
        # Rows of a many-to-many are written after this one: what will be there, the form knows.
        for name in {field.name for field in obj._meta.many_to_many} & set(form.changed_data):
            before[name] = names_of(form.initial.get(name, ()))
            after[name] = names_of(form.cleaned_data[name])
        self.record(obj, "update" if change else "create", before=before, after=after)

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        """Delete, and keep what it was."""
        before = {
            name: names_of(value) if isinstance(value, list) else str(value)  # a many-to-many
            for name, value in model_to_dict(obj).items()
        }
        self.record(obj, "delete", before=before)
        super().delete_model(request, obj)

    @transaction.atomic  # the action of the list runs in none
    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete one by one, so that each leaves its audit row: all or none."""
        for obj in queryset:
            self.delete_model(request, obj)

    def record(self, obj: M, verb: str, **facts: Any) -> None:
        """Write the audit row; a secret's fields are not kept."""
        for values in facts.values():
            values.pop("password", None)
        audit.record(
            action=f"{obj._meta.model_name}.{verb}",
            organization=organization_of(obj),
            object_id=str(getattr(obj, "public_id", obj.pk)),
            reason="back office",
            **facts,
        )


def names_of(rows: Iterable[Model]) -> str:
    """Return what the rows are called, in the order of the names."""
    return ", ".join(sorted(map(str, rows)))


def organization_of(obj: Model) -> Organization | None:
    """Return the organization to which a row belongs, if it belongs to one."""
    if isinstance(obj, Organization):
        return obj if obj.pk and not obj._state.adding else None
    found: Organization | None = getattr(obj, "organization", None)
    return found


def tell_once_committed(request: HttpRequest, notice: str, person: User) -> None:
    """Send a person the notice of what staff did to his account, unless it is undone."""
    adapter = get_adapter(request)
    transaction.on_commit(partial(adapter.send_notification_mail, notice, person))
