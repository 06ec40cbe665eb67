"""The pages that give an API key a new secret, and that end the old one."""

from datetime import datetime, timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from apps.core.errors import DomainError
from apps.rbac import selectors
from apps.rbac.models import ApiKey
from apps.rbac.pages.base import TenantPage
from apps.rbac.pages.forms import OVERLAPS, ROTATED_LIFETIMES
from apps.rbac.pages.views import Keys
from apps.rbac.services import rotation
from apps.tenants.models import Organization

SAME = "keep"


class RotationForm(forms.Form):
    """How long the old secret works on, and when the key ends."""

    overlap = forms.ChoiceField(choices=list(OVERLAPS.items()))
    lifetime = forms.ChoiceField(choices=list(ROTATED_LIFETIMES.items()))
    hint = forms.CharField(max_length=32)

    @property
    def old_until(self) -> datetime | None:
        """Until when the old secret works; None if it stops at once."""
        hours = int(self.cleaned_data["overlap"])
        return timezone.now() + timedelta(hours=hours) if hours else None

    @property
    def expires_at(self) -> datetime | rotation.Keep | None:
        """When the key ends; None for never."""
        days = self.cleaned_data["lifetime"]
        if days == SAME:
            return rotation.KEEP
        return timezone.now() + timedelta(days=int(days)) if int(days) else None


class RotateKey(Keys):
    """A new secret for a key, shown once in the answer."""

    permission = permission_to_change = "keys.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, key_id: str = "") -> HttpResponse:
        """Rotate the key and show its secret: it is in no session and no address."""
        key = key_of(self.organization, key_id)
        form = RotationForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Choose how long the old secret works on.")
            return redirect("rbac:keys", slug=slug)
        try:
            key, secret = rotation.rotate_key(
                key=key,
                user=self.user,
                old_until=form.old_until,
                expires_at=form.expires_at,
                hint=form.cleaned_data["hint"],
            )
        except DomainError as error:
            if error.status != 409:
                raise
            messages.error(request, str(error))
            return redirect("rbac:keys", slug=slug)
        return self.show(request, self.form(), new_key={"name": key.name, "secret": secret})


class EndOldSecret(TenantPage):
    """The end of the secret before the last rotation."""

    permission = "keys.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, key_id: str) -> HttpResponse:
        """Stop the old secret at once; the new one works on."""
        key = rotation.end_old_secret(key=key_of(self.organization, key_id))
        messages.success(request, f"The old secret of {key.name} works no more.")
        return redirect("rbac:keys", slug=slug)


def key_of(organization: Organization, key_id: str) -> ApiKey:
    """
    Return the organization's key with this id.

    :raises Http404: if there is none.
    """
    row_id = ApiKey.read_id(key_id)
    if row_id is None:
        raise Http404
    return get_object_or_404(selectors.api_keys_of(organization), pk=row_id)
