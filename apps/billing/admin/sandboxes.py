"""Staff pages of sandboxes: make one, see where its clock stands, and move it."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
)

from apps.billing.admin.asking import ask
from apps.billing.admin.giving import OrganizationField
from apps.billing.models import Sandbox
from apps.billing.selectors.sandboxes import Ahead, events_ahead
from apps.billing.services import sandboxes
from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError

LIST = "admin:billing_sandbox_changelist"
CHANGE = "admin:billing_sandbox_change"
COLOURS = {"standing": "success", "moving": "info", "failed": "danger"}
NOTHING = "—"


class ReasonForm(forms.Form):
    """Why it is done."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Goes into the audit log.",
    )


class BeginForm(ReasonForm):
    """Which organization becomes a sandbox, besides."""

    organization = OrganizationField()
    field_order = ["organization", "reason"]


class MoveForm(ReasonForm):
    """Where to: the moment of the button that was pressed, or a day."""

    day = forms.DateField(
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text="As 2027-01-31: its first moment, in UTC. Not needed for an event below.",
    )
    to = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    field_order = ["reason", "day"]

    def clean(self) -> dict[str, Any]:
        """Return the moment that is meant as `moment`."""
        given = self.cleaned_data
        moment = given.get("to")
        if moment is None and (day := given.get("day")):
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if moment is None and not self.errors:
            self.add_error("day", "Choose a day, or press an event.")
        return given | {"moment": moment}


def utc(moment: datetime | None) -> str:
    """Write a moment as staff compare it with Stripe's."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else NOTHING


@admin.register(Sandbox)
class SandboxAdmin(ReadOnlyAdmin[Sandbox]):
    """Organizations whose clock stands still until staff move it."""

    list_display = [
        "organization",
        "state",
        "clock",
        "destination",
        "stripe_clock_id",
        "created_at",
    ]
    list_select_related = ["organization"]
    search_fields = ["organization__name", "organization__slug"]
    search_help_text = "An organization"
    ordering = ["-created_at", "-id"]
    fields = [
        *("public_id", "organization", "state", "clock", "destination", "ahead", "error"),
        *("stripe_clock_id", "created_at"),
    ]
    readonly_fields = ["public_id", "state", "clock", "destination", "ahead", "created_at"]
    actions_list = ["begin"]
    actions_detail = ["move"]

    @display(description="State", label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, sandbox: Sandbox) -> str:
        """Say whether its clock is on its way."""
        if sandbox.moving_to is not None:
            return "moving"
        return "failed" if sandbox.error else "standing"

    @admin.display(description="It is there", ordering="organization__clock_at")
    def clock(self, sandbox: Sandbox) -> str:
        """Write where its time stands."""
        return utc(sandbox.organization.clock_at)

    @admin.display(description="On its way to", ordering="moving_to")
    def destination(self, sandbox: Sandbox) -> str:
        """Write where its clock goes."""
        return utc(sandbox.moving_to)

    @admin.display(description="What time will bring")
    def ahead(self, sandbox: Sandbox) -> str:
        """List what will happen there."""
        return "; ".join(f"{one.name}: {utc(one.at)}" for one in _ahead(sandbox)) or NOTHING

    def has_begin_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those make sandboxes who may add them, where there may be any."""
        return sandboxes.are_possible() and request.user.has_perm("billing.add_sandbox")

    def has_move_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those move clocks who may change sandboxes."""
        return sandboxes.are_possible() and request.user.has_perm("billing.change_sandbox")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Make a sandbox", url_path="begin", icon="add", permissions=["begin"]
    )
    def begin(self, request: HttpRequest) -> HttpResponse:
        """
        Let an organization's clock stand still.

        :raises PermissionDenied: if he may not.
        """
        if not self.has_begin_permission(request):
            raise PermissionDenied
        form = BeginForm(request.POST or None)
        refusal = None
        if request.method == "POST" and form.is_valid():
            try:
                sandbox = sandboxes.begin(**form.cleaned_data)
            except DomainError as error:
                refusal = error
            else:
                messages.success(request, f"{sandbox} is a sandbox now.")
                return redirect(CHANGE, sandbox.pk)
        frame = {
            "title": "Make a sandbox",
            "text": "The organization's clock stands still from now on, for good, until staff "
            "move it. Only one that has never been a customer at Stripe can be a sandbox.",
            "button": "Make it a sandbox",
            "back_url": reverse(LIST),
        }
        return ask(self, request, form, frame, refusal)

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Move the clock", url_path="move", icon="more_time", permissions=["move"]
    )
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """
        Move a sandbox's clock to an event or to a day.

        :raises PermissionDenied: if he may not.
        :raises Http404: if there is no such sandbox.
        """
        if not self.has_move_permission(request):
            raise PermissionDenied
        sandbox: Sandbox | None = self.get_object(request, object_id)
        if sandbox is None:
            raise Http404
        form = MoveForm(request.POST or None)
        refusal = None
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                sandboxes.move(sandbox=sandbox, to=given["moment"], reason=given["reason"])
            except DomainError as error:
                refusal = error
            else:
                messages.success(
                    request,
                    f"The clock is on its way to {utc(given['moment'])}. Load this page again.",
                )
                return redirect(CHANGE, sandbox.pk)
        frame = {
            "title": "Move the clock",
            "text": f"In {sandbox.organization} it is {utc(sandbox.organization.clock_at)}. The "
            "clock never goes back. What happens on the way happens at Stripe's test clock and in "
            "the ledger, each at its own time.",
            "button": "Move to the day",
            "events": [(one.name, utc(one.at), one.at.isoformat()) for one in _ahead(sandbox)],
            "back_url": reverse(CHANGE, args=[sandbox.pk]),
        }
        return ask(self, request, form, frame, refusal)


def _ahead(sandbox: Sandbox) -> list[Ahead]:
    moment = sandbox.organization.clock_at
    return events_ahead(sandbox.organization, moment) if moment else []
