"""The subscription as the templates want it: facts, and the one notice that fits."""

from dataclasses import dataclass
from datetime import datetime

from apps.billing.models import OrganizationSubscription
from apps.billing.selectors import subscriptions as reading
from apps.billing.selectors.plan_times import lots_of_times, pass_named, times_of
from apps.billing.services.subscriptions.prorations import lots_of
from apps.core.pages import day_of
from apps.credits.models import Lot

Status = OrganizationSubscription.Status
WORDS = {
    Status.INCOMPLETE: ("Waiting for payment", "warning", "clock"),
    Status.TRIAL: ("Trial", "info", "clock"),
    Status.ACTIVE: ("Active", "success", "circle-check"),
    Status.PAST_DUE: ("Payment failed", "error", "triangle-alert"),
    Status.PAUSED: ("Paused", "neutral", "ban"),
}


@dataclass(frozen=True)
class Facts:
    """What the page shows of a subscription."""

    label: str
    tone: str
    icon: str
    credits_left: int  # of the period's credits
    credits_whole: int
    credits_carried: int  # what is left of credits carried over from the period before
    next_at: datetime | None  # the next invoice; None if none comes
    next_amount: int  # minor units, without tax
    currency: str
    ends_at: datetime | None
    grace_ends: datetime | None
    can_change: bool
    can_cancel: bool
    can_pause: bool
    can_resume: bool
    can_undo: bool
    can_extend: bool  # it is a pass that is offered: another one follows it


def facts_of(row: OrganizationSubscription) -> Facts:
    """Return what is shown of a subscription that is not over."""
    lots = lots_in(row)
    has_begun = row.current_period_end is not None
    exchanged = reading.taken_by_changes(row) if has_begun else 0
    status = Status(row.status)
    label, tone, icon = WORDS[status]
    upcoming = row.next_version or row.version
    quantity = row.next_quantity or row.quantity
    ends = row.cancel_at_period_end
    is_own_end = ends or row.is_limited
    is_billed = bool(row.stripe_subscription_id) and status != Status.PAUSED and not ends
    return Facts(
        label=label,
        tone=tone,
        icon=icon,
        credits_left=sum(lot.remaining for lot in lots),
        # What an heir began with was granted in the lot that it left.
        credits_whole=sum(lot.granted for lot in lots if lot.heir_of_id is None) - exchanged,
        credits_carried=reading.carried_over(row) if has_begun else 0,
        next_at=row.current_period_end if is_billed else None,
        next_amount=upcoming.price * quantity,
        currency=upcoming.currency,
        ends_at=row.current_period_end if is_own_end else None,
        grace_ends=reading.grace_ends(row),
        can_change=not is_own_end and status in (Status.TRIAL, Status.ACTIVE),
        can_cancel=not is_own_end and status != Status.INCOMPLETE,
        can_pause=status == Status.ACTIVE and bool(row.stripe_subscription_id) and not ends,
        can_resume=status == Status.PAUSED,
        can_undo=ends or bool(row.stripe_schedule_id),
        can_extend=row.is_limited and pass_named(row.version.plan.code) is not None,
    )


def lots_in(row: OrganizationSubscription) -> list[Lot]:
    """Return the lots of the credits that came with what runs now."""
    if row.is_limited:
        return lots_of_times(list(times_of(row)))
    return lots_of(row) if row.current_period_end else []


def notice_of(row: OrganizationSubscription, *, is_awaited: bool = False) -> dict[str, str] | None:
    """
    Return what to say that no banner of the frame says, or None if there is nothing.

    `is_awaited` says that somebody has just come back from Stripe's page, where he paid.
    """
    end = day_of(row.current_period_end)
    is_incomplete = row.status == Status.INCOMPLETE
    changes_to = row.next_version.plan.name if row.next_version else ""
    found = [
        (is_awaited, "info", "Stripe confirms the payment, and the plan begins: some seconds."),
        (
            is_incomplete,
            "warning",
            f"{row.version.plan.name} is not paid yet. It begins once it is.",
        ),
        (
            row.status == Status.PAUSED,
            "warning",
            "The plan is paused: nothing is charged, and nothing is given.",
        ),
        (row.cancel_at_period_end, "warning", f"The plan ends on {end}. You can undo that."),
        (
            row.is_limited,
            "info",
            f"{row.version.plan.name} ends on {end}. {after_it(changes_to)}",
        ),
        (bool(changes_to), "info", f"The plan changes to {changes_to} on {end}."),
    ]
    level, text = next(((level, text) for holds, level, text in found if holds), ("", ""))
    if not text:
        return None
    return {"level": level, "text": text}


def after_it(plan: str) -> str:
    """Say what comes after what ends by itself."""
    return f"After it you have {plan} again." if plan else "After it you have no plan."
