"""Forget what a person who has himself erased wrote in billing, and what names him there."""

from django.db.models import F, Q

from apps.billing.models import (
    BillingDetails,
    BillingDocument,
    OrganizationSubscription,
    PlanTime,
    SubscriptionChange,
)
from apps.core.db import inside_transaction
from apps.core.personal import GONE
from apps.rbac.selectors.erasures import Identity, values_in
from apps.tenants.models import AuditLog, User

NAMED_IN = ("legal_name", "line1", "line2", "city", "state", "po_number", "refusal")


@inside_transaction
def forget_reasons(*, user: User, identity: Identity) -> None:
    """
    Let the reasons read "(erased)" that he gave for a change or gift of a plan, or that name him.

    What the audit log keeps of his goes, too; the rows and their seals stay.
    """
    his = SubscriptionChange.objects.filter(user=user).exclude(reason="")
    plans = OrganizationSubscription.objects.exclude(cancel_reason="")
    ended_by_him = plans.filter(changes__in=his, changes__reason=F("cancel_reason"))
    for rows in (ended_by_him.order_by(), plans.filter(identity.within("cancel_reason"))):
        OrganizationSubscription.objects.filter(pk__in=rows.values("pk")).update(cancel_reason=GONE)
    asked = AuditLog.objects.filter(
        actor=f"user:{user.public_id}", action__startswith="subscription."
    )
    values_in(asked).delete()
    his.update(reason=GONE)
    SubscriptionChange.objects.filter(identity.within("reason")).update(reason=GONE)
    PlanTime.objects.filter(user=user).exclude(reason="").update(reason=GONE)
    PlanTime.objects.filter(identity.within("reason")).update(reason=GONE)


@inside_transaction
def forget_where_bills_go(*, identity: Identity) -> None:
    """
    Take his addresses from billing details, and his name from them and from what was billed.

    Stripe's customer is told of it by the sweep; documents at Stripe stay as they were issued.
    """
    named = identity.within(NAMED_IN[0])
    for field in NAMED_IN[1:]:
        named |= identity.within(field)
    named |= Q(emails__overlap=sorted(identity.emails))
    for details in BillingDetails.objects.filter(named).select_for_update():
        details.emails = [one for one in details.emails if one not in identity.emails]
        details.version += 1
        details.save()
    for field in NAMED_IN:
        BillingDetails.objects.filter(identity.within(field)).update(**{field: GONE})
    BillingDocument.objects.filter(identity.within("billed_to")).update(billed_to=GONE)
