"""The frame of pages for a person himself, in no organization."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views import View

from apps.core.errors import DomainError
from apps.core.pages import refusal_page
from apps.tenants.models import User


class PersonPage(LoginRequiredMixin, View):
    """A page of what belongs to whoever is signed in; each asks for his own rows alone."""

    user: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Find the person; a refusal becomes a page, and what is not his is 404."""
        if not isinstance(request.user, User):
            return self.handle_no_permission()
        self.user = request.user
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return refusal_page(request, error)
