"""The pages of an organization's settings and its API keys."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from apps.core.errors import DomainError
from apps.core.pages import add_refusal
from apps.rbac import selectors
from apps.rbac.models import ApiKey
from apps.rbac.pages.base import TenantPage
from apps.rbac.pages.forms import OVERLAPS, ROTATED_LIFETIMES, KeyForm
from apps.rbac.services import keys
from apps.tenants.models import Organization
from apps.tenants.pages.forms import OrganizationForm
from apps.tenants.services.organizations import update_organization

MOST_KEYS = 200  # shown on one page


class Settings(TenantPage):
    """What the organization tells about itself, and its address."""

    permission = "organization.view"
    permission_to_change = "organization.update"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the form."""
        return self.show(request, OrganizationForm(instance=self.organization))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Save what changed."""
        # A copy of its own: the form writes into its instance even when it is not valid.
        copy = Organization.objects.get(pk=self.organization.pk)
        form = OrganizationForm(request.POST, instance=copy)
        if not form.is_valid():
            return self.show(request, form)
        try:
            changed = update_organization(organization=self.organization, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(request, form)
        messages.success(request, "The settings are saved.")
        return redirect("rbac:organization", slug=changed.slug)

    def show(self, request: HttpRequest, form: OrganizationForm) -> HttpResponse:
        """Show the form, or only the facts to those who may not change them."""
        may_change = self.user.has_perm(self.permission_to_change, self.organization)
        context = {
            "form": form if may_change else None,
            "members": selectors.members_of(self.organization).count(),
        }
        return render(request, "rbac/organization.html", context)


class Keys(TenantPage):
    """The organization's API keys; a new one's secret is shown once."""

    permission = "keys.view"
    permission_to_change = "keys.manage"
    confirms_person = True

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the keys, and the form for a new one."""
        return self.show(request, self.form())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Make a key and show its secret in the answer: it is in no session and no address."""
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(request, form)
        try:
            key, secret = keys.create_key(
                organization=self.organization,
                created_by=self.user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                is_live=form.cleaned_data["is_live"],
                expires_at=form.expires_at,
            )
        except DomainError as error:
            add_refusal(form, error)
            return self.show(request, form)
        new_key = {"name": key.name, "secret": secret}
        return self.show(request, self.form(), new_key=new_key)

    def form(self, data: object = None) -> KeyForm:
        """Return the form with the scopes that the person may give."""
        held = keys.scopes_of(selectors.permissions_of(self.user, self.organization))
        return KeyForm(data, held=held)

    def show(
        self, request: HttpRequest, form: KeyForm, *, new_key: dict[str, str] | None = None
    ) -> HttpResponse:
        """Show the keys, newest first; those who may not make any see no form."""
        may_change = self.user.has_perm(self.permission_to_change, self.organization)
        context = {
            "keys": list(selectors.api_keys_of(self.organization)[:MOST_KEYS]),
            "form": form if may_change else None,
            "new_key": new_key,
            "overlaps": OVERLAPS.items(),
            "lifetimes": ROTATED_LIFETIMES.items(),
            "base_url": settings.BASE_URL,
        }
        response = render(request, "rbac/keys.html", context)
        response["Cache-Control"] = "no-store"
        return response


class RevokeKey(TenantPage):
    """The end of a key; the list of keys asks before it posts here."""

    permission = "keys.manage"

    def post(self, request: HttpRequest, slug: str, key_id: str) -> HttpResponse:
        """Revoke the key, for ever."""
        row_id = ApiKey.read_id(key_id)
        if row_id is None:
            raise Http404
        key = get_object_or_404(selectors.api_keys_of(self.organization), pk=row_id)
        keys.revoke_key(key=key)
        messages.success(request, f"The key {key.name} is revoked.")
        return redirect("rbac:keys", slug=slug)
