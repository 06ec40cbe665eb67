"""Staff pages of addresses and groups: those of allauth and of Django, with our audit row."""

from typing import Any

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.tenants.admin.base import AuditedAdmin
from apps.tenants.services import audit

admin.site.unregister([EmailAddress, Group])


@admin.register(EmailAddress)
class EmailAddressAdmin(AuditedAdmin[EmailAddress], AllauthEmailAddressAdmin):  # type: ignore[misc]
    """Addresses of people, and whether they were confirmed."""

    list_select_related = ["user"]

    @transaction.atomic  # the action of the list runs in none
    def make_verified(self, request: HttpRequest, queryset: QuerySet[EmailAddress]) -> None:
        """Call addresses confirmed, and write down which."""
        waiting = set(queryset.filter(verified=False).values_list("pk", flat=True))
        super().make_verified(request, queryset)
        for address in EmailAddress.objects.filter(pk__in=waiting, verified=True):
            verified = {"before": {"verified": "False"}, "after": {"verified": "True"}}
            self.record(address, "update", **verified)

    make_verified.short_description = "Mark selected addresses as confirmed"  # type: ignore[attr-defined]

    def record(self, obj: EmailAddress, verb: str, **facts: Any) -> None:
        """Write the audit row on the person, with the address beside it."""
        facts["after" if verb != "delete" else "before"] |= {"email": obj.email}
        audit.record(
            action=f"emailaddress.{verb}",
            object_id=obj.user.public_id,
            reason="back office",
            **facts,
        )


@admin.register(Group)
class GroupAdmin(AuditedAdmin[Group], DjangoGroupAdmin):
    """Groups of staff, and what each may do in the back office."""
