"""What our payments and the ledger say of what was paid, for a comparison with Stripe."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.db.models import F, Q, Sum

from apps.billing.models import Customer, Payment, Refund
from apps.credits.models import CreditTransaction, Wallet

WHY = "Stripe's money is compared with that of all organizations"
PREFIX = "payment_intent:"  # of Payment.reference
BATCH = 500


def organizations_of_customers() -> dict[str, UUID]:
    """Return the organization of every customer that we have at Stripe, by Stripe's id."""
    rows = Customer.objects.across_organizations(WHY).exclude(stripe_id=None)
    return {str(told): found for told, found in rows.values_list("stripe_id", "organization_id")}


def intents_settled(since: datetime, until: datetime) -> set[str]:
    """Return the payment intents of all payments that were settled in this time."""
    rows = Payment.objects.across_organizations(WHY).filter(
        settled_at__gte=since, settled_at__lt=until, stripe_payment_intent_id__isnull=False
    )
    return {str(found) for found in rows.values_list("stripe_payment_intent_id", flat=True)}


def intents_granted(since: datetime, until: datetime) -> dict[str, UUID]:
    """Return the payment intents for which credits were granted in this time, and to whom."""
    rows = CreditTransaction.objects.across_organizations(WHY).filter(
        transaction_type=CreditTransaction.Type.PURCHASED,
        reference__startswith=PREFIX,
        created_at__gte=since,
        created_at__lt=until,
    )
    found = rows.values_list("reference", "organization_id")
    return {reference.removeprefix(PREFIX): whose for reference, whose in found}


def intents_not_given_back() -> set[str]:
    """Return the payment intents of all that had to go back by itself, and has not."""
    refused = Refund.objects.across_organizations(WHY).filter(
        reason=Refund.Reason.UNDELIVERABLE, status=Refund.Status.FAILED
    )
    rows = refused.filter(payment__refunded__lt=F("payment__amount") + F("payment__tax"))
    intents = rows.values_list("payment__stripe_payment_intent_id", flat=True)
    return {str(found) for found in intents}


def payments_of_intents(intents: Iterable[str], named: Collection[UUID]) -> Iterator[Payment]:
    """Yield the payments that have these intents, and those of these ids."""
    rows = Payment.objects.across_organizations(WHY)
    for batch in batched(intents, BATCH):
        yield from rows.filter(stripe_payment_intent_id__in=batch)
    for ids in batched(named, BATCH):
        yield from rows.filter(pk__in=ids, stripe_payment_intent_id=None)


def credits_granted(whose: dict[str, UUID]) -> dict[str, int]:
    """Return what the ledger granted for each payment intent; `whose` names its organization."""
    granted: dict[str, int] = {}
    for batch in batched(whose.items(), BATCH):
        wallets = Wallet.objects.across_organizations(WHY).filter(
            organization_id__in={organization for _, organization in batch}
        )
        rows = CreditTransaction.objects.across_organizations(WHY).filter(
            Q(transaction_type=CreditTransaction.Type.PURCHASED),
            wallet_id__in=list(wallets.values_list("pk", flat=True)),
            reference__in=[f"{PREFIX}{intent}" for intent, _ in batch],
        )
        sums = rows.order_by().values("reference", "organization_id").annotate(all=Sum("amount"))
        for one in sums:
            intent = one["reference"].removeprefix(PREFIX)
            if whose.get(intent) == one["organization_id"]:
                granted[intent] = one["all"]
    return granted
