"""Staff pages of rate limits: what is allowed, and how much of it somebody has used."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core.ratelimits import limiter
from apps.core.ratelimits.policies import GROUPS, IP, KEY, ORGANIZATION, USER, Hit, active_policies
from apps.core.ratelimits.requests import network_of, seconds_of
from apps.jobs.models import RateLimitPolicy, WorkerKey
from apps.jobs.models.limits import HIGHEST_LIMIT, LONGEST_WINDOW
from apps.rbac.models import ApiKey
from apps.rbac.permissions import BY_CODE
from apps.tenants.admin.base import AuditedAdmin
from apps.tenants.models import Organization, User

KINDS = ((ORGANIZATION, Organization), (KEY, ApiKey), (KEY, WorkerKey), (USER, User))
COLUMNS = ["Policy", "Requests", "Plan", "Limit", "Seconds", "Used", "Remaining", "Room again in"]


class RateLimitForm(forms.ModelForm[RateLimitPolicy]):
    """A policy; what cannot work is refused with what would."""

    class Meta:
        model = RateLimitPolicy
        fields = ["code", "subject", "requests", "plan", "limit", "seconds", "is_active"]

    def clean_requests(self) -> str:
        """Refuse a name that no request answers to: such a policy would count nothing."""
        name: str = self.cleaned_data["requests"]
        if name not in GROUPS and name not in BY_CODE:
            raise forms.ValidationError(
                f"No request is called {name}. Write one of {', '.join(GROUPS)}, or a permission"
                " code such as jobs.submit."
            )
        return name

    def clean_limit(self) -> int:
        """Refuse what Redis would have to remember too much for."""
        return _within(self.cleaned_data["limit"], HIGHEST_LIMIT, "requests")

    def clean_seconds(self) -> int:
        """Refuse a window that is empty, or longer than 30 days."""
        return _within(self.cleaned_data["seconds"], LONGEST_WINDOW, "seconds")

    def clean(self) -> dict[str, Any] | None:
        """Refuse a plan for addresses: of an address nobody knows the plan."""
        if self.cleaned_data.get("subject") == IP and self.cleaned_data.get("plan"):
            self.add_error("plan", "An address has no plan. Leave this empty.")
        return self.cleaned_data


def _within(number: int, most: int, unit: str) -> int:
    if not 1 <= number <= most:
        raise forms.ValidationError(f"Write a number from 1 to {most:,} {unit}.")
    return number


class SubjectForm(forms.Form):
    """Whose use is asked for; lives in the address, so that it can be shared."""

    subject = forms.CharField(
        label="Organization, key or person by id, or an address",
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": "org_…, key_…, wkey_…, usr_… or 192.0.2.7"}
        ),
    )

    def clean_subject(self) -> tuple[str, str]:
        """Return which kind it is, and how it is counted."""
        text = self.cleaned_data["subject"].strip()
        for kind, model in KINDS:
            if model.read_id(text):
                return kind, text
        if network := network_of(text):
            return IP, network
        raise forms.ValidationError("Write an id (org_…, key_…, wkey_…, usr_…) or an IP address.")


@admin.register(RateLimitPolicy)
class RateLimitPolicyAdmin(AuditedAdmin[RateLimitPolicy]):
    """Policies, changed with an audit row by those who set values of the whole instance."""

    form = RateLimitForm
    list_display = ["code", "subject", "requests", "plan", "limit", "seconds", "is_active"]
    list_filter = ["subject", "is_active"]
    search_fields = ["code", "requests", "plan"]
    actions_list = ["current_use"]

    def has_view_permission(self, request: HttpRequest, obj: RateLimitPolicy | None = None) -> bool:
        """Ask for the permission to set values of the whole instance."""
        return request.user.has_perm("config.manage")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to set values of the whole instance."""
        return request.user.has_perm("config.manage")

    def has_change_permission(
        self, request: HttpRequest, obj: RateLimitPolicy | None = None
    ) -> bool:
        """Ask for the permission to set values of the whole instance."""
        return request.user.has_perm("config.manage")

    def has_delete_permission(
        self, request: HttpRequest, obj: RateLimitPolicy | None = None
    ) -> bool:
        """Refuse: it is switched off, so that the audit log can still be read."""
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: RateLimitPolicy | None = None
    ) -> list[str]:
        """Keep the code: headers, refusals and the counted windows bear it."""
        return ["code"] if obj else []

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Current use", url_path="use", icon="speed", permissions=["view"]
    )
    def current_use(self, request: HttpRequest) -> HttpResponse:
        """Show what somebody has used of each policy that counts his requests."""
        form = SubjectForm(request.GET if "subject" in request.GET else None)
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Current use of rate limits",
            "form": form,
        }
        if form.is_valid():
            kind, name = form.cleaned_data["subject"]
            page |= use_of(kind, name)
        return render(request, "admin/jobs/rate_limit_use.html", page)


def use_of(kind: str, name: str) -> dict[str, Any]:
    """Return the table of what is counted for a subject now, and who counted it."""
    hits = [Hit(policy, name) for policy in active_policies() if policy.subject == kind]
    windows, is_from_redis = limiter.look(hits) if hits else ([], True)
    rows = [
        [
            *(window.policy.code, window.policy.requests, window.policy.plan or "-"),
            *(f"{window.policy.limit:,}", f"{window.policy.seconds:,}", f"{window.used:,}"),
            *(f"{window.remaining:,}", f"{seconds_of(window):,} s" if window.used else "-"),
        ]
        for window in windows
    ]
    table = {"headers": COLUMNS, "rows": rows}
    return {"table": table, "counted_for": name, "is_from_redis": is_from_redis}
