"""Mails with claim links. Each has a link of its own, which is kept nowhere."""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.mail import Letter, Queue
from apps.partners.models import PartnerMember
from apps.partners.selectors.members import offers_of
from apps.partners.selectors.programmes import terms_of
from apps.rbac.services import mailed_links


def letters_of(rows: list[PartnerMember]) -> list[Letter]:
    """Make a new link, which ends the one before, while there is somebody to claim by it."""
    (row,) = rows
    if row.status != PartnerMember.Status.INVITED or not row.organization.is_active:
        return []
    offers = list(offers_of(row))
    token = mailed_links.new_token(mailed_links.CLAIM)
    row.digest = mailed_links.digest_of(token)
    lifetime = timedelta(days=terms_of(row.partner).claim_days)
    ends = [one.expires_at for one in offers]  # no link ends before what it claims
    row.link_expires_at = max([database_now() + lifetime, *ends])
    content = {
        "member": row,
        "partner": row.partner,
        "inviter": row.invited_by,
        "credits": sum(one.left for one in offers),
        "claim_by": offers[0].expires_at if offers else None,
        "is_reminder": row.reminders > 0,
        "url": settings.BASE_URL + reverse("claim", args=[token]),
    }
    return [Letter("emails/partners/claim", [row.email], content)]


QUEUE = Queue(
    name="programme_claims",
    rows=lambda: PartnerMember.objects.select_related("organization", "partner", "invited_by"),
    letters=letters_of,
)
