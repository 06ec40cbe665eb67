"""Mail that tells an active member what he was awarded; who has not joined gets the claim's."""

from django.conf import settings
from django.urls import reverse

from apps.core.mail import Letter, Queue
from apps.partners.models import PartnerCredit, PartnerMember
from apps.partners.selectors import standing_of


def letters_of(rows: list[PartnerCredit]) -> list[Letter]:
    """Tell of an award while something is left of it, and its member is here."""
    (row,) = rows
    user = row.member.user
    is_his = row.member.status == PartnerMember.Status.ACTIVE and row.organization.is_active
    if not is_his or user is None or not user.is_active or not standing_of(row).left:
        return []
    content = {
        "award": row,
        "member": row.member,
        "programme": row.partner,
        "url": settings.BASE_URL + reverse("partners:my_credits", args=[row.organization.slug]),
    }
    return [Letter("emails/partners/award", [user.email], content)]


QUEUE = Queue(
    name="awards",
    rows=lambda: PartnerCredit.objects.select_related("organization", "partner", "member__user"),
    letters=letters_of,
)
