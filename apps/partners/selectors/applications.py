"""Read applications for a programme."""

from django.db.models import QuerySet

from apps.partners.models import Application, PartnerTerms
from apps.partners.models.partners import Partner
from apps.tenants.models import Organization


def applications_of(organization: Organization) -> QuerySet[Application]:
    """Return the organization's applications, newest first."""
    rows = Application.objects.filter(organization=organization)
    return rows.select_related("applied_by").order_by("-created_at", "-id")


def pending_application_of(organization: Organization) -> Application | None:
    """Return the application that nobody has decided yet."""
    return applications_of(organization).filter(status=Application.Status.PENDING).first()


def versions_of_terms(partner: Partner) -> QuerySet[PartnerTerms]:
    """Return the terms since the programme began, newest first: the first are in force."""
    return PartnerTerms.objects.filter(partner=partner).order_by("-number")
