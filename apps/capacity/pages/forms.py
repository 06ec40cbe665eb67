"""Forms of the pages of capacity."""

from decimal import Decimal
from typing import Any

from django import forms

from apps.capacity.models import Project
from apps.capacity.models.reservations import Mode
from apps.capacity.selectors.picking import Wish
from apps.core import ids

STANDINGS = ("active", "ending", "upcoming", "ended")
MODE_LABELS = {
    Mode.FIFO: "The oldest first",
    Mode.BEST_FIT: "The least that is enough",
    Mode.EXACT: "Exactly, within the tolerance",
}


def kilowatts(least: str, **options: Any) -> forms.DecimalField:
    """Return a field for kW, to the watt."""
    return forms.DecimalField(min_value=Decimal(least), max_digits=12, decimal_places=3, **options)


class WishForm(forms.Form):
    """How many kW, and which blocks will do."""

    capacity_kw = kilowatts("0.001", label="kW")
    mode = forms.ChoiceField(
        choices=[(mode.value, label) for mode, label in MODE_LABELS.items()], label="Which blocks"
    )
    tolerance_kw = kilowatts(
        "0",
        required=False,
        label="Tolerance in kW",
        help_text="For an exact amount: by how much it may be more or less.",
    )
    allow_partial = forms.BooleanField(
        required=False, label="Less will do", help_text="Take what there is, if it is not enough."
    )

    @property
    def wish(self) -> Wish:
        """What is asked for, by a form that is valid."""
        asked = self.cleaned_data
        return Wish(
            kw=asked["capacity_kw"],
            mode=asked["mode"],
            allow_partial=asked["allow_partial"],
            tolerance_kw=asked["tolerance_kw"] or Decimal(0),
            max_overshoot_kw=asked.get("max_overshoot_kw") or Decimal(0),
        )


class ConfirmForm(WishForm):
    """The same, with how much more was seen and agreed to; sent twice it reserves once."""

    max_overshoot_kw = kilowatts("0", required=False)
    key = forms.UUIDField(initial=ids.new_id)


class JoinForm(WishForm):
    """Which project one waits for, and for what of it."""

    project = forms.ModelChoiceField(Project.objects.none(), to_field_name="code")
    max_overshoot_kw = kilowatts(
        "0",
        required=False,
        label="Up to so many kW more",
        help_text="Blocks have fixed sizes, and some come to more than you ask for.",
    )
    field_order = ["project", "capacity_kw", "mode", "max_overshoot_kw"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["project"]
        field.queryset = Project.objects.filter(status=Project.Status.OPEN).order_by("name", "id")


class AllocationFilter(forms.Form):
    """Which allocations to show."""

    project = forms.ModelChoiceField(
        Project.objects.none(), required=False, empty_label="All", to_field_name="code"
    )
    status = forms.ChoiceField(
        required=False,
        choices=[("", "All"), *((standing, standing.capitalize()) for standing in STANDINGS)],
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        field: Any = self.fields["project"]
        field.queryset = Project.objects.exclude(status=Project.Status.DRAFT).order_by("name", "id")

    @property
    def chosen(self) -> dict[str, Any]:
        """What to filter rows by; what is wrong filters nothing."""
        asked = self.cleaned_data if self.is_valid() else {}
        names = {"project": "block__project", "status": "standing"}
        return {column: asked[name] for name, column in names.items() if asked.get(name)}
