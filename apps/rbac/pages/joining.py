"""The page behind the link of an invitation: see it, then join or sign up."""

from django.http import HttpResponseRedirect
from django.shortcuts import redirect

from apps.rbac.models import Invitation
from apps.rbac.pages.arriving import Arrival, SetPassword
from apps.rbac.services import accepting
from apps.tenants.models import User


class Join(Arrival):
    """One invitation."""

    found: Invitation
    template = "rbac/join.html"

    def find(self, token: str) -> Invitation | None:
        """Return the invitation."""
        return accepting.find_invitation(token)

    def check_is_open(self) -> None:
        """
        Check that it can be accepted now.

        :raises InvitationNotOpen: if it cannot.
        """
        accepting.check_is_open(self.found)

    def has_joined(self, user: User) -> bool:
        """Tell whether this person has accepted it."""
        return accepting.has_joined(self.found, user)

    def join(self, user: User) -> None:
        """Accept it with the account that is signed in."""
        accepting.accept(invitation=self.found, user=user, token=self.token)

    def sign_up(self, full_name: str, set_password: SetPassword) -> User:
        """Accept it as somebody new."""
        return accepting.sign_up(
            invitation=self.found,
            token=self.token,
            full_name=full_name,
            set_password=set_password,
        )

    def place(self) -> HttpResponseRedirect:
        """Lead to the organization."""
        return redirect("organization", slug=self.found.organization.slug)
