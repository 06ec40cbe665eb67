"""The pages of roles: the editor, one role, a new one, and the roles of a member."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core.errors import DomainError, PermissionDenied
from apps.core.pages import add_refusal
from apps.rbac import selectors
from apps.rbac.models import Role
from apps.rbac.pages.base import TenantPage
from apps.rbac.permissions import BY_CODE
from apps.rbac.services import matrix, members
from apps.rbac.services.custom_roles import create_role, delete_role

MOST_HOLDERS = 25  # named on the page of a role


class RoleForm(forms.Form):
    """A new role; it can allow what its maker may do."""

    name = forms.CharField(max_length=50, label="Name")
    description = forms.CharField(
        max_length=500,
        required=False,
        label="What it is for",
        widget=forms.Textarea({"rows": 2}),
    )
    codes = forms.MultipleChoiceField(
        label="It allows", widget=forms.CheckboxSelectMultiple, choices=(), required=False
    )

    def __init__(self, *args: Any, held: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = self.fields["codes"]
        assert isinstance(codes, forms.MultipleChoiceField)
        codes.choices = [
            (code, f"{code}: {BY_CODE[code].description}")
            for code in BY_CODE
            if code in held and not BY_CODE[code].is_for_staff
        ]


class MemberRolesForm(forms.Form):
    """The roles of a member."""

    roles = forms.MultipleChoiceField(
        label="Roles", widget=forms.CheckboxSelectMultiple, choices=(), required=False
    )

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["roles"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [
            (role.public_id, f"{role.name}: {role.description}" if role.description else role.name)
            for role in roles
        ]


class Roles(TenantPage):
    """Every role against every permission; one's own can be changed, after a look at the change."""

    permission = "roles.view"
    permission_to_change = "roles.manage"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the editor, or only the table to those who may not change it."""
        return self.show()

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show what would change, or save it; a refusal is told above the editor."""
        answer = matrix.answer(dict(request.POST.lists()), self.organization, by=self.user)
        match answer:
            case matrix.Preview():
                page = {"differences": answer.differences, "fields": answer.fields}
                return render(request, "rbac/roles_preview.html", page)
            case matrix.Refused():
                if answer.refusal.status == PermissionDenied.status:
                    self.record(answer.refusal)
                return self.show(answer)
        tell = messages.success if answer.has_changed else messages.info
        tell(request, answer.message)
        return redirect("rbac:roles", slug=slug)

    def show(self, refused: matrix.Refused | None = None) -> HttpResponse:
        """Show the editor; after a refusal with what was chosen, and why it was refused."""
        drafts = refused.drafts if refused else []
        error = refused.refusal if refused else None
        page = {
            "matrix": matrix.matrix_of(self.organization, by=self.user, drafts=drafts),
            "refusal": {"title": error.title, "text": str(error)} if error else None,
            "can_manage": self.user.has_perm(self.permission_to_change, self.organization),
        }
        status = refused.status if refused else 200
        return render(self.request, "rbac/roles.html", page, status=status)


class NewRole(TenantPage):
    """A role of the organization's own."""

    permission = "roles.manage"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the form."""
        return self.show(self.form())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Make the role."""
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            role = create_role(by=self.user, organization=self.organization, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(form, status=error.status)
        messages.success(request, f"The role {role.name} is made. Give it to members now.")
        return redirect("rbac:role", slug, role.public_id)

    def form(self, data: object = None) -> RoleForm:
        """Return the form with what the person may give."""
        return RoleForm(data, held=selectors.held_by(self.user, self.organization))

    def show(self, form: RoleForm, *, status: int = 200) -> HttpResponse:
        """Show the form with its errors."""
        return render(self.request, "rbac/role_new.html", {"form": form}, status=status)


class RolePage(TenantPage):
    """One role: what it allows, and who has it."""

    permission = "roles.view"
    permission_to_change = "roles.manage"

    def get(self, request: HttpRequest, slug: str, role_id: str) -> HttpResponse:
        """Show the role; its holders to those who may see members."""
        role = selectors.role_in(self.organization, role_id)
        codes = selectors.codes_of([role])[role.pk]
        query = urlencode({"role": role.name})
        page = {
            "role": role,
            "permissions": [one for code, one in BY_CODE.items() if code in codes],
            "count": selectors.holder_counts([role], self.organization)[role.pk],
            "holders": list(selectors.holders_of(role, self.organization)[:MOST_HOLDERS]),
            "holders_url": f"{reverse('rbac:members', args=[slug])}?{query}",
            "can_see_holders": self.user.has_perm("members.view", self.organization),
            "can_assign": self.user.has_perm("members.manage", self.organization),
            "can_delete": not role.is_system_role
            and self.user.has_perm(self.permission_to_change, self.organization),
        }
        return render(request, "rbac/role.html", page)

    def post(self, request: HttpRequest, slug: str, role_id: str) -> HttpResponse:
        """Delete the role."""
        role = selectors.role_in(self.organization, role_id)
        version = request.POST.get("version", "")
        delete_role(by=self.user, role=role, version=int(version) if version.isdecimal() else 0)
        messages.success(request, f"The role {role.name} is deleted.")
        return redirect("rbac:roles", slug=slug)


class MemberRoles(TenantPage):
    """The roles of one member."""

    permission = "members.view"
    permission_to_change = "members.manage"

    def get(self, request: HttpRequest, slug: str, user_id: str) -> HttpResponse:
        """Show which roles he has."""
        member = self.member(user_id)
        has = [role.public_id for role in selectors.roles_of_member(member, self.organization)]
        return self.show(member, self.form(initial={"roles": has}))

    def post(self, request: HttpRequest, slug: str, user_id: str) -> HttpResponse:
        """Give him exactly the roles that are chosen."""
        member, form = self.member(user_id), self.form(request.POST)
        if not form.is_valid():
            return self.show(member, form, status=422)
        roles = [
            selectors.role_in(self.organization, role_id) for role_id in form.cleaned_data["roles"]
        ]
        try:
            members.set_roles(
                organization=self.organization, user=member, roles=roles, by=self.user
            )
        except DomainError as error:
            add_refusal(form, error)
            return self.show(member, form, status=error.status)
        messages.success(request, f"The roles of {member.get_full_name()} are saved.")
        return redirect(reverse("rbac:member_roles", args=[slug, user_id]))

    def member(self, user_id: str) -> Any:
        """
        Return the member.

        :raises NotFound: if the organization has none with this id.
        """
        return selectors.membership_of(self.organization, user_id)

    def form(self, data: object = None, **options: Any) -> MemberRolesForm:
        """Return the form with every role that can be given here."""
        return MemberRolesForm(data, roles=list(selectors.roles_in(self.organization)), **options)

    def show(self, member: Any, form: MemberRolesForm, *, status: int = 200) -> HttpResponse:
        """Show the form; those who may not change it see the roles alone."""
        may_change = self.user.has_perm(self.permission_to_change, self.organization)
        page = {
            "member": member,
            "roles": list(selectors.roles_of_member(member, self.organization)),
            "form": form if may_change else None,
        }
        return render(self.request, "rbac/member_roles.html", page, status=status)
