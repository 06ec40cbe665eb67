"""Staff pages of readings: what projects generated, how far it is posted, and corrections."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from apps.capacity.admin.asking import AskingAdmin, ReasonForm
from apps.capacity.admin.meter_desk import MeterDesk
from apps.capacity.models import GenerationReading
from apps.capacity.selectors.amounts import to_kwh
from apps.capacity.selectors.generation import progress_of
from apps.capacity.services.meter_files import TEMPLATE, WH
from apps.capacity.services.readings import correct, record
from apps.core import paging
from apps.core.admin import with_filters
from apps.core.exports import stream_csv
from apps.rbac.admin.base import ServiceAdmin

COLOURS = {"Waiting": "warning", "Being posted": "info", "Posted": "success", "Corrected": ""}
COLUMNS = [
    *("reading", "project", "starts_on", "ends_on", "energy_wh", "banked_wh", "state", "source"),
    *("note", "correction_of", "shared_at", "posted_at", "created_at"),
]
CHANGE = "capacity.change_generationreading"
ADD = "capacity.add_generationreading"


def energy_field() -> forms.DecimalField:
    """Return a field for kWh, to the Wh."""
    return forms.DecimalField(
        label="Energy in kWh",
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
    )


class ReadingForm(forms.ModelForm[GenerationReading]):
    """What a project generated in a period that is over."""

    energy_kwh = energy_field()

    class Meta:
        model = GenerationReading
        fields = ["project", "starts_on", "ends_on", "note"]

    def validate_unique(self) -> None:
        """Leave it to the service, which says what to do."""

    def validate_constraints(self) -> None:
        """Leave it to the service, which says what to do."""


class CorrectForm(ReasonForm):
    """What it really was, and why it is corrected."""

    energy_kwh = energy_field()
    reason = forms.CharField(
        max_length=200,  # it is the note of the correction
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Goes into the audit log, and stands at the correction.",
    )
    field_order = ["energy_kwh", "reason"]


class StateFilter(admin.SimpleListFilter):
    """Readings by how far they have come."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [
            ("standing", "Not corrected"),
            ("waiting", "Waiting"),
            ("posting", "Being posted"),
            ("posted", "Posted"),
            ("corrected", "Corrected"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[GenerationReading]
    ) -> QuerySet[GenerationReading]:
        """Return those in the chosen state."""
        conditions = {
            "standing": Q(corrected_by=None),
            "waiting": Q(shared_at=None),
            "posting": Q(shared_at__isnull=False, posted_at=None),
            "posted": Q(posted_at__isnull=False, corrected_by=None),
            "corrected": Q(corrected_by__isnull=False),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


def state_of(reading: GenerationReading) -> str:
    """Return in a word how far a reading, selected with `corrected_by`, has come."""
    if reading.shared_at is None:
        return "Waiting"
    if reading.posted_at is None:
        return "Being posted"
    return "Corrected" if hasattr(reading, "corrected_by") else "Posted"


@admin.register(GenerationReading)
class GenerationReadingAdmin(ServiceAdmin[GenerationReading], AskingAdmin[GenerationReading]):
    """Readings: recorded here one by one or by a file, corrected by another one, never changed."""

    list_display = [
        *("public_id", "project", "starts_on", "ends_on", "energy", "banked", "state"),
        *("correction_of", "source", "created_at"),
    ]
    list_filter = ["project", StateFilter, "source", "starts_on"]
    list_select_related = ["project", "correction_of__project", "corrected_by"]
    ordering = ["-created_at", "-id"]
    actions_list = ["upload", "template", "export"]
    actions_detail = ["correct_reading", "show_shares"]
    shown = [
        *("public_id", "project", "starts_on", "ends_on", "energy", "banked", "banked_percent"),
        *("state", "progress", "correction_of", "corrected_to", "source", "note"),
        *("shared_at", "posted_at", "created_at"),
    ]
    readonly_fields = ["public_id", *("energy", "banked", "state", "progress", "corrected_to")]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the list; the link to the export carries the list's filters."""
        return with_filters(request, super().changelist_view(request, *args, **kwargs))

    def get_form(
        self, request: HttpRequest, obj: GenerationReading | None = None, **kwargs: Any
    ) -> type[forms.ModelForm[GenerationReading]]:
        """Ask for the energy in kWh where a reading is recorded."""
        if obj is None:
            kwargs["form"] = ReadingForm
        form: type[forms.ModelForm[GenerationReading]] = super().get_form(request, obj, **kwargs)
        return form

    def get_fields(self, request: HttpRequest, obj: GenerationReading | None = None) -> list[str]:
        """Show all of a reading that there is."""
        return self.shown if obj else ["project", "starts_on", "ends_on", "energy_kwh", "note"]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Let those record who may add such rows in Django's own permissions."""
        return request.user.has_perm(ADD)

    def has_upload_permission(self, request: HttpRequest) -> bool:
        """Let those upload who may record and correct: a file may do both."""
        return request.user.has_perms([ADD, CHANGE])

    def save_model(
        self, request: HttpRequest, obj: GenerationReading, form: Any, change: bool
    ) -> None:
        """Record it through the service."""
        given = dict(form.cleaned_data)
        energy_wh = int(given.pop("energy_kwh") * WH)
        source = GenerationReading.Source.STAFF
        saved = record(**given, energy_wh=energy_wh, source=source)
        obj.pk, obj.energy_wh, obj._state.adding = saved.pk, saved.energy_wh, False

    @admin.display(description="energy in kWh", ordering="energy_wh")
    def energy(self, reading: GenerationReading) -> str:
        """Write it in kWh, to the Wh."""
        return f"{to_kwh(reading.energy_wh):,}"

    @admin.display(description="nobody's, in kWh")
    def banked(self, reading: GenerationReading) -> str:
        """Write what of it went to the host bank."""
        return "" if reading.banked_wh is None else f"{to_kwh(reading.banked_wh):,}"

    @display(description="state", label=COLOURS)  # type: ignore[untyped-decorator]  # of Unfold
    def state(self, reading: GenerationReading) -> str:
        """Say how far it has come."""
        return state_of(reading)

    @admin.display(description="progress")
    def progress(self, reading: GenerationReading) -> str:
        """Say how many of its shares are posted."""
        told = progress_of(reading)
        return f"{told.posted:,} of {told.shares:,} shares posted: {told.credits:,} credits"

    @admin.display(description="corrected to")
    def corrected_to(self, reading: GenerationReading) -> str:
        """Name what holds instead of it."""
        corrected = GenerationReading.objects.filter(correction_of=reading)
        return str(corrected.select_related("project").first() or "")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Correct", url_path="correct", icon="edit", permissions=["act"]
    )
    def correct_reading(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what the period really generated."""
        return self.deed(
            *(request, object_id),
            form_class=CorrectForm,
            do=lambda row, given: correct(
                reading=row,
                energy_wh=int(given["energy_kwh"] * WH),
                source=GenerationReading.Source.STAFF,
                note=given["reason"],
            ),
            title="Correct",
            button="Correct it",
        )

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Shares", url_path="shares", icon="pie_chart", permissions=["view"]
    )
    def show_shares(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to how it was divided."""
        shares = reverse("admin:capacity_generationshare_changelist")
        return redirect(f"{shares}?reading__id__exact={object_id}")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Upload", url_path="upload", icon="upload", permissions=["upload"]
    )
    def upload(self, request: HttpRequest) -> HttpResponseBase:
        """Take a file of readings over, once it was shown what it does."""
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        return MeterDesk(request, frame).answer()

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Template", url_path="template", icon="description", permissions=["upload"]
    )
    def template(self, request: HttpRequest) -> HttpResponseBase:
        """Hand out a file to begin with."""
        version, header, example = TEMPLATE
        return stream_csv(filename="readings.csv", columns=version, rows=[header, example])

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="CSV", url_path="export", icon="download", permissions=["view"]
    )
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Stream every reading that fits the filters, newest first."""
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect(reverse("admin:capacity_generationreading_changelist"))
        return stream_csv(filename="readings.csv", columns=COLUMNS, rows=reading_rows(rows))


def reading_rows(readings: QuerySet[GenerationReading]) -> Iterator[list[object]]:
    """Yield readings as COLUMNS says; those that are not corrected can be uploaded again."""
    for one in paging.every(readings):
        former = one.correction_of
        yield [
            *(one.public_id, one.project.code, one.starts_on, one.ends_on),
            *(one.energy_wh, one.banked_wh, state_of(one).lower(), one.source, one.note),
            *(former.public_id if former else "", one.shared_at, one.posted_at, one.created_at),
        ]
