"""The two steps by which staff take a file of readings over: upload it, confirm what it does."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from apps.capacity.admin.meter_seen import LONGEST_VALUE, read_seen, write_seen
from apps.capacity.models import Project
from apps.capacity.selectors.amounts import to_kwh
from apps.capacity.services.meter_files import MOST_READINGS, read_rows
from apps.capacity.services.metering import (
    Effect,
    Outcome,
    confirm_readings,
    preview_readings,
)
from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.core.sheets import LARGEST_FILE, FaultyRow, file_of_errors, problems_of
from apps.rbac.admin.base import staff_of

ROWS_SHOWN = 50  # of those that are not wrong
MOST_MB = LARGEST_FILE // 1024**2
EFFECTS = {
    Effect.NEW: "New",
    Effect.CORRECTION: "Correction",
    Effect.REPEATED: "Recorded before",
    Effect.WRONG: "Wrong",
}


class FileForm(forms.Form):
    """A file of readings."""

    file = forms.FileField(
        allow_empty_file=True,  # refused by its reader, which says what to do
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text=f"CSV in UTF-8 or XLSX, up to {MOST_MB} MB and {MOST_READINGS:,} readings, with"
        " project, starts_on, ends_on and energy_kwh or energy_wh.",
    )
    project = forms.ModelChoiceField(
        Project.objects.order_by("name"),
        required=False,
        empty_label="As the rows say",
        widget=UnfoldAdminSelectWidget,
        help_text="For rows that name none.",
    )

    def clean_file(self) -> bytes:
        """
        Return what is in the file.

        :raises ValidationError: if it is longer than is read.
        """
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(
                f"The file is larger than {MOST_MB} MB. Divide it into two.", "too_large"
            )
        content: bytes = file.read()
        return content


class ConfirmForm(forms.Form):
    """What was seen, and the agreement to what is no plain new reading."""

    seen = forms.CharField(widget=forms.HiddenInput)
    leave_out = forms.BooleanField(
        label="Leave out the rows that are wrong", widget=UnfoldBooleanWidget
    )
    agreed = forms.BooleanField(
        label="Correct what was recorded before", widget=UnfoldBooleanWidget
    )
    reason = forms.CharField(
        label="Why it is corrected",
        max_length=200,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Goes into the audit log, and stands at each correction.",
    )

    def __init__(self, *args: Any, counts: Counter[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not counts[Effect.WRONG]:
            del self.fields["leave_out"]
        if not counts[Effect.CORRECTION]:
            del self.fields["agreed"], self.fields["reason"]


class MeterDesk:
    """One answer to a member of staff who uploads readings."""

    def __init__(self, request: HttpRequest, frame: dict[str, Any]) -> None:
        self.request = request
        self.back_url = reverse("admin:capacity_generationreading_changelist")
        self.frame = {**frame, "title": "Upload readings", "back_url": self.back_url}
        self.viewer = str(staff_of(request).pk)

    def answer(self) -> HttpResponseBase:
        """Show the form, the preview of a file, or what came of its confirmation."""
        if self.request.method != "POST":
            return self.show_form(FileForm())
        if "seen" in self.request.POST:
            return self.go_on()
        form = FileForm(self.request.POST, self.request.FILES)
        if not form.is_valid():
            return self.show_form(form, status=422)
        project = form.cleaned_data["project"]
        try:
            rows = read_rows(form.cleaned_data["file"], project=project.code if project else "")
            return self.show_preview(preview_readings(rows))
        except DomainError as refusal:
            form.add_error("file", str(refusal))
            return self.show_form(form, status=refusal.status)

    def go_on(self) -> HttpResponseBase:
        """Do with a preview what is asked for: record it, or hand out what is wrong."""
        try:
            outcomes = read_seen(self.request.POST["seen"], self.viewer)
        except signing.BadSignature:
            return self.refuse("This preview is too old, or not yours. Upload the file again.")
        return self.hand_out(outcomes) if "errors" in self.request.POST else self.confirm(outcomes)

    def hand_out(self, outcomes: Sequence[Outcome]) -> HttpResponseBase:
        """Answer the rows that are wrong as a file that can be mended and uploaded as it is."""
        wrong = [one for one in outcomes if one.effect == Effect.WRONG]
        columns = next((one.row.columns for one in wrong), ())
        faulty = [FaultyRow(one.row.number, one.row.line, problems_of(one.faults)) for one in wrong]
        return stream_csv(**vars(file_of_errors("readings-errors.csv", columns, faulty)))

    def confirm(self, outcomes: Sequence[Outcome]) -> HttpResponse:
        """Record what was seen, and lead back; ask again for what was not agreed to."""
        form = ConfirmForm(self.request.POST, counts=counts_of(outcomes))
        if not form.is_valid():
            return self.show_preview(outcomes, form)
        able = [one for one in outcomes if one.effect != Effect.WRONG]
        try:
            done = confirm_readings(able, reason=form.cleaned_data.get("reason", ""))
        except DomainError as refusal:
            return self.refuse(str(refusal), status=refusal.status)
        said = (
            f"{done[Effect.NEW]:,} readings are recorded and {done[Effect.CORRECTION]:,} are"
            f" corrected; {done[Effect.REPEATED]:,} were recorded before."
        )
        messages.success(self.request, said)
        return redirect(self.back_url)

    def refuse(self, said: str, status: int = 409) -> HttpResponse:
        """Ask for the file again, and say why."""
        return self.show_form(FileForm(), warning=said, status=status)

    def show_form(self, form: FileForm, *, warning: str = "", status: int = 200) -> HttpResponse:
        """Show the form of a file."""
        page = {**self.frame, "form": form, "warning": warning}
        return render(self.request, "admin/capacity/upload_readings.html", page, status=status)

    def show_preview(
        self, outcomes: Sequence[Outcome], form: ConfirmForm | None = None
    ) -> HttpResponse:
        """Show what each row would do; nothing of it is kept but in the page itself."""
        counts = counts_of(outcomes)
        seen = {"seen": write_seen(outcomes, self.viewer)}
        shown = form or ConfirmForm(initial=seen, counts=counts)
        wrong = [one for one in outcomes if one.effect == Effect.WRONG]
        able = [one for one in outcomes if one.effect != Effect.WRONG]
        page = {
            **self.frame,
            "form": shown,
            "counts": [(label, counts[effect]) for effect, label in EFFECTS.items()],
            "wrong": table_of_faults(wrong),
            "able": table_of_effects(able[:ROWS_SHOWN]),
            "more": len(able) - len(able[:ROWS_SHOWN]),
            "can_confirm": bool(counts[Effect.NEW] or counts[Effect.CORRECTION]),
        }
        status = 422 if shown.errors else 200
        return render(self.request, "admin/capacity/preview_readings.html", page, status=status)


def counts_of(outcomes: Sequence[Outcome]) -> Counter[str]:
    """Return how many rows do what."""
    return Counter(one.effect for one in outcomes)


def table_of_faults(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what is wrong, cell by cell, as a table of Unfold's."""
    return {
        "headers": ["Row", "Column", "Value", "What to do"],
        "rows": [
            [one.row.number, fault.column, fault.value[:LONGEST_VALUE], fault.message]
            for one in outcomes
            for fault in one.faults
        ],
    }


def table_of_effects(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what rows do, as a table of Unfold's."""
    return {
        "headers": ["Row", "Project", "First day", "Last day", "kWh", "Before", "What it does"],
        "rows": [
            [
                *(one.row.number, facts.project, facts.starts_on, facts.ends_on),
                f"{to_kwh(facts.energy_wh):,}",
                "" if one.former_wh is None else f"{to_kwh(one.former_wh):,}",
                EFFECTS[one.effect],
            ]
            for one in outcomes
            if (facts := one.row.facts)
        ],
    }
