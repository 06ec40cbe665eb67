"""The pages of a programme's groups and cost centres."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from apps.core.errors import DomainError
from apps.core.pages import add_refusal
from apps.partners.pages import tables
from apps.partners.pages.base import ProgrammePage
from apps.partners.pages.forms import GroupForm
from apps.partners.selectors.members import group_of, groups_of
from apps.partners.services import groups


class Groups(ProgrammePage):
    """The groups, and the form that makes one."""

    tab = "members"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show the groups by name, with how many members each has; or as CSV."""
        if self.wants_file:
            return self.send("groups", tables.GROUPS, groups_of(self.partner))
        return self.draw(GroupForm())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Make a group."""
        form = GroupForm(request.POST)
        if not form.is_valid():
            return self.draw(form, status=422)
        try:
            group = groups.create_group(partner=self.partner, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(form, status=error.status)
        messages.success(request, f"The group {group.name} is made.")
        return redirect("partners:groups", slug)

    def draw(self, form: GroupForm, status: int = 200) -> HttpResponse:
        """Draw the page."""
        page = {"groups": groups_of(self.partner), "form": form}
        return self.show("partners/groups.html", page, status)


class Group(ProgrammePage):
    """One group."""

    tab = "members"

    def get(self, request: HttpRequest, slug: str, group_id: str) -> HttpResponse:
        """Show it, with the form that changes it."""
        group = group_of(self.partner, group_id)
        form = GroupForm(initial={"name": group.name, "cost_centre": group.cost_centre})
        return self.show("partners/group.html", {"group": group, "form": form})

    def post(self, request: HttpRequest, slug: str, group_id: str) -> HttpResponse:
        """Call it something else."""
        group, form = group_of(self.partner, group_id), GroupForm(request.POST)
        page = {"group": group, "form": form}
        if not form.is_valid():
            return self.show("partners/group.html", page, status=422)
        try:
            groups.update_group(group=group, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.show("partners/group.html", page, error.status)
        messages.success(request, "The group is changed.")
        return redirect("partners:groups", slug)


class RemoveGroup(ProgrammePage):
    """The end of a group; its page asks before it posts here."""

    permission = "partners.manage"

    def post(self, request: HttpRequest, slug: str, group_id: str) -> HttpResponse:
        """Dissolve it; its members stay in the programme."""
        group = group_of(self.partner, group_id)
        groups.remove_group(group=group)
        messages.success(request, f"The group {group.name} is dissolved.")
        return redirect("partners:groups", slug)
