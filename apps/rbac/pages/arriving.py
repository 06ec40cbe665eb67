"""The page behind a link that was mailed: see what it is, then join or sign up."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from django import forms
from django.contrib import messages
from django.contrib.auth import password_validation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from apps.core import scope
from apps.core.errors import DomainError
from apps.rbac.errors import AccountExists, AddressNotVerified, InvitationForAnother
from apps.rbac.services.arriving import check_is_his, has_account
from apps.tenants.models import User

SetPassword = Callable[[User], None]


class JoinForm(forms.Form):
    """Who the invited person is; the address is that of the link."""

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
class Arrival(View):
    """
    One link. Looking changes nothing; joining is a POST.

    What it opens has an `email`, for which it is, and an `organization`, where it leads.
    """

    template: ClassVar[str]
    token: str
    found: Any

    @abstractmethod
    def find(self, token: str) -> Any:
        """Return what the link opens, whatever became of it, or None."""

    @abstractmethod
    def check_is_open(self) -> None:
        """Raise a DomainError where nobody can join by it now."""

    @abstractmethod
    def has_joined(self, user: User) -> bool:
        """Tell whether this person has joined by it already."""

    @abstractmethod
    def join(self, user: User) -> None:
        """Let a person with an account join."""

    @abstractmethod
    def sign_up(self, full_name: str, set_password: SetPassword) -> User:
        """Make the account of somebody new, and let him join."""

    @abstractmethod
    def place(self) -> HttpResponseRedirect:
        """Return where it leads whoever has joined."""

    def facts(self) -> dict[str, Any]:
        """Return what the page shows besides."""
        return {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find what the link opens; one that is not known, or was replaced, says so."""
        self.token = kwargs["token"]
        found = self.find(self.token)
        if found is None:
            return render(request, "rbac/join_refused.html", {"is_unknown": True}, status=404)
        self.found = found
        scope.set_organization(found.organization_id)  # the link opens it, as far as this page
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return self.refuse(request, error)

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show what the link is for, and what this visitor can do about it."""
        if isinstance(request.user, User) and self.has_joined(request.user):
            return self.place()
        self.check_is_open()
        if isinstance(request.user, User):
            check_is_his(request.user, self.found.email)
            return self.show(request)
        if has_account(self.found.email):
            return self.show(request, has_account=True)
        return self.show(request, form=JoinForm(email=self.found.email))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Join with the account that is signed in, or sign up."""
        if isinstance(request.user, User):
            self.join(request.user)
            return self.welcome(request)
        self.check_is_open()
        form = JoinForm(request.POST, email=self.found.email)
        if not form.is_valid():
            return self.show(request, form=form)
        try:
            user = self.sign_up(
                form.cleaned_data["full_name"],
                lambda user: user.set_password(form.cleaned_data["password"]),
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
        messages.success(request, f"You belong to {self.found.organization.name} now.")
        return self.place()

    def show(
        self, request: HttpRequest, *, form: JoinForm | None = None, has_account: bool = False
    ) -> HttpResponse:
        """Show what the link is for with a form, a button, or the way to sign in."""
        context = {
            "invitation": self.found,
            "form": form,
            "has_account": has_account,
            "here": request.path,
            **self.facts(),
        }
        return render(request, self.template, context)

    def refuse(self, request: HttpRequest, error: DomainError) -> HttpResponse:
        """Say why nobody can join by it, and what to do."""
        context = {
            "title": error.title,
            "text": str(error),
            "invitation": self.found,
            "is_for_another": isinstance(error, InvitationForAnother),
            "is_not_verified": isinstance(error, AddressNotVerified),
            "here": request.path,
        }
        return render(request, "rbac/join_refused.html", context, status=error.status)
