"""Dunning: when a payment that failed is tried again, and what happens at the end."""

from dataclasses import dataclass

DAY = 86_400
OUTCOMES = ("cancel", "unpaid", "past_due")


@dataclass(frozen=True)
class Policy:
    """
    How often and when it is tried again, as one sets it in Stripe's dashboard.

    `days` are waited after each attempt; after the last one `outcome` befalls the
    subscription: it is canceled, marked unpaid, or left past due.
    """

    days: tuple[int, ...] = (3, 5, 7)
    outcome: str = "cancel"


def next_attempt(policy: Policy, attempts: int, now: int) -> int | None:
    """Return when to try again after so many attempts, or None if that was the last."""
    if not 1 <= attempts <= len(policy.days):
        return None
    return now + policy.days[attempts - 1] * DAY
