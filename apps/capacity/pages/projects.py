"""The page of projects: how much of each is allocated, held and free, and what it costs."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.capacity.pages.base import CapacityPage
from apps.capacity.selectors.listing import PROJECT_COLUMNS, project_rows
from apps.capacity.selectors.projects import bars_of, shown_projects
from apps.core.exports import stream_csv


class Projects(CapacityPage):
    """The projects of the instance, newest first."""

    tab = "projects"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show a page of projects, or all of them as CSV."""
        rows = shown_projects()
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-projects.csv", columns=PROJECT_COLUMNS, rows=project_rows(rows)
            )
        found, links = self.listed(rows, reverse("capacity:projects", args=[slug]))
        projects = [{"project": one, "bars": bars_of(one)} for one in found]
        return self.show("capacity/projects.html", {"projects": projects, **links})
