"""How a person takes the banner of the frame away."""

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from apps.rbac.pages.base import TenantPage
from apps.rbac.pages.frame import DISMISSED, dismissed_name

MOST_DISMISSED = 50


class DismissForm(forms.Form):
    """Which banner, and where to go on."""

    key = forms.CharField(max_length=200)
    next = forms.CharField(max_length=2000, required=False)


class Dismiss(TenantPage):
    """Takes a banner away for this session, until its facts are others."""

    permission = "credits.view_own"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Remember it, and lead back to where it was shown."""
        form = DismissForm(request.POST)
        if not form.is_valid():
            raise Http404
        one = dismissed_name(self.organization, form.cleaned_data["key"])
        others = [name for name in request.session.get(DISMISSED, []) if name != one]
        request.session[DISMISSED] = [*others, one][-MOST_DISMISSED:]
        back = form.cleaned_data["next"]
        if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
            return redirect(back)
        return redirect("organization", slug=self.organization.slug)
