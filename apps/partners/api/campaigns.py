"""Campaigns of the programme, and what became of their credits."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.core.api import check_parameters, paginated, run_once, validated
from apps.core.clock import database_now
from apps.core.exports import stream_csv
from apps.core.idempotency import Answer
from apps.partners.api.asking_serializers import (
    CampaignChangeIn,
    CampaignIn,
    CampaignOut,
    CampaignReportOut,
)
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.selectors import campaigns as reading
from apps.partners.services import campaigns
from apps.partners.services.campaigns import Plan

VIEW, MANAGE = "partners.view", "partners.manage"


class Campaigns(ProgrammeAPIView):
    """The programme's campaigns."""

    permissions = {"GET": VIEW, "POST": MANAGE}
    keyed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="partner_campaigns_list", tags=["partner"], responses=CampaignOut(many=True)
    )
    def get(self, request: Request) -> Response:
        """Return campaigns, newest first."""
        return paginated(request, reading.campaigns_of(self.partner), CampaignOut)

    @extend_schema(
        operation_id="partner_campaigns_create",
        tags=["partner"],
        request=CampaignIn,
        responses={201: CampaignOut},
    )
    def post(self, request: Request) -> Response:
        """Plan a campaign; nothing leaves the pool until something is awarded in it."""
        fields = validated(CampaignIn, request.data)
        return run_once(request, principal=self.principal, effect=lambda: self.create(fields))

    def create(self, fields: dict[str, Any]) -> Answer:
        """Make the campaign, and say where it is."""
        plan = Plan(**{"begins_at": database_now(), **fields})
        made = campaigns.create_campaign(partner=self.partner, plan=plan, by=self.user)
        place = str(reverse("api:partners:campaign", args=[made.public_id]))
        return Answer(201, dict(CampaignOut(made).data), {"Location": place})


class OneCampaign(ProgrammeAPIView):
    """One campaign."""

    permissions = {"GET": VIEW, "PATCH": MANAGE}

    @extend_schema(
        operation_id="partner_campaigns_retrieve", tags=["partner"], responses=CampaignOut
    )
    def get(self, request: Request, campaign_id: str) -> Response:
        """Return one campaign."""
        return Response(CampaignOut(reading.campaign_of(self.partner, campaign_id)).data)

    @extend_schema(
        operation_id="partner_campaigns_update",
        tags=["partner"],
        request=CampaignChangeIn,
        responses=CampaignOut,
    )
    def patch(self, request: Request, campaign_id: str) -> Response:
        """Change name, budget or window; done twice is done once."""
        fields = validated(CampaignChangeIn, request.data)
        campaign = reading.campaign_of(self.partner, campaign_id)
        changed = campaigns.change_campaign(campaign=campaign, changes=fields)
        return Response(CampaignOut(changed).data)


class EndCampaign(ProgrammeAPIView):
    """The end of a campaign before its date."""

    permissions = {"POST": MANAGE}

    @extend_schema(
        operation_id="partner_campaigns_end",
        tags=["partner"],
        request=None,
        responses=CampaignOut,
    )
    def post(self, request: Request, campaign_id: str) -> Response:
        """Award nothing in it from now on; ended twice is ended once."""
        campaign = reading.campaign_of(self.partner, campaign_id)
        return Response(CampaignOut(campaigns.end_campaign(campaign=campaign)).data)


class CampaignReport(ProgrammeAPIView):
    """What became of a campaign's credits."""

    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="partner_campaigns_report", tags=["partner"], responses=CampaignReportOut
    )
    def get(self, request: Request, campaign_id: str) -> Response:
        """Return its figures, and those of each day on which something moved."""
        check_parameters(request, frozenset())
        report = reading.report_of(reading.campaign_of(self.partner, campaign_id))
        return Response(CampaignReportOut(report).data)


class CampaignReportCsv(ProgrammeAPIView):
    """The days of a campaign as a file."""

    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="partner_campaigns_report_export",
        tags=["partner"],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, campaign_id: str) -> HttpResponseBase:
        """Return a row for each day on which something moved."""
        check_parameters(request, frozenset())
        campaign = reading.campaign_of(self.partner, campaign_id)
        return stream_csv(
            filename=f"{campaign.public_id}.csv",
            columns=reading.DAY_COLUMNS,
            rows=reading.day_rows(reading.report_of(campaign)),
        )
