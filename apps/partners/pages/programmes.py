"""The programmes that a person may join by himself, wherever they are."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.core import scope
from apps.partners.selectors.rules import open_rule, open_rules
from apps.partners.services.joining import join
from apps.rbac.pages.person import PersonPage
from apps.tenants.models import Organization

MOST_SHOWN = 50


class Programmes(PersonPage):
    """What is open to the person by a verified address of his."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show each with what he gets; nothing happens until he says yes."""
        page = {"rules": list(open_rules(self.user)[:MOST_SHOWN])}
        return render(request, "partners/programmes.html", page)


class Join(PersonPage):
    """His yes."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, rule_id: str) -> HttpResponse:
        """Make him a member with the rule's credits, and lead to them."""
        rule = open_rule(self.user, rule_id)
        member = join(rule=rule, user=self.user)
        with scope.within(member.organization_id):
            slug = Organization.objects.get(pk=member.organization_id).slug
        messages.success(request, f"You are a member of {rule.partner.name}.")
        return redirect("partners:my_credits", slug=slug)
