"""The programme's pages of campaigns: what they may award, and what became of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import formats, timezone

from apps.core import paging
from apps.core.charts import Bar, Chart
from apps.core.clock import database_now
from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.core.pages import add_refusal
from apps.partners.errors.asking import CampaignOver
from apps.partners.models import Campaign
from apps.partners.pages import tables
from apps.partners.pages.asking_forms import CampaignForm
from apps.partners.pages.base import ProgrammePage
from apps.partners.selectors import campaigns as reading
from apps.partners.selectors.campaigns import Report
from apps.partners.services import campaigns
from apps.partners.services.campaigns import Plan

DAYS_SHOWN = 62  # the last ones; the file has all of them
FIGURES = ("awarded", "claimed", "used", "returned", "lapsed", "corrected")


class Campaigns(ProgrammePage):
    """Every campaign with its budget, and the form for another."""

    tab = "campaigns"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of campaigns, newest first, or all of them as CSV."""
        if self.wants_file:
            rows = reading.campaigns_of(self.partner)
            return self.send("campaigns", tables.CAMPAIGNS, paging.every(rows))
        return self.show_list(CampaignForm(initial={"begins_at": timezone.localtime()}))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Make a campaign, or show why it cannot be."""
        form = CampaignForm(request.POST)
        if not form.is_valid():
            return self.show_list(form, status=422)
        try:
            made = campaigns.create_campaign(
                partner=self.partner, plan=Plan(**form.cleaned_data), by=self.user
            )
        except DomainError as error:
            add_refusal(form, error)
            return self.show_list(form, status=error.status)
        messages.success(request, f"The campaign {made.name} is ready.")
        return redirect("partners:campaign", slug=slug, campaign_id=made.public_id)

    def show_list(self, form: CampaignForm, *, status: int = 200) -> HttpResponse:
        """Show the list; those who may not change anything see no form."""
        here, now = reverse("partners:campaigns", args=[self.organization.slug]), database_now()
        shown, links = self.listed(reading.campaigns_of(self.partner), here)
        page = {
            "campaigns": [{"row": one, "stands": reading.stands(one, now)} for one in shown],
            "form": form if self.can_manage else None,
            **links,
        }
        return self.show("partners/campaigns.html", page, status=status)


class CampaignPage(ProgrammePage):
    """One campaign: its report, and its form."""

    tab = "campaigns"

    def get(self, request: HttpRequest, slug: str, campaign_id: str) -> HttpResponseBase:
        """Show the report, or its days as CSV."""
        campaign = reading.campaign_of(self.partner, campaign_id)
        if self.wants_file:
            return stream_csv(
                filename=f"{slug}-{campaign.public_id}.csv",
                columns=reading.DAY_COLUMNS,
                rows=reading.day_rows(reading.report_of(campaign)),
            )
        names = ("name", "budget", "begins_at", "ends_at")
        form = CampaignForm(initial={name: getattr(campaign, name) for name in names})
        return self.show_one(campaign, form)

    def post(self, request: HttpRequest, slug: str, campaign_id: str) -> HttpResponse:
        """Change it, or show why it cannot be."""
        campaign = reading.campaign_of(self.partner, campaign_id)
        form = CampaignForm(request.POST)
        if not form.is_valid():
            return self.show_one(campaign, form, status=422)
        try:
            campaigns.change_campaign(campaign=campaign, changes=form.cleaned_data)
        except CampaignOver as error:
            messages.error(request, str(error))  # the page has no form any more that could say it
            return redirect("partners:campaign", slug=slug, campaign_id=campaign_id)
        except DomainError as error:
            add_refusal(form, error)
            return self.show_one(campaign, form, status=error.status)
        messages.success(request, "The campaign is changed.")
        return redirect("partners:campaign", slug=slug, campaign_id=campaign_id)

    def show_one(
        self, campaign: Campaign, form: CampaignForm, *, status: int = 200
    ) -> HttpResponse:
        """Show the report; who may not change the campaign, or one that is over, sees no form."""
        report, stands = reading.report_of(campaign), reading.stands(campaign, database_now())
        can_change = self.can_manage and stands != "over"
        page = {
            "campaign": campaign,
            "stands": stands,
            "left_in_budget": campaign.budget - campaign.awarded,
            "figures": [(name.capitalize(), report.total(name)) for name in FIGURES],
            "left": report.left,
            "chart": chart_of(report),
            "days": report.days[: -DAYS_SHOWN - 1 : -1],
            "form": form if can_change else None,
            "export_url": "?format=csv",
        }
        return self.show("partners/campaign.html", page, status=status)


class EndCampaign(ProgrammePage):
    """The end of a campaign before its date."""

    permission = "partners.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, campaign_id: str) -> HttpResponse:
        """End it now."""
        campaign = reading.campaign_of(self.partner, campaign_id)
        campaigns.end_campaign(campaign=campaign)
        messages.success(request, f"{campaign.name} is over. What was awarded stays.")
        return redirect("partners:campaign", slug=slug, campaign_id=campaign_id)


def chart_of(report: Report) -> Chart:
    """Return what was used on each of the last days on which something moved."""
    return Chart(
        title="Credits of the campaign used a day",
        heading="Day",
        series=("Used",),
        bars=tuple(
            Bar(
                label=formats.date_format(day.date, "j M"),
                full_label=formats.date_format(day.date, "D j M Y"),
                values=(day.used,),
            )
            for day in report.days[-DAYS_SHOWN:]
        ),
        nothing="Nothing was used yet.",
    )
