"""What the pages of a programme share: who may, whose programme it is, and its tabs."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from apps.core.exports import stream_table
from apps.partners.models import Partner
from apps.partners.selectors import find_partner, partner_of
from apps.rbac.pages.base import TenantPage


class ProgrammePage(TenantPage):
    """
    A page of the organization's own programme.

    `tab` is the one that is marked: templates/partners/base.html has their names. Where the
    organization has no programme, the page says so and where one applies.
    """

    permission = "partners.view"
    permission_to_change = "partners.manage"
    tab: ClassVar[str] = ""

    @cached_property
    def partner(self) -> Partner:
        """
        The programme of the organization in the address, and never of another.

        :raises NotAPartner: if it has none.
        """
        return partner_of(self.organization)

    @property
    def can_manage(self) -> bool:
        """Whether the viewer may change what he sees."""
        may: bool = self.user.has_perm(self.permission_to_change, self.organization)
        return may

    def show(self, template: str, page: dict[str, Any], status: int = 200) -> HttpResponse:
        """Draw the page with the facts that each page of the programme shows."""
        shared = {"partner": self.partner, "tab": self.tab, "can_manage": self.can_manage}
        return render(self.request, template, {**shared, **page}, status=status)

    @property
    def wants_file(self) -> bool:
        """Whether the table of the page is asked for as CSV."""
        return self.request.GET.get("format") == "csv"

    def send(
        self, name: str, columns: Mapping[str, str], rows: Iterable[object]
    ) -> HttpResponseBase:
        """Answer all rows of a table as CSV, with these of their attributes."""
        filename = f"{self.organization.slug}-{name}.csv"
        return stream_table(filename=filename, columns=columns, rows=rows)


class Programme(TenantPage):
    """Where the menu leads: to the programme, or to the application for one."""

    permission = "partners.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Lead on."""
        has_one = find_partner(self.organization) is not None
        return redirect("partners:overview" if has_one else "partners:application", slug)
