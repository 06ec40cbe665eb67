"""The numbers of the caller's programme. It is the organization's own: no parameter names it."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, check_parameters, paginated, validated, validated_query
from apps.core.exports import stream_csv
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.api.members import MembersView
from apps.partners.api.number_serializers import (
    DashboardOut,
    DashboardParameters,
    MemberNumbersOut,
    NumbersFilter,
)
from apps.partners.api.serializers import MemberFilter
from apps.partners.selectors.campaign_numbers import campaigns_standing
from apps.partners.selectors.dashboard import dashboard_of
from apps.partners.selectors.member_numbers import COLUMNS, SORTS, member_numbers, number_rows
from apps.partners.selectors.usage import usage_by

FILTERS = frozenset(NumbersFilter().fields)


class Dashboard(ProgrammeAPIView):
    """How the programme stands."""

    permissions = {"GET": "partners.view"}

    @extend_schema(
        operation_id="partner_dashboard_retrieve",
        tags=["partner"],
        parameters=[DashboardParameters],
        responses=DashboardOut,
    )
    def get(self, request: Request) -> Response:
        """
        Return pool, members, groups, campaigns and usage of the caller's own programme.

        :raises NotAPartner: if the organization has none.
        """
        unit = validated_query(DashboardParameters, request)["unit"]
        facts = {
            "dashboard": dashboard_of(self.partner),
            "campaigns": campaigns_standing(self.partner),
            "unit": unit,
            "usage": usage_by(self.partner, unit),
        }
        return Response(DashboardOut(facts).data)


class MemberNumbers(MembersView):
    """What each member was awarded, used and has."""

    permissions = {"GET": "partners.view"}

    @extend_schema(
        operation_id="partner_dashboard_members_list",
        tags=["partner"],
        parameters=[NumbersFilter, LimitParameter],
        responses=MemberNumbersOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """
        Return members with their numbers.

        :raises NotAPartner: if the organization has no programme.
        :raises NotFound: if the programme has no such group.
        """
        check_parameters(request, FILTERS | {"limit", "cursor"})
        asked = validated(NumbersFilter, request.query_params)
        found = member_numbers(self.partner, self.rows(asked))
        key = (SORTS[asked["sort"]], "id")
        return paginated(request, found, MemberNumbersOut, key=key, parameters=FILTERS)


class MemberNumbersCsv(MembersView):
    """The same as a file."""

    permissions = {"GET": "partners.view"}

    @extend_schema(
        operation_id="partner_dashboard_members_export",
        tags=["partner"],
        parameters=[MemberFilter],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """
        Return members with their numbers as CSV, newest first.

        :raises NotAPartner: if the organization has no programme.
        :raises NotFound: if the programme has no such group.
        """
        found = self.rows(validated_query(MemberFilter, request))
        return stream_csv(
            filename=f"{self.organization.slug}-programme-numbers.csv",
            columns=COLUMNS,
            rows=number_rows(member_numbers(self.partner, found), self.organization.time_zone),
        )
