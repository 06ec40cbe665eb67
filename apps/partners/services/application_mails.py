"""Mails that tell what became of applications for a programme."""

from django.conf import settings
from django.urls import reverse

from apps.core.mail import Letter, Queue
from apps.partners.models import Application


def letters_of(rows: list[Application]) -> list[Letter]:
    """Tell who applied, if he is still there to be told."""
    (row,) = rows
    applicant = row.applied_by
    if applicant is None or not applicant.is_active or not row.organization.is_active:
        return []
    content = {
        "application": row,
        "organization": row.organization,
        "is_approved": row.status == Application.Status.APPROVED,
        "url": settings.BASE_URL + reverse("partners:programme", args=[row.organization.slug]),
    }
    return [Letter("emails/partners/application", [applicant.email], content)]


QUEUE = Queue(
    name="partner_applications",
    rows=lambda: Application.objects.select_related("organization", "applied_by"),
    letters=letters_of,
)
