"""Mail to a person whose erasure was asked for: he may not be the one who asked."""

from django.conf import settings
from django.urls import reverse

from apps.core.mail import Letter, Queue
from apps.rbac.models import Erasure


def letters_of(rows: list[Erasure]) -> list[Letter]:
    """Tell him for as long as he may undo it."""
    (row,) = rows
    if row.status != Erasure.Status.PENDING:
        return []
    content = {"erasure": row, "url": f"{settings.BASE_URL}{reverse('privacy')}"}
    return [Letter("emails/rbac/erasure", [row.user.email], content)]


QUEUE = Queue(
    name="erasures",
    rows=lambda: Erasure.objects.select_related("user"),
    letters=letters_of,
)
