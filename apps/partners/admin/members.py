"""Staff pages of members of programmes, and of their groups."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.core.admin import ExportingAdmin
from apps.partners.admin.base import AskingAdmin
from apps.partners.admin.forms import GroupForm
from apps.partners.models import MemberGroup, PartnerMember
from apps.partners.services.groups import update_group


@admin.register(PartnerMember)
class PartnerMemberAdmin(ExportingAdmin[PartnerMember]):
    """Who belongs to which programme; never a link, and never its digest."""

    list_display = [
        *("email", "first_name", "last_name", "partner", "group", "status", "created_at"),
        *("sent_at", "reminders", "mail_attempts", "claimed_at", "left_at"),
    ]
    list_filter = ["status", ("sent_at", admin.EmptyFieldListFilter)]
    search_fields = ["email", "last_name", "partner__name", "organization__slug", "user__email"]
    search_help_text = "Address, last name, programme, organization or the person's own address"
    list_select_related = ["partner", "group"]
    ordering = ["-created_at", "-id"]
    exclude = ["digest"]
    csv_columns = [
        *("public_id", "created_at", "partner.public_id", "partner.name", "email"),
        *("first_name", "last_name", "group.name", "group.cost_centre", "status"),
        *("sent_at", "reminders", "claimed_at", "left_at"),
    ]


@admin.register(MemberGroup)
class MemberGroupAdmin(AskingAdmin[MemberGroup]):
    """Groups and cost centres of programmes; partners make and dissolve them."""

    list_display = ["name", "cost_centre", "partner", "members", "created_at"]
    search_fields = ["name", "cost_centre", "partner__name", "organization__slug"]
    search_help_text = "Group, cost centre, programme or organization"
    list_select_related = ["partner"]
    readonly_fields = ["members"]
    ordering = ["-created_at", "-id"]
    csv_columns = [
        *("public_id", "created_at", "partner.public_id", "partner.name", "name", "cost_centre"),
        "size",
    ]
    actions_detail = ["rename"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MemberGroup]:
        """Count the members of each; who left is not counted."""
        rows: QuerySet[MemberGroup] = super().get_queryset(request)
        here = ~Q(members__status=PartnerMember.Status.LEFT)
        return rows.annotate(size=Count("members", filter=here))

    @admin.display(description="members")
    def members(self, group: Any) -> int:
        """Say how many members are in it."""
        size: int = group.size
        return size

    def has_rename_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those rename who may change groups in Django's own permissions."""
        return request.user.has_perm("partners.change_membergroup")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Rename", url_path="rename", icon="edit", permissions=["rename"]
    )
    def rename(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Call it, or its cost centre, something else."""
        row = self.row_of(request, object_id)

        def do(form: GroupForm) -> str:
            changed = update_group(group=row, **form.cleaned_data)
            return f"The group is called {changed.name} now."

        initial = {"name": row.name, "cost_centre": row.cost_centre}
        return self.ask_and_do(
            request,
            row=row,
            form=GroupForm(request.POST or None, initial=initial),
            frame={
                "title": f"Rename {row.name}",
                "text": "Its members and their credits stay as they are.",
                "button": "Rename",
            },
            do=do,
            may=self.has_rename_permission(request),
        )
