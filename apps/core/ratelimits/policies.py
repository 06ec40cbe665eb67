"""
Which policies there are, and which of them apply to a request.

The rows are an app's above (apps/jobs), and so is what knows an organization's plan: both are
registered here at start-up. A process keeps what it read for KEEP_SECONDS, so that a request
asks the database for neither, and a change is felt everywhere after that time.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.cache.backends.locmem import LocMemCache

KEEP_SECONDS = 10
kept = LocMemCache("rate_limits", {"TIMEOUT": KEEP_SECONDS, "MAX_ENTRIES": 10_000})  # by a process

ORGANIZATION, KEY, USER, IP = "organization", "key", "user", "ip"  # whose requests are counted

# Which requests are counted; beside these, a permission code names those that ask for it.
ANY, READ, WRITE, MONEY = "any", "read", "write", "money"
GROUPS = (ANY, READ, WRITE, MONEY)


@dataclass(frozen=True)
class Policy:
    """So many requests of a kind, from one subject, in any window of so many seconds."""

    code: str
    subject: str
    requests: str
    limit: int
    seconds: int
    plan: str = ""  # code of the plan whose organizations it is for; empty: all others


class Subscriber(Protocol):
    """An organization, as far as this module cares."""

    @property
    def public_id(self) -> str:
        """Return org_…."""


@dataclass(frozen=True)
class Caller:
    """Who sent a request; what is empty is not known, or not counted."""

    ip: str = ""
    user: str = ""  # usr_…, who is signed in; of a request with a key, only the key is counted
    key: str = ""  # key_…
    organization: Subscriber | None = None

    def subjects(self) -> dict[str, str]:
        """Return for each kind of subject whom the request counts for."""
        organization = self.organization.public_id if self.organization else ""
        known = {IP: self.ip, USER: self.user, KEY: self.key, ORGANIZATION: organization}
        return {kind: name for kind, name in known.items() if name}


@dataclass(frozen=True)
class Hit:
    """A request, as one policy counts it."""

    policy: Policy
    name: str  # whom it counts for: org_…, key_…, usr_… or an address


PolicyReader = Callable[[], Iterable[Policy]]
PlanReader = Callable[[Any], str]
_policies: list[PolicyReader] = []
_plans: list[PlanReader] = []
_moving_money: set[str] = set()  # permissions


def register(policies: PolicyReader, plan_of: PlanReader) -> None:
    """Read policies, and the code of an organization's plan (empty for none), from these."""
    _policies.append(policies)
    _plans.append(plan_of)


def register_money(permissions: Iterable[str]) -> None:
    """Count what pages change by these permissions as actions on money."""
    _moving_money.update(permissions)


def moves_money(permission: str) -> bool:
    """Tell whether what a page changes by this permission moves money or credits."""
    return permission in _moving_money


def group_of(method: str, *, is_keyed: bool, permission: str = "") -> frozenset[str]:
    """Return all names by which a policy may mean a request; one on money is a write as well."""
    group = READ if method in ("GET", "HEAD", "OPTIONS") else WRITE
    names = {ANY, group, permission} | ({MONEY} if is_keyed else set())
    return frozenset(names - {""})


def hits_of(caller: Caller, requests: Collection[str]) -> list[Hit]:
    """
    Return every policy that counts such a request of the caller, and for whom.

    Those of the caller's plan take the place of those for all plans that count the same
    requests of the same subject, so that a plan may allow less and more.
    """
    subjects = caller.subjects()
    meant = [
        policy
        for policy in active_policies()
        if policy.requests in requests and policy.subject in subjects
    ]
    if any(policy.plan for policy in meant):
        plan = plan_of(caller.organization)
        own = [policy for policy in meant if policy.plan and policy.plan == plan]
        replaced = {(policy.subject, policy.requests) for policy in own}
        general = [policy for policy in meant if not policy.plan]
        meant = own + [one for one in general if (one.subject, one.requests) not in replaced]
    return [Hit(policy, subjects[policy.subject]) for policy in meant]


def active_policies() -> list[Policy]:
    """Return the policies in force, as they were at most KEEP_SECONDS ago."""
    return kept.get_or_set("policies", _read_policies) or []


def _read_policies() -> list[Policy]:
    return [policy for reader in _policies for policy in reader()]


def plan_of(organization: Subscriber | None) -> str:
    """Return the code of the plan that works for an organization, likewise kept; or nothing."""
    if organization is None:
        return ""

    def read() -> str:
        return next((plan for reader in _plans if (plan := reader(organization))), "")

    return kept.get_or_set(f"plan:{organization.public_id}", read) or ""
