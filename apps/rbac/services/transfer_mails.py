"""Mail about ownership: the offer to the one who may accept, the answer to the one who asked."""

from django.conf import settings
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.mail import Letter, Queue
from apps.rbac.models import OwnershipTransfer

Status = OwnershipTransfer.Status


def letters_of(rows: list[OwnershipTransfer]) -> list[Letter]:
    """Tell what the offer needs as it stands: nothing once it is withdrawn or has run out."""
    (row,) = rows
    if row.status == Status.PENDING and row.expires_at > database_now():
        kind, to = "offer", row.to_user
    elif row.status in (Status.ACCEPTED, Status.DECLINED):
        kind, to = "answer", row.from_user
    else:
        return []
    if not to.is_active:
        return []
    path = reverse("rbac:ownership", args=[row.organization.slug])
    content = {
        "transfer": row,
        "organization": row.organization,
        "url": f"{settings.BASE_URL}{path}",
    }
    return [Letter(f"emails/rbac/transfer_{kind}", [to.email], content)]


QUEUE = Queue(
    name="transfers",
    rows=lambda: OwnershipTransfer.objects.select_related("organization", "from_user", "to_user"),
    letters=letters_of,
)
