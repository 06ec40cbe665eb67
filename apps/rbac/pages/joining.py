"""The page behind the link of an invitation: see it, then join or sign up."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from django import forms
from django.contrib import messages
from django.contrib.auth import password_validation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from apps.core import scope
from apps.core.errors import DomainError
from apps.rbac.errors import AccountExists, AddressNotVerified, InvitationForAnother
from apps.rbac.models import Invitation
from apps.rbac.services import accepting
from apps.tenants.models import User


class JoinForm(forms.Form):
    """Who the invited person is; the address is that of the invitation."""

    full_name = forms.CharField(
        label="Your name", max_length=150, widget=forms.TextInput({"autocomplete": "name"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=password_validation.password_validators_help_text_html,
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        """Check the password against the person's own name and address, too."""
        cleaned: dict[str, Any] = super().clean() or {}
        password = cleaned.get("password")
        if password:
            user = User(email=self.email, full_name=cleaned.get("full_name", ""))
            try:
                get_adapter().clean_password(password, user=user)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class Join(View):
    """One invitation. Looking changes nothing; joining is a POST."""

    token: str
    invitation: Invitation

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the invitation; a link that is not known, or was replaced, says so."""
        self.token = kwargs["token"]
        found = accepting.find_invitation(self.token)
        if found is None:
            return render(request, "rbac/join_refused.html", {"is_unknown": True}, status=404)
        self.invitation = found
        scope.set_organization(found.organization_id)  # the link opens it, as far as this page
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return self.refuse(request, error)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show what the invitation is, and what this visitor can do about it."""
        if isinstance(request.user, User) and accepting.has_joined(self.invitation, request.user):
            return redirect("organization", slug=self.invitation.organization.slug)
        accepting.check_is_open(self.invitation)
        if isinstance(request.user, User):
            accepting.check_is_for(self.invitation, request.user)
            return self.show(request)
        if accepting.has_account(self.invitation.email):
            return self.show(request, has_account=True)
        return self.show(request, form=JoinForm(email=self.invitation.email))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Join with the account that is signed in, or sign up."""
        if isinstance(request.user, User):
            accepting.accept(invitation=self.invitation, user=request.user, token=token)
            return self.welcome(request)
        accepting.check_is_open(self.invitation)
        form = JoinForm(request.POST, email=self.invitation.email)
        if not form.is_valid():
            return self.show(request, form=form)
        try:
            user = accepting.sign_up(
                invitation=self.invitation,
                token=token,
                full_name=form.cleaned_data["full_name"],
                set_password=lambda user: user.set_password(form.cleaned_data["password"]),
            )
        except AccountExists:
            return self.show(request, has_account=True)
        first = self.welcome(request)
        response: HttpResponseBase = perform_login(
            request, user, redirect_url=first.url, signup=True
        )
        return response

    def welcome(self, request: HttpRequest) -> HttpResponseRedirect:
        """Lead to the organization."""
        organization = self.invitation.organization
        messages.success(request, f"You belong to {organization.name} now.")
        return redirect("organization", slug=organization.slug)

    def show(
        self, request: HttpRequest, *, form: JoinForm | None = None, has_account: bool = False
    ) -> HttpResponse:
        """Show the invitation with a form, a button, or the way to sign in."""
        context = {
            "invitation": self.invitation,
            "form": form,
            "has_account": has_account,
            "here": request.path,
        }
        return render(request, "rbac/join.html", context)

    def refuse(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        """Say why it cannot be accepted, and what to do."""
        context = {
            "title": error.title,
            "text": str(error),
            "invitation": self.invitation,
            "is_for_another": isinstance(error, InvitationForAnother),
            "is_not_verified": isinstance(error, AddressNotVerified),
            "here": request.path,
        }
        return render(request, "rbac/join_refused.html", context, status=error.status)
