"""Staff pages of projects and their rates."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action, display

from apps.capacity.models import Project, ProjectRate
from apps.capacity.selectors import report
from apps.capacity.services import projects
from apps.core.clock import workers_now
from apps.core.exports import stream_csv
from apps.rbac.admin.base import ServiceAdmin


class ProjectForm(forms.ModelForm[Project]):
    """What staff say of a project; what it costs are its rates."""

    class Meta:
        model = Project
        fields = ["code", "currency", *projects.TERMS]


@admin.register(Project)
class ProjectAdmin(ServiceAdmin[Project]):
    """Projects: made as drafts, opened once they have a rate and blocks, and never deleted."""

    form = ProjectForm
    list_display = [
        *("name", "code", "status", "place", "capacity_kw", "blocks_kw"),
        *("allocated_kw", "held_kw", "free_kw", "waiting"),
    ]
    list_filter = ["status"]
    actions_list = ["report"]
    search_fields = ["name", "code", "place"]
    ordering = ["name"]
    actions_detail = ["show_readings"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """Count who waits, in the statement of the list."""
        rows: QuerySet[Project] = super().get_queryset(request)
        return report.with_waiting(rows)

    def get_fields(self, request: HttpRequest, obj: Project | None = None) -> list[str]:
        """Ask for its status once it can have a rate, which needs a project."""
        fields = list(ProjectForm.Meta.fields)
        counters = ["blocks_kw", "allocated_kw", "held_kw", "waiting_count"]
        return [*fields, *counters] if obj else [name for name in fields if name != "status"]

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> list[str]:
        """Keep what others go by, and what services count."""
        counters = ["blocks_kw", "allocated_kw", "held_kw", "waiting_count"]
        return ["code", "currency", *counters] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """Refuse: a project is closed, and stays."""
        return False

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        """Make or change it through the service."""
        if change:
            saved = projects.change_project(obj, **form.cleaned_data)
        else:
            saved = projects.create_project(**form.cleaned_data)
        obj.pk, obj._state.adding = saved.pk, False

    def log_change(self, request: HttpRequest, obj: Project, message: Any) -> None:
        """Write nothing: the audit log has it."""

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show a refusal in words."""
        return self.tell(request, super().change_view, *args, back_to=request.path, **kwargs)

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Readings", url_path="readings", icon="electric_meter", permissions=["view"]
    )
    def show_readings(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to what it generated."""
        readings = reverse("admin:capacity_generationreading_changelist")
        return redirect(f"{readings}?project__id__exact={object_id}")

    @display(description="Free kW")  # type: ignore[untyped-decorator]  # of Unfold
    def free_kw(self, project: Project) -> Decimal:
        """Show what is neither allocated nor held, holds past their time counted as held."""
        return project.blocks_kw - project.allocated_kw - project.held_kw

    @display(description="Waiting")  # type: ignore[untyped-decorator]  # of Unfold
    def waiting(self, project: Any) -> str:
        """Show how many wait for it, and for how many kW."""
        return f"{project.waiting} ({project.waiting_kw} kW)" if project.waiting else "-"

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Report (CSV)", url_path="report", icon="download", permissions=["view"]
    )
    def report(self, request: HttpRequest) -> HttpResponseBase:
        """Stream what is sold, held and free of every project now, and who waits for it."""
        rows = report.project_rows(Project.objects.order_by("name", "id"), workers_now())
        return stream_csv(filename="projects.csv", columns=report.COLUMNS, rows=rows)


@admin.register(ProjectRate)
class ProjectRateAdmin(ServiceAdmin[ProjectRate]):
    """Rates: each holds from its day until the next one's, and is never changed."""

    fields = ["project", "effective_from", "fee", "credits_per_kwh"]
    list_display = ["project", "effective_from", "fee", "credits_per_kwh", "created_at"]
    list_filter = ["project"]
    list_select_related = ["project"]
    ordering = ["project__name", "-effective_from"]

    def has_change_permission(self, request: HttpRequest, obj: ProjectRate | None = None) -> bool:
        """Refuse: past fees are worked out from it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ProjectRate | None = None) -> bool:
        """Refuse: past fees are worked out from it."""
        return False

    def save_model(self, request: HttpRequest, obj: ProjectRate, form: Any, change: bool) -> None:
        """Add it through the service."""
        saved = projects.set_rate(**form.cleaned_data)
        obj.pk, obj._state.adding = saved.pk, False
