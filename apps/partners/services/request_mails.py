"""Mail about requests for credits: to those who may approve it, and the answer to the member."""

from django.conf import settings
from django.urls import reverse

from apps.core.mail import Letter, Queue
from apps.partners.models import CreditRequest
from apps.rbac.selectors import members_with

Status = CreditRequest.Status
TO_ANSWER = "partners.manage"


def letters_of(rows: list[CreditRequest]) -> list[Letter]:
    """Tell what the request needs as it stands: nothing once it is withdrawn."""
    (row,) = rows
    slug = row.organization.slug
    if row.status == Status.PENDING:
        kind, path = "asked", reverse("partners:request", args=[slug, row.public_id])
        to = list(members_with(row.organization, TO_ANSWER).values_list("email", flat=True))
    elif row.status in (Status.APPROVED, Status.DECLINED):
        kind, path = "answer", reverse("partners:my_credits", args=[slug])
        user = row.member.user
        to = [user.email] if user is not None and user.is_active else []
    else:
        return []
    content = {
        "request": row,
        "member": row.member,
        "programme": row.partner,
        "awarded": row.award.credits if row.award else 0,
        "url": f"{settings.BASE_URL}{path}",
    }
    return [Letter(f"emails/partners/request_{kind}", to, content)] if to else []


QUEUE = Queue(
    name="credit_requests",
    rows=lambda: CreditRequest.objects.select_related(
        "organization", "partner", "member__user", "award"
    ),
    letters=letters_of,
)
