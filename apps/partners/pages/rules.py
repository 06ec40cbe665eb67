"""The programme's pages of rules by which people join by themselves."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.core import paging
from apps.core.errors import DomainError
from apps.core.pages import add_refusal
from apps.partners.errors.asking import AwardRuleEnded
from apps.partners.models import AwardRule
from apps.partners.pages import tables
from apps.partners.pages.asking_forms import NewRuleForm, RuleForm
from apps.partners.pages.base import ProgrammePage
from apps.partners.selectors.campaigns import open_campaigns
from apps.partners.selectors.rules import rule_of, rules_of
from apps.partners.services import rules


class Rules(ProgrammePage):
    """Every rule, and the form for another."""

    tab = "campaigns"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of rules, newest first, or all of them as CSV."""
        if self.wants_file:
            return self.send("rules", tables.RULES, paging.every(rules_of(self.partner)))
        return self.show_list(NewRuleForm(campaigns=list(open_campaigns(self.partner))))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Make a rule, or show why it cannot be."""
        form = NewRuleForm(request.POST, campaigns=list(open_campaigns(self.partner)))
        if not form.is_valid():
            return self.show_list(form, status=422)
        try:
            made = rules.create_rule(partner=self.partner, by=self.user, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.show_list(form, status=error.status)
        text = f"Whoever has a verified address at {made.domain} can join now, if he wants to."
        messages.success(request, text)
        return redirect("partners:rules", slug=slug)

    def show_list(self, form: NewRuleForm, *, status: int = 200) -> HttpResponse:
        """Show the list; those who may not change anything see no form."""
        here = reverse("partners:rules", args=[self.organization.slug])
        shown, links = self.listed(rules_of(self.partner), here)
        page = {"rules": shown, "form": form if self.can_manage else None, **links}
        return self.show("partners/rules.html", page, status=status)


class Rule(ProgrammePage):
    """One rule, to be changed."""

    tab = "campaigns"

    def get(self, request: HttpRequest, slug: str, rule_id: str) -> HttpResponse:
        """Show the rule with its form."""
        rule = rule_of(self.partner, rule_id)
        campaign = rule.campaign.public_id if rule.campaign else ""
        initial = {"credits": rule.credits, "campaign": campaign}
        return self.show_one(rule, self.form(rule, initial=initial))

    def post(self, request: HttpRequest, slug: str, rule_id: str) -> HttpResponse:
        """Change it, or show why it cannot be."""
        rule = rule_of(self.partner, rule_id)
        form = self.form(rule, request.POST)
        if not form.is_valid():
            return self.show_one(rule, form, status=422)
        try:
            rules.change_rule(rule=rule, **form.cleaned_data)
        except AwardRuleEnded as error:
            messages.error(request, str(error))  # the page has no form any more that could say it
            return redirect("partners:rule", slug=slug, rule_id=rule_id)
        except DomainError as error:
            add_refusal(form, error)
            return self.show_one(rule, form, status=error.status)
        messages.success(request, "The rule is changed for those who join from now on.")
        return redirect("partners:rules", slug=slug)

    def form(self, rule: AwardRule, *args: object, **kwargs: object) -> RuleForm:
        """Return a form that offers its own campaign, too, though that may be over."""
        campaigns = list(open_campaigns(self.partner))
        if rule.campaign and rule.campaign not in campaigns:
            campaigns.insert(0, rule.campaign)
        return RuleForm(*args, campaigns=campaigns, **kwargs)

    def show_one(self, rule: AwardRule, form: RuleForm, *, status: int = 200) -> HttpResponse:
        """Show the rule; who may not change it, or one that has ended, sees no form."""
        can_change = self.can_manage and rule.is_active
        page = {"rule": rule, "form": form if can_change else None}
        return self.show("partners/rule.html", page, status=status)


class EndRule(ProgrammePage):
    """The end of a rule."""

    permission = "partners.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, rule_id: str) -> HttpResponse:
        """End it."""
        rule = rules.end_rule(rule=rule_of(self.partner, rule_id))
        messages.success(request, f"Nobody joins by {rule.domain} any more. Who did stays.")
        return redirect("partners:rules", slug=slug)
