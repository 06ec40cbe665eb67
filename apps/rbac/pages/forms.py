"""Forms of access."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

LIFETIMES = {"30": "30 days", "90": "90 days", "365": "1 year", "": "Never"}  # days

OVERLAPS = {
    "0": "stops now",
    "1": "1 hour",
    "24": "1 day",
    "48": "2 days",
    "168": "7 days",
}  # hours
ROTATED_LIFETIMES = {"keep": "as before", "30": "in 30 days", "90": "in 90 days"} | {
    "365": "in 1 year",
    "0": "never",
}  # days


class KeyForm(forms.Form):
    """What a new API key is called, what it may do, and how long."""

    name = forms.CharField(
        max_length=100, label="Name", help_text="What uses it, so that you know it later."
    )
    scopes = forms.MultipleChoiceField(
        label="It may", widget=forms.CheckboxSelectMultiple, choices=()
    )
    is_live = forms.BooleanField(
        required=False, label="Live key", help_text="Without this, it is marked as a test key."
    )
    lifetime = forms.ChoiceField(
        choices=list(LIFETIMES.items()), required=False, label="Expires", initial="90"
    )

    def __init__(self, *args: Any, held: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [(scope, describe(scope)) for scope in sorted(held)]

    @property
    def expires_at(self) -> datetime | None:
        """When the key ends, UTC; None for never."""
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None


def describe(scope: str) -> str:
    """Write a scope in words: `jobs:write` as "Jobs: read and change" says what it is for."""
    resource, _, verb = scope.partition(":")
    return f"{resource.capitalize()}: {'see' if verb == 'read' else 'change'} ({scope})"
