"""Staff pages of blocks: made by range, retired together, and listed as they are given."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from apps.capacity.admin.asking import Asking, ReasonForm
from apps.capacity.models import CapacityBlock
from apps.capacity.models.blocks import LONGEST_SERIAL
from apps.capacity.selectors.blocks import blocks_called
from apps.capacity.services import blocks
from apps.rbac.admin.base import ServiceAdmin, staff_of


class RangeForm(forms.ModelForm[CapacityBlock]):
    """Blocks of one size: A-001 to A-250 are prefix A-, first 1, last 250, digits 3."""

    serial_prefix = forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget)
    first = forms.IntegerField(min_value=0, initial=1, widget=UnfoldAdminIntegerFieldWidget)
    last = forms.IntegerField(min_value=0, initial=1, widget=UnfoldAdminIntegerFieldWidget)
    digits = forms.IntegerField(
        min_value=1,
        max_value=9,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Numbers are filled with zeros up to so many.",
    )

    class Meta:
        model = CapacityBlock
        fields = ["project", "capacity_kw"]


class SplitForm(ReasonForm):
    """Into which pieces, and why."""

    sizes = forms.CharField(
        label="Sizes of the pieces, kW",
        max_length=1000,
        widget=UnfoldAdminTextInputWidget,
        help_text="With spaces or semicolons between them, such as 2.5 2.5",
    )
    field_order = ["sizes", "reason"]

    def clean_sizes(self) -> list[Decimal]:
        """
        Return the sizes.

        :raises ValidationError: if one is no number.
        """
        named = re.split(r"[\s;]+", self.cleaned_data["sizes"].strip())
        try:
            sizes = [Decimal(size) for size in named]
        except InvalidOperation:
            sizes = []
        # Decimal reads NaN and infinities, too, which nobody can add up.
        if not sizes or not all(size.is_finite() for size in sizes):
            raise forms.ValidationError("Give numbers, such as 2.5 2.5")
        return sizes


class MergeForm(ReasonForm):
    """With which blocks, how the new one is called, and why."""

    others = forms.CharField(
        label="With which blocks of the project",
        max_length=5000,
        widget=UnfoldAdminTextInputWidget,
        help_text="Their serials, with spaces or commas between them.",
    )
    serial = forms.CharField(
        label="Serial of the new block",
        max_length=LONGEST_SERIAL,
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ["others", "serial", "reason"]

    def clean_others(self) -> set[str]:
        """Return the serials."""
        return set(re.split(r"[\s,;]+", self.cleaned_data["others"].strip()))


@admin.register(CapacityBlock)
class CapacityBlockAdmin(Asking, ServiceAdmin[CapacityBlock]):
    """
    Blocks in the order in which they are given: of each project the lowest place goes first.

    A block that is free, or past its hold, is the next one's; one that was split or merged
    keeps its place.
    """

    list_display = [
        *("serial", "project", "position", "capacity_kw", "state", "held_until"),
        *("split_from", "merged_into", "retired_at"),
    ]
    list_filter = ["project", "state"]
    search_fields = ["serial"]
    search_help_text = "A serial"
    list_select_related = ["project", "split_from", "merged_into"]
    ordering = ["project__name", "position", "id"]
    actions = ["retire"]
    actions_detail = ["split", "merge"]

    def get_form(
        self, request: HttpRequest, obj: CapacityBlock | None = None, **kwargs: Any
    ) -> type[forms.ModelForm[CapacityBlock]]:
        """Ask for a range where blocks are made."""
        if obj is None:
            return RangeForm
        form: type[forms.ModelForm[CapacityBlock]] = super().get_form(request, obj, **kwargs)
        return form

    def get_fields(self, request: HttpRequest, obj: CapacityBlock | None = None) -> list[str]:
        """Show all of a block that there is."""
        if obj is None:
            return ["project", "capacity_kw", "serial_prefix", "first", "last", "digits"]
        return self.list_display

    def has_change_permission(self, request: HttpRequest, obj: CapacityBlock | None = None) -> bool:
        """Refuse: a block keeps its size, and whose it is, reservations say."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CapacityBlock | None = None) -> bool:
        """Refuse: a block is retired, and stays."""
        return False

    def has_retire_permission(self, request: HttpRequest) -> bool:
        """Let those retire blocks who may make them."""
        return bool(self.has_add_permission(request))

    def may_act(self, request: HttpRequest) -> bool:
        """Let those split and merge blocks who may make them."""
        return bool(self.has_add_permission(request))

    def save_model(self, request: HttpRequest, obj: CapacityBlock, form: Any, change: bool) -> None:
        """Make the whole range through the service."""
        given = form.cleaned_data
        made = blocks.create_blocks(
            project=given["project"],
            range_=blocks.Range(
                given["serial_prefix"], given["first"], given["last"], given["digits"]
            ),
            capacity_kw=given["capacity_kw"],
        )
        obj.pk, obj._state.adding = made[0].pk, False
        messages.success(request, f"{len(made)} blocks are made.")

    @admin.action(description="Retire: nobody gets them any more", permissions=["retire"])
    def retire(self, request: HttpRequest, queryset: QuerySet[CapacityBlock]) -> None:
        """Retire free blocks of one project, all of them or none."""
        chosen = list(queryset.select_related("project"))
        reason = f"Retired in the back office by {staff_of(request).public_id}"
        blocks.retire_blocks(project=chosen[0].project, blocks=chosen, reason=reason)
        messages.success(request, f"{len(chosen)} blocks are retired.")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Split", url_path="split", icon="call_split", permissions=["act"]
    )
    def split(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Replace it by pieces."""
        return self.deed(
            *(request, object_id),
            form_class=SplitForm,
            do=lambda row, given: blocks.split_block(block=row, **given),
            effect="It is retired. Pieces that add up to it take its place in the queue; they are"
            " called as it is, with .1, .2 and so on.",
            title="Split the block",
            button="Split it",
        )

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Merge", url_path="merge", icon="call_merge", permissions=["act"]
    )
    def merge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Replace it and others by one."""
        return self.deed(
            *(request, object_id),
            form_class=MergeForm,
            do=lambda row, given: blocks.merge_blocks(
                project=row.project,
                blocks=blocks_called(row.project, given["others"] | {row.serial}),
                serial=given["serial"],
                reason=given["reason"],
            ),
            effect="It and the others are retired. One block of their size takes the place of the"
            " oldest in the queue.",
            title="Merge blocks",
            button="Merge them",
        )
