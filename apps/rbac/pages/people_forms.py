"""Forms of members and invitations."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms

from apps.rbac.models import Invitation, Role
from apps.rbac.services.invitations import MOST_AT_ONCE

BETWEEN = re.compile(r"[\n,;]+")
IN_BRACKETS = re.compile(r"<([^<>]*)>\s*$")  # Ann Ash <ann@example.com>
STATES = {"pending": "Open", "accepted": "Accepted", "expired": "Expired", "revoked": "Revoked"}


class MemberFilter(forms.Form):
    """Which members to show."""

    q = forms.CharField(
        required=False,
        label="Name or address",
        max_length=100,
        widget=forms.TextInput({"type": "search"}),
    )
    role = forms.ChoiceField(required=False, label="Role")
    status = forms.ChoiceField(
        required=False,
        choices=[("", "All"), ("active", "Active"), ("inactive", "Inactive")],
    )

    def __init__(self, data: Any, *, roles: Iterable[Role]) -> None:
        super().__init__(data)
        choices = dict.fromkeys(role.name for role in roles)
        self.fields["role"] = forms.ChoiceField(
            required=False, label="Role", choices=[("", "All"), *((name, name) for name in choices)]
        )

    @property
    def chosen(self) -> dict[str, Any]:
        """What to ask the selector for; what is wrong filters nothing."""
        asked = self.cleaned_data if self.is_valid() else {}
        status = asked.get("status", "")
        return {
            "search": asked.get("q", "").strip(),
            "role": asked.get("role", ""),
            "is_active": status == "active" if status else None,
        }


class InvitationFilter(forms.Form):
    """Which invitations to show."""

    status = forms.ChoiceField(required=False, choices=[("", "All"), *STATES.items()])

    @property
    def state(self) -> str:
        """The state that was asked for; empty for all."""
        return str(self.cleaned_data.get("status", "")) if self.is_valid() else ""


class RoleForm(forms.Form):
    """A role for a member, out of those given; shown in every row, so it asks no database."""

    role = forms.ChoiceField(label="Role")

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles = {str(role.pk): role for role in roles}
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        # None is chosen from the start: a press too many must not make an admin of anyone.
        field.choices = [
            ("", "Choose a role"),
            *((key, one.name) for key, one in self.roles.items()),
        ]

    def clean_role(self) -> Role:
        """Return the role itself."""
        return self.roles[self.cleaned_data["role"]]


class InviteForm(RoleForm):
    """Addresses, pasted as people have them, and the role to which they are invited."""

    emails = forms.CharField(
        label="E-mail addresses",
        max_length=MOST_AT_ONCE * 320,
        widget=forms.Textarea({"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text=f"One or many, at most {MOST_AT_ONCE}: one a line, or with commas between them.",
    )
    field_order = ["emails", "role"]

    @property
    def addresses(self) -> list[str]:
        """The addresses in the order in which they were pasted; empty lines do not count."""
        parts = (part.strip() for part in BETWEEN.split(self.cleaned_data["emails"]))
        return [read_address(part) for part in parts if part]


def read_address(text: str) -> str:
    """Return the address of `Ann Ash <ann@example.com>`, or the text as it is."""
    found = IN_BRACKETS.search(text)
    return found[1].strip() if found else text


def state_label(invitation: Invitation) -> str:
    """Return how an invitation's state is called on pages."""
    return STATES[invitation.state]
