"""Mails of invitations. Each has a link of its own, which is kept nowhere."""

from django.conf import settings
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.mail import Letter, Queue
from apps.rbac.models import Invitation
from apps.rbac.services import mailed_links


def letters_of(rows: list[Invitation]) -> list[Letter]:
    """Make a new link, which ends the one before, while there is anything to accept."""
    (row,) = rows
    is_open = row.status == Invitation.Status.PENDING and row.expires_at > database_now()
    if not is_open or not row.organization.is_active:
        return []
    token = mailed_links.new_token(mailed_links.INVITATION)
    row.digest = mailed_links.digest_of(token)
    content = {
        "organization": row.organization,
        "role": row.offered_role.name,
        "inviter": row.invited_by,
        "expires_at": row.expires_at,
        "email": row.email,
        "url": f"{settings.BASE_URL}{reverse('invitation', args=[token])}",
    }
    return [Letter("emails/rbac/invitation", [row.email], content)]


QUEUE = Queue(
    name="invitations",
    rows=lambda: Invitation.objects.select_related("organization", "role", "invited_by"),
    letters=letters_of,
)
