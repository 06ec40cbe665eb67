"""What time will do in a sandbox: the moments at which something happens by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from apps.billing.models import OrganizationSubscription
from apps.billing.selectors.subscriptions import grace_ends, standing_of
from apps.core import scope
from apps.credits.models import Lot
from apps.tenants.models import Organization

Status = OrganizationSubscription.Status
# Stripe keeps the invoice of a new period as a draft for an hour, and then has it paid.
UNTIL_PAID = timedelta(hours=1, minutes=1)


@dataclass(frozen=True)
class Ahead:
    """Something that time will bring, and the moment at which it has happened."""

    name: str
    at: datetime


def events_ahead(organization: Organization, after: datetime) -> list[Ahead]:
    """Return what will happen in an organization after a moment, the next first."""
    with scope.within(organization.pk, after):
        found = [*_of_lots(organization, after)]
        for row in filter(None, dict.fromkeys(standing_of(organization))):
            found += _of_subscription(row)
    return sorted((one for one in found if one.at > after), key=lambda one: one.at)


def _of_lots(organization: Organization, after: datetime) -> list[Ahead]:
    lots = Lot.objects.filter(organization=organization, remaining__gt=0, expires_at__gt=after)
    first = lots.aggregate(first=Min("expires_at"))["first"]
    return [Ahead("Credits expire", first)] if first else []


def _of_subscription(row: OrganizationSubscription) -> list[Ahead]:
    if row.status == Status.INCOMPLETE:
        return []
    found = []
    if (grace := grace_ends(row)) is not None:
        found.append(Ahead("Grace ends", grace))
    end = row.current_period_end
    if row.status == Status.TRIAL and row.trial_end is not None:
        found.append(Ahead("Trial ends", row.trial_end + UNTIL_PAID))
    elif end is not None and row.is_limited:
        found.append(Ahead("Pass ends", end))
    elif end is not None and row.cancel_at_period_end:
        found.append(Ahead("Plan ends", end + UNTIL_PAID))
    elif end is not None and row.stripe_subscription_id:
        found.append(Ahead("Renewal", end + UNTIL_PAID))
    elif end is not None:
        found.append(Ahead("Next period", end))
    return found
