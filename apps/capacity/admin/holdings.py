"""Staff pages of reservations and allocations: looked at, marked as paid, handed on, ended."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.billing.admin.giving import OrganizationField
from apps.capacity.admin.asking import AskingAdmin, ReasonForm
from apps.capacity.models import Allocation, Project, Reservation
from apps.capacity.selectors.holdings import live_with
from apps.capacity.services.ending import withdraw_allocations
from apps.capacity.services.handing_on import move_allocations, transfer_allocations
from apps.capacity.services.settling import settle_offline


class PaidForm(forms.Form):
    """Where the payment is found."""

    reference = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget, help_text="Of the bank transfer."
    )


class TransferForm(ReasonForm):
    """To whom it goes, and why."""

    organization = OrganizationField()
    field_order = ["organization", "reason"]


class MoveForm(ReasonForm):
    """To which project, how much of it, and why."""

    project = forms.ModelChoiceField(
        Project.objects.filter(status=Project.Status.OPEN), widget=UnfoldAdminSelectWidget
    )
    is_whole = forms.BooleanField(
        label="All that the organization has of this project",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )
    field_order = ["project", "is_whole", "reason"]


@admin.register(Reservation)
class ReservationAdmin(AskingAdmin[Reservation]):
    """What customers reserved: the holds that end soon come first by their filter."""

    list_display = [
        *("public_id", "organization", "project", "status", "requested_kw", "capacity_kw"),
        *("mode", "hold_expires_at", "payment", "offline_reference", "user", "created_at"),
    ]
    list_filter = ["status", "project", "mode"]
    search_fields = ["organization__name", "organization__slug", "offline_reference"]
    list_select_related = ["organization", "project", "payment", "user"]
    ordering = ["-created_at", "-id"]
    actions_detail = ["mark_paid"]

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Mark as paid", url_path="mark-paid", icon="payments", permissions=["act"]
    )
    def mark_paid(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Allocate what was paid elsewhere."""
        return self.deed(
            *(request, object_id),
            form_class=PaidForm,
            do=lambda row, given: settle_offline(reservation=row, **given),
            title="Mark as paid",
            button="Allocate the blocks",
        )


@admin.register(Allocation)
class AllocationAdmin(AskingAdmin[Allocation]):
    """Who has and had which block: of each block one is live."""

    list_display = [
        *("public_id", "organization", "block", "capacity_kw", "effective_from"),
        *("effective_to", "ending", "released_at", "reservation", "created_at"),
    ]
    list_filter = ["block__project", "ending", ("released_at", admin.EmptyFieldListFilter)]
    search_fields = ["organization__name", "organization__slug", "block__serial"]
    search_help_text = "An organization or a serial"
    list_select_related = ["organization", "block", "reservation"]
    ordering = ["-created_at", "-id"]
    actions_detail = ["transfer", "move", "withdraw"]

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Reassign", url_path="transfer", icon="swap_horiz", permissions=["act"]
    )
    def transfer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the block to another organization from today on."""
        return self.deed(
            *(request, object_id),
            form_class=TransferForm,
            do=lambda row, given: transfer_allocations(
                allocations=[row], to=given["organization"], reason=given["reason"]
            ),
            title="Reassign",
            button="Give it from today on",
        )

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Move", url_path="move", icon="move_down", permissions=["act"]
    )
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it today, and allocate as many kW of another project."""
        return self.deed(
            *(request, object_id),
            form_class=MoveForm,
            do=lambda row, given: move_allocations(
                allocations=live_with(row) if given["is_whole"] else [row],
                to=given["project"],
                reason=given["reason"],
            ),
            effect="It ends today. From today on the organization has free blocks of the other"
            " project that add up to as many kW exactly, or nothing is changed.",
            title="Move to another project",
            button="Move it today",
        )

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Withdraw", url_path="withdraw", icon="block", permissions=["act"]
    )
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it today, whatever notice it had."""
        return self.deed(
            *(request, object_id),
            form_class=ReasonForm,
            do=lambda row, given: withdraw_allocations(allocations=[row], **given),
            title="Withdraw",
            button="End it today",
        )
