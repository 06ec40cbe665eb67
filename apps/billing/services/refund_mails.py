"""Mail about money that goes back because what it paid for could not be given."""

from django.conf import settings
from django.urls import reverse

from apps.billing.models import Refund
from apps.billing.selectors.details import invoice_emails_of
from apps.core import scope
from apps.core.mail import Letter, Queue
from apps.core.money import format_money
from apps.rbac.selectors import members_with

CONTACTS = "billing.manage"


def letters_of(rows: list[Refund]) -> list[Letter]:
    """Tell who paid and who manages billing; nothing where Stripe has refused it."""
    (refund,) = rows
    payment, organization = refund.payment, refund.organization
    if refund.status == Refund.Status.FAILED:
        return []
    people = members_with(organization, CONTACTS).values_list("email", flat=True)
    # He may be deactivated or erased by now: a bank takes its days.
    buyer = [payment.user.email] if payment.user and payment.user.is_active else []
    with scope.within(organization.pk):
        to = list(dict.fromkeys([*people, *buyer, *invoice_emails_of(organization)]))
    if not to:
        return []
    path = reverse("billing:payment", args=[organization.slug, payment.public_id])
    content = {
        "organization": organization,
        "what": payment.description,
        "money": format_money(refund.amount, payment.currency),
        "url": f"{settings.BASE_URL}{path}",
    }
    return [Letter("emails/billing/undeliverable", to, content)]


QUEUE = Queue(
    name="refunds",
    rows=lambda: Refund.objects.select_related("organization", "payment__user"),
    letters=letters_of,
)
