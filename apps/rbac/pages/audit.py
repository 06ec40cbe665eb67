"""The page of an organization's audit log."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core import paging
from apps.core.days import end_of, midnight
from apps.core.exports import stream_csv
from apps.rbac.models import ApiKey
from apps.rbac.pages.base import TenantPage
from apps.rbac.selectors import api_keys_of, members_of
from apps.tenants.models import AuditLog, Organization, User
from apps.tenants.selectors import audit_log_of
from apps.tenants.selectors.audit import (
    AUDIT_COLUMNS,
    AuditFilters,
    Change,
    audit_rows,
    changes_of,
    matching_audit,
)

PAGE_SIZE = 25
MOST_ACTORS = 200  # offered for a choice; others are found by the links of their rows
NOBODY = "Coffer"  # what is done by a task of ours
DAY_INPUT = {"type": "date"}


class AuditFilter(forms.Form):
    """Which audit rows to show. It lives in the query string, so that a view can be shared."""

    actor = forms.ChoiceField(required=False, label="Member or key")
    action = forms.CharField(
        required=False,
        max_length=100,
        widget=forms.TextInput({"placeholder": "api_key or api_key.revoke"}),
    )
    object = forms.CharField(
        required=False, max_length=100, widget=forms.TextInput({"placeholder": "key_…"})
    )
    result = forms.ChoiceField(
        required=False, choices=[("", "Done or denied"), *AuditLog.Result.choices]
    )
    from_date = forms.DateField(required=False, label="From", widget=forms.DateInput(DAY_INPUT))
    to_date = forms.DateField(required=False, label="Until", widget=forms.DateInput(DAY_INPUT))
    q = forms.CharField(
        required=False,
        label="Text",
        max_length=100,
        widget=forms.TextInput({"placeholder": "Text, request or IP address"}),
    )

    def __init__(self, data: Any, *, actors: list[tuple[str, str]]) -> None:
        super().__init__(data)
        asked = str(data.get("actor", ""))
        if asked and asked not in dict(actors):
            actors = [*actors, (asked, asked)]  # who left, or a task: found by a link
        chosen = self.fields["actor"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [("", "Everyone"), *actors]

    @property
    def is_filtered(self) -> bool:
        """Whether at least one filter is set."""
        return self.is_valid() and any(self.cleaned_data.values())

    def filters(self) -> AuditFilters:
        """Return what is asked for; where something is wrong nothing is, and the form says so."""
        if not self.is_valid():
            return AuditFilters()
        chosen = self.cleaned_data
        first, last = chosen["from_date"], chosen["to_date"]
        return AuditFilters(
            actor=chosen["actor"],
            action=chosen["action"].strip(),
            object_id=chosen["object"].strip(),
            result=chosen["result"],
            created_from=midnight(first) if first else None,
            created_before=end_of(last) if last else None,
            text=chosen["q"],
        )


@dataclass(frozen=True)
class AuditLine:
    """One row of the log, as the page shows it."""

    row: AuditLog
    actor: str
    acting_as: str
    changes: list[Change]


class Audit(TenantPage):
    """Who did what in the organization, newest first."""

    permission = "audit.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of the log, or all of it that fits the filters as CSV."""
        form = AuditFilter(request.GET, actors=possible_actors(self.organization))
        rows = matching_audit(audit_log_of(self.organization), form.filters())
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-audit.csv", columns=AUDIT_COLUMNS, rows=audit_rows(rows)
            )
        last = self.last_shown(request)
        shown, end = paging.page_of(paging.after(rows, last).select_related("seal"), size=PAGE_SIZE)
        here = reverse("rbac:audit", args=[slug])
        chosen = {
            name: value for name, value in request.GET.items() if name in form.fields and value
        }
        page = {
            "lines": self.lines(shown),
            "filter_form": form,
            "is_filtered": form.is_filtered,
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{urlencode({**chosen, 'before': end.public_id})}" if end else None,
            "first_url": f"{here}?{urlencode(chosen)}" if last else None,
        }
        return render(request, "rbac/audit.html", page)

    def last_shown(self, request: HttpRequest) -> AuditLog | None:
        """Return the row with which the page before ended; None for the first page."""
        row_id = AuditLog.read_id(request.GET.get("before", ""))
        return audit_log_of(self.organization).filter(pk=row_id).first() if row_id else None

    def lines(self, rows: list[AuditLog]) -> list[AuditLine]:
        """Return the rows with the names of those who acted."""
        names = names_of(
            self.organization, {row.actor for row in rows} | {row.acting_as for row in rows}
        )
        return [
            AuditLine(row, names[row.actor], names[row.acting_as], changes_of(row)) for row in rows
        ]


def names_of(organization: Organization, actors: Iterable[str]) -> dict[str, str]:
    """Return how each actor is called here; staff are called Support, and tasks Coffer."""
    actors = set(actors)
    people = User.objects.filter(pk__in=_ids(actors, "user:", User))
    keys = ApiKey.objects.filter(pk__in=_ids(actors, "key:", ApiKey), organization=organization)
    names = {f"key:{key.public_id}": f"{key.name} (API key)" for key in keys}
    for person in people:
        name = "Support" if person.is_staff else person.get_full_name()
        names[f"user:{person.public_id}"] = name
    return {one: names.get(one) or (NOBODY if one.startswith("system") else one) for one in actors}


def possible_actors(organization: Organization) -> list[tuple[str, str]]:
    """Return members and keys with their names, for a choice."""
    people = members_of(organization)[:MOST_ACTORS]
    keys = api_keys_of(organization)[:MOST_ACTORS]
    return [
        *((f"user:{person.public_id}", person.get_full_name()) for person in people),
        *((f"key:{key.public_id}", f"{key.name} (API key)") for key in keys),
    ]


def _ids(actors: set[str], prefix: str, model: type[User] | type[ApiKey]) -> list[UUID]:
    found = (model.read_id(one.removeprefix(prefix)) for one in actors if one.startswith(prefix))
    return [one for one in found if one is not None]
