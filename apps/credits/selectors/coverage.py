"""
What an organization's plan covers without credits, told by whoever knows of plans.

Credits and the apps beside billing may not know billing: it registers a provider here when
it starts (apps/billing/receivers.py). Without one, nothing is covered.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from apps.credits.models import CreditEvent, Wallet
from apps.tenants.models import Organization


@dataclass(frozen=True)
class Coverage:
    """What a plan allows now."""

    unlimited: frozenset[str] = field(default_factory=frozenset)  # events and categories
    concurrent_jobs: int | None = None  # None: the plan does not say
    plan: str = ""  # code of the plan that works now; empty: there is none


Provider = Callable[[Organization], Coverage]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Ask this one, too, what an organization's plan allows."""
    _providers.append(provider)


def is_unlimited(organization: Organization, event: CreditEvent) -> bool:
    """Tell whether the plan covers an event of the price list, by its name or its category."""
    return any(event.features & provider(organization).unlimited for provider in _providers)


def is_covered_by_plan(wallet: Wallet, event: CreditEvent) -> bool:
    """Tell whether an event costs this wallet nothing: a plan covers no member's own wallet."""
    is_main = wallet.kind == Wallet.Kind.ORGANIZATION
    return is_main and is_unlimited(wallet.organization, event)


def concurrent_jobs(organization: Organization) -> int | None:
    """Return how many pieces of work the plan lets run at the same time; None if it is silent."""
    limits = (provider(organization).concurrent_jobs for provider in _providers)
    return max((limit for limit in limits if limit is not None), default=None)


def plan_of(organization: Organization) -> str:
    """Return the code of the plan that works for the organization now; empty without one."""
    plans = (provider(organization).plan for provider in _providers)
    return next(filter(None, plans), "")
