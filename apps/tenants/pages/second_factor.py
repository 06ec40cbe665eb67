"""Where people go who have not shown a second factor yet."""

from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from apps.tenants import selectors
from apps.tenants.models import User

WANTED_BY = "second_factor_wanted_by"  # session key: what asked for it last


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth is untyped
    """Asks for a key's name, and whether it may sign in alone."""

    passwordless = forms.BooleanField(
        label="Sign in with it alone",
        help_text="Makes it a passkey: no password is asked for. Without this it is a second "
        "factor after the password.",
        required=False,
    )


def ask_for_it(request: HttpRequest, *, because: str) -> HttpResponse:
    """Lead to the page that asks for a second factor, and from there back to this one."""
    query = urlencode({"next": request.get_full_path() if request.method == "GET" else "/"})
    request.session[WANTED_BY] = because  # not in the address, where anybody could write it
    return HttpResponseRedirect(f"{reverse('tenants:second_factor')}?{query}")


class SecondFactor(LoginRequiredMixin, View):
    """What stands between a person and a place that asks for a second factor."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Offer to set one up, or ask for the one he has; go on if it was shown."""
        user = request.user
        assert isinstance(user, User)
        if selectors.has_shown_second_factor(user, request.session):
            return redirect(self.way_back(request))
        ways = [
            way
            for way in get_adapter().get_reauthentication_methods(user)
            if way["id"].startswith("mfa_")
        ]
        query = urlencode({"next": self.way_back(request)})
        context = {
            "wanted_by": request.session.get(WANTED_BY, ""),
            "ways": [{"label": way["description"], "url": f"{way['url']}?{query}"} for way in ways],
            "is_confirmed": selectors.has_confirmed_addresses(user),
        }
        return render(request, "tenants/second_factor.html", context)

    def way_back(self, request: HttpRequest) -> str:
        """Return where the person wanted to go, if that is one of our own addresses."""
        wanted = request.GET.get("next", "/")
        is_ours = url_has_allowed_host_and_scheme(
            wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        return wanted if is_ours else "/"
