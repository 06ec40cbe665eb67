"""The page behind a claim link: see what is offered, then claim it or sign up."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from apps.partners.models import PartnerMember
from apps.partners.selectors.members import offers_of
from apps.partners.services import claiming
from apps.rbac.pages.arriving import Arrival, SetPassword
from apps.tenants.models import User


class Claim(Arrival):
    """One member's claim."""

    found: PartnerMember
    template = "partners/claim.html"

    def find(self, token: str) -> PartnerMember | None:
        """Return whose link it is."""
        return claiming.find_claim(token)

    def check_is_open(self) -> None:
        """
        Check that it can be claimed now.

        :raises ClaimNotOpen: if it cannot.
        """
        claiming.check_is_open(self.found)

    def has_joined(self, user: User) -> bool:
        """Tell whether this person has claimed."""
        return claiming.has_claimed(self.found, user)

    def join(self, user: User) -> None:
        """Claim with the account that is signed in."""
        claiming.claim_by_link(member=self.found, user=user, token=self.token)

    def sign_up(self, full_name: str, set_password: SetPassword) -> User:
        """Claim as somebody new."""
        return claiming.sign_up(
            member=self.found, token=self.token, full_name=full_name, set_password=set_password
        )

    def welcome(self, request: HttpRequest) -> HttpResponseRedirect:
        """Lead to what he has now."""
        messages.success(request, f"You are in the programme {self.found.partner.name} now.")
        return self.place()

    def place(self) -> HttpResponseRedirect:
        """Lead to the organization."""
        return redirect("organization", slug=self.found.organization.slug)

    def facts(self) -> dict[str, Any]:
        """Return what is offered."""
        offers = list(offers_of(self.found))
        return {"offers": offers, "offered": sum(one.left for one in offers)}
