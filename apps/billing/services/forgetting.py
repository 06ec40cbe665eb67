"""Forget what a person who has himself erased wrote in billing, and what names him there."""

from django.db.models import F

from apps.billing.models import OrganizationSubscription, PlanTime, SubscriptionChange
from apps.core.db import inside_transaction
from apps.core.personal import GONE
from apps.rbac.selectors.erasures import Identity, values_in
from apps.tenants.models import AuditLog, User


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
