"""The API of programmes: what there is, its terms, and applications for one."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import LimitParameter, paginated, validated
from apps.partners.api.base import ProgrammeAPIView
from apps.partners.api.serializers import ApplicationIn, ApplicationOut, PartnerOut, TermsOut
from apps.partners.selectors.applications import applications_of, versions_of_terms
from apps.partners.selectors.members import counts_of
from apps.partners.selectors.programmes import terms_of
from apps.partners.services import applications
from apps.rbac.api.base import TenantAPIView


class Programme(ProgrammeAPIView):
    """The organization's programme."""

    permissions = {"GET": "partners.view"}

    @extend_schema(operation_id="partner_retrieve", tags=["partner"], responses=PartnerOut)
    def get(self, request: Request) -> Response:
        """Return the programme with the terms in force, and how many members it has."""
        body = {
            "partner": self.partner,
            "terms": terms_of(self.partner),
            "members": counts_of(self.partner),
        }
        return Response(PartnerOut(body).data)


class Terms(ProgrammeAPIView):
    """By which terms it hands credits on."""

    permissions = {"GET": "partners.view"}

    @extend_schema(
        operation_id="partner_terms_list",
        tags=["partner"],
        parameters=[LimitParameter],
        responses=TermsOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the versions, newest first: the first are in force."""
        rows = versions_of_terms(self.partner)
        return paginated(request, rows, TermsOut, key=("number", "id"))


class Applications(TenantAPIView):
    """The organization's applications for a programme."""

    permissions = {"GET": "partners.view", "POST": "partners.manage"}

    @extend_schema(
        operation_id="partner_applications_list",
        tags=["partner"],
        parameters=[LimitParameter],
        responses=ApplicationOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the applications, newest first."""
        rows = applications_of(self.organization)
        return paginated(request, rows, ApplicationOut)

    @extend_schema(
        operation_id="partner_applications_create",
        tags=["partner"],
        request=ApplicationIn,
        responses={201: ApplicationOut},
    )
    def post(self, request: Request) -> Response:
        """Apply; staff decide, and the answer comes by mail."""
        fields = validated(ApplicationIn, request.data)
        made = applications.apply(organization=self.organization, by=self.user, **fields)
        location = reverse("api:partners:application", args=[made.public_id])
        return Response(ApplicationOut(made).data, status=201, headers={"Location": location})


class Application(TenantAPIView):
    """One application."""

    permissions = {"GET": "partners.view"}

    @extend_schema(
        operation_id="partner_applications_retrieve", tags=["partner"], responses=ApplicationOut
    )
    def get(self, request: Request, application_id: str) -> Response:
        """Return one application."""
        rows = applications_of(self.organization)
        return Response(ApplicationOut(self.get_object(rows, application_id)).data)


class WithdrawnApplication(TenantAPIView):
    """The end of an application, by who applied."""

    permissions = {"POST": "partners.manage"}

    @extend_schema(
        operation_id="partner_applications_withdraw",
        tags=["partner"],
        request=None,
        responses=ApplicationOut,
    )
    def post(self, request: Request, application_id: str) -> Response:
        """Withdraw it, while nobody has decided."""
        rows = applications_of(self.organization)
        found = self.get_object(rows, application_id)
        return Response(ApplicationOut(applications.withdraw(application=found)).data)
