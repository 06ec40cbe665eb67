"""Mail about automatic reload: each charge, and why it stopped."""

from django.conf import settings
from django.urls import reverse

from apps.billing.models import AutoReload, Payment
from apps.billing.selectors.details import invoice_emails_of
from apps.billing.selectors.reloads import card_name, card_of
from apps.core import scope
from apps.core.mail import Letter, Queue
from apps.core.money import format_money
from apps.rbac.selectors import members_with

CONTACTS = "billing.manage"


def letters_of(rows: list[AutoReload]) -> list[Letter]:
    """Tell what is true as things stand now: nothing of a stop that is over already."""
    (reload,) = rows
    payment, organization = reload.news, reload.organization
    is_stopped = reload.state != AutoReload.State.READY
    if payment is None or not (is_stopped or payment.status == Payment.Status.SUCCEEDED):
        return []
    people = members_with(organization, CONTACTS).values_list("email", flat=True)
    with scope.within(organization.pk):
        customer = card_of(organization)
        to = list(dict.fromkeys([*people, *invoice_emails_of(organization)]))
    if not to:
        return []
    path = reverse("billing:auto_reload", args=[organization.slug])
    content = {
        "organization": organization,
        "reason": reload.reason,
        "price": format_money(payment.amount, payment.currency),
        "amount": payment.credits,
        "card": card_name(customer) if customer else "your card",
        "url": f"{settings.BASE_URL}{path}",
    }
    kind = "stopped" if is_stopped else "charged"
    return [Letter(f"emails/billing/reload_{kind}", to, content)]


QUEUE = Queue(
    name="reloads",
    rows=lambda: AutoReload.objects.select_related("organization", "news"),
    letters=letters_of,
)
