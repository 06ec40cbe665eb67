"""Forms of a programme's members and groups."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms

from apps.partners.models import MemberGroup, PartnerMember
from apps.partners.models.addresses import LONGEST, normalized
from apps.partners.services.invitations import MOST_AT_ONCE
from apps.rbac.pages.people_forms import BETWEEN, read_address


class MemberFilter(forms.Form):
    """Which members to show."""

    q = forms.CharField(
        required=False,
        label="Name or address",
        max_length=100,
        widget=forms.TextInput({"type": "search"}),
    )
    status = forms.ChoiceField(required=False, choices=[("", "All"), *PartnerMember.Status.choices])
    group = forms.ChoiceField(required=False)

    def __init__(self, data: Any, *, groups: Iterable[MemberGroup]) -> None:
        super().__init__(data)
        self.groups = {one.public_id: one for one in groups}
        field: Any = self.fields["group"]
        field.choices = [("", "All"), *((key, one.name) for key, one in self.groups.items())]

    @property
    def chosen(self) -> dict[str, Any]:
        """What to ask the selector for; what is wrong filters nothing."""
        asked = self.cleaned_data if self.is_valid() else {}
        return {
            "search": asked.get("q", "").strip(),
            "status": asked.get("status", ""),
            "group": self.groups.get(asked.get("group", "")),
        }


class GroupedForm(forms.Form):
    """A form with one of the programme's groups, or none."""

    group = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, groups: Iterable[MemberGroup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = {one.public_id: one for one in groups}
        field: Any = self.fields["group"]
        field.choices = [("", "None"), *((key, one.name) for key, one in self.groups.items())]

    def clean_group(self) -> MemberGroup | None:
        """Return the group itself."""
        return self.groups.get(self.cleaned_data["group"])


class InviteForm(GroupedForm):
    """Addresses, pasted as people have them, and the group that they come into."""

    emails = forms.CharField(
        label="E-mail addresses",
        max_length=MOST_AT_ONCE * 320,
        widget=forms.Textarea({"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text=f"One or many, at most {MOST_AT_ONCE}: one a line, or with commas between them. "
        "Who is in the programme already stays as he is.",
    )
    field_order = ["emails", "group"]

    def clean_emails(self) -> list[str]:
        """
        Return the addresses; empty lines do not count.

        :raises ValidationError: naming each that is none.
        """
        parts = (read_address(part.strip()) for part in BETWEEN.split(self.cleaned_data["emails"]))
        found, wrong = [], []
        for part in filter(None, parts):
            try:
                found.append(normalized(part))
            except ValueError as error:
                wrong.append(f"{part[:LONGEST]}: {error}")
        if wrong:
            raise forms.ValidationError(wrong)
        return found


class MemberForm(GroupedForm):
    """How a member is known."""

    email = forms.EmailField(max_length=LONGEST, label="E-mail address")
    first_name = forms.CharField(max_length=100, required=False)
    last_name = forms.CharField(max_length=100, required=False)
    field_order = ["email", "first_name", "last_name", "group"]


class ReasonForm(forms.Form):
    """Why something is done to a member or an award."""

    reason = forms.CharField(max_length=500, help_text="Goes into the audit log.")


class DeedForm(ReasonForm):
    """Why something is done to a member, on a page with several such forms."""

    LABELS: ClassVar[dict[str, str]] = {
        "suspend": "Why to suspend",
        "lift": "Why it is lifted",
        "remove": "Why to remove",
    }

    def __init__(self, *args: Any, verb: str, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"{verb}-%s", **kwargs})
        self.verb = verb
        self.fields["reason"].label = self.LABELS[verb]


class GroupForm(forms.Form):
    """How a group is called, and where its costs go."""

    name = forms.CharField(max_length=100)
    cost_centre = forms.CharField(
        max_length=50, required=False, help_text="As your books call it. May be empty."
    )
