"""The credits of an upgrade in the middle of a period: once its proration is paid."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionChange
from apps.billing.services.subscriptions.cycles import PRECISION, SOURCE, moment_of, prefix_of
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.credits.errors import LotFrozen, LotHasLess, WalletClosed
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.selectors.lots import heirs_of
from apps.credits.services.plan_changes import (
    Share,
    Swap,
    preview_swap,
    redate_lot,
    swap_allowance,
)
from apps.tenants.services.audit import record

Json = Mapping[str, Any]
Change = SubscriptionChange


def share_of(change: Change) -> Share:
    """Return how much of the period that runs is left at the moment of a change within it."""
    start, end = _period_of(change)
    assert change.moment is not None
    whole = int((end - start).total_seconds())
    return Share(int((end - change.moment).total_seconds()), whole)


def _period_of(change: Change) -> tuple[datetime, datetime]:
    start = change.subscription.current_period_start
    end = change.subscription.current_period_end
    assert start is not None, "only a period that runs is shared"
    assert end is not None
    return start, end


def _is_in_period(change: Change) -> bool:
    """Tell whether the period in which a change was asked for is still the one that runs."""
    start, end = _period_of(change)
    assert change.moment is not None
    return start <= change.moment < end and database_now() < end


def lots_of(subscription: OrganizationSubscription) -> list[Lot]:
    """Return the lots of the period that runs, and those of its credits that have another date."""
    cycle = Lot.objects.filter(
        wallet=main_wallet(subscription.organization),
        origin__startswith=prefix_of(subscription),
        expires_at=subscription.current_period_end,
    )
    found = list(cycle.order_by("id"))
    return [*found, *heirs_of(found)]


def preview(change: Change) -> Swap:
    """Return what a change, perhaps not saved, would do to the credits now."""
    return preview_swap(
        lots=lots_of(change.subscription),
        share=share_of(change),
        former=credits_of(change.old_version, change.old_quantity),
        allowance=credits_of(change.version, change.quantity),
    )


def credits_of(version: PlanVersion | None, quantity: int | None) -> int:
    """Return what so many units of a plan give in a whole period."""
    assert version is not None, "the database asks for both, of the old plan and of the new one"
    assert quantity is not None
    return version.included_credits * quantity


@inside_transaction
def prolong(change: Change) -> None:
    """Let the unused credits of a trial live as long as the trial does now."""
    assert change.moment is not None, "it says when the trial ends"
    wallet = main_wallet(change.organization)
    prefix = prefix_of(change.subscription)
    lots = Lot.objects.filter(wallet=wallet, origin__startswith=prefix, remaining__gt=0)
    for lot in lots.filter(expires_at__gt=database_now(), expires_at__lt=change.moment):
        with suppress(WalletClosed, LotFrozen, LotHasLess):  # there is nothing to prolong
            redate_lot(
                lot=lot,
                expires_at=change.moment,
                reference=f"{prefix}trial:{int(change.moment.timestamp())}:{lot.public_id}",
                source=SOURCE,
                source_id=change.subscription.public_id,
                description="The trial lasts longer",
            )


@inside_transaction
def post_paid(*, subscription: OrganizationSubscription, invoice: Json) -> None:
    """
    Move the credits of the change whose proration an invoice is, once.

    Stripe's answer names the invoice; if that got lost, the change is meant from whose moment
    on the invoice's lines count.
    """
    asked = SubscriptionChange.objects.select_for_update().filter(
        subscription=subscription, kind=Change.Kind.NOW, posted_at=None
    )
    change = asked.filter(stripe_invoice_id=invoice["id"]).first()
    if change is None:
        known = SubscriptionChange.objects.filter(stripe_invoice_id=invoice["id"])
        starts = [moment_of(line["period"]["start"]) for line in invoice["lines"]["data"]]
        waiting = asked.exclude(status=Change.Status.REFUSED).filter(
            stripe_invoice_id=None, moment__in=starts
        )
        change = None if known.exists() else waiting.order_by("created_at").first()
    if change is not None:
        post(change, invoice_id=invoice["id"])


@inside_transaction
def post(change: Change, *, invoice_id: str | None = None) -> None:
    """
    Move the credits of a change that Stripe has accepted and that is paid.

    One that is heard of when its period is over moves none: there is no part of it left, and
    what follows it has credits of its own.
    """
    swap = _swap(change) if _is_in_period(change) else Swap(0, 0)
    change.status = Change.Status.ACCEPTED
    change.credits_taken, change.credits_given = swap.taken, swap.given
    change.posted_at = database_now()
    change.stripe_invoice_id = invoice_id or change.stripe_invoice_id
    change.save()
    record(
        action="subscription.credits",
        organization=change.organization,
        object_id=change.public_id,
        after={"taken": swap.taken, "given": swap.given},
    )


def _swap(change: Change) -> Swap:
    assert change.version is not None, "the database asks for it"
    return swap_allowance(
        wallet=main_wallet(change.organization),
        lots=lots_of(change.subscription),
        share=share_of(change),
        former=credits_of(change.old_version, change.old_quantity),
        allowance=credits_of(change.version, change.quantity),
        expires_at=_period_of(change)[1],
        reference=f"{prefix_of(change.subscription)}{change.public_id}",
        source=SOURCE,
        source_id=change.subscription.public_id,
        unit_cost=unit_cost(change.version),
        currency=change.version.currency,
    )


def unit_cost(version: PlanVersion) -> Decimal:
    """Return what one credit of a plan costs: minor units."""
    if not version.included_credits:
        return Decimal(0)
    return (Decimal(version.price) / version.included_credits).quantize(PRECISION)
