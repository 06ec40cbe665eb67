"""What the sweeps of billing share: one row after the other, each for itself."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog

from apps.billing.errors import BillingNotConfigured, StripeUnavailable
from apps.billing.models import (
    BillingDetails,
    InvoiceAttempt,
    OrganizationSubscription,
    Payment,
    PlanTime,
    Refund,
    SubscriptionChange,
)
from apps.billing.services.handling import NotKnownYet
from apps.core import scope
from apps.core.errors import DomainError
from apps.tenants.selectors import clock_of

logger = structlog.get_logger(__name__)
PATIENCE = timedelta(minutes=1)  # so long whoever began may go on before a sweep does
SWEPT_AT_ONCE = 100  # rows, so that one sweep does not hold up the next one


def each[
    Swept: (
        BillingDetails,
        InvoiceAttempt,
        OrganizationSubscription,
        Payment,
        PlanTime,
        Refund,
        SubscriptionChange,
    )
](rows: Iterable[Swept], take_up: Callable[[Swept], object]) -> int:
    """
    Take rows up within their organizations, and return how many were tried.

    One that is refused does not keep the others: it is logged, and tried again by the next
    sweep. Where Stripe does not answer, or there is nobody to ask, the rest waits for that.
    """
    tried = 0
    for row in rows:
        tried += 1
        try:
            with scope.within(row.organization_id, clock_of(row.organization_id)):
                take_up(row)
        except (StripeUnavailable, BillingNotConfigured):
            break
        except (DomainError, NotKnownYet) as error:
            logger.warning("not_swept", id=row.public_id, error=str(error))
    return tried
