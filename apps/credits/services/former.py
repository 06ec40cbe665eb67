"""Take balances and their history over from a former system: each once, the sums compared."""

from collections.abc import Iterable, Mapping
from itertools import batched

from django.db import transaction

from apps.core.imports import Unfit
from apps.credits.models import FormerAccount, FormerMovement, Lot
from apps.credits.selectors.balances import main_wallet
from apps.credits.selectors.former import FormerBalance, FormerEntry, History, Written
from apps.credits.services.grants import grant_credits
from apps.tenants.services import audit

AT_ONCE = 1000


@transaction.atomic
def import_balance(former: FormerBalance) -> bool:
    """
    Grant a former balance as the opening lot of the organization's main wallet, once.

    A lot of the kind *adjustment*: it never expires, and says nothing of what was paid for it,
    which nobody knows any more. Tells whether it is new.

    :raises Unfit: if it was imported before with another balance, or for another organization.
    :raises WalletClosed: if the wallet is closed.
    """
    wallet = main_wallet(former.organization)
    account, is_new = FormerAccount.objects.get_or_create(
        former_id=former.former_id,
        defaults={
            "organization": former.organization,
            "wallet": wallet,
            "balance": former.credits,
        },
    )
    if (account.organization_id, account.balance) != (former.organization.pk, former.credits):
        problem = f"It was imported before, with {account.balance} credits."
        if account.organization_id != former.organization.pk:
            problem = f"It was imported before, for {account.organization}."
        fix = "Put the row as it was, and correct the wallet in the back office."
        raise Unfit("id", former.former_id, problem, fix)
    if not is_new:
        return False
    if former.credits:
        grant_credits(
            wallet=wallet,
            amount=former.credits,
            kind=Lot.Kind.ADJUSTMENT,
            reference=f"opening:{former.former_id}",
            source="import",
            source_id=former.former_id,
            description="Opening balance",
        )
    audit.record(
        action="credits.import_balance",
        organization=former.organization,
        object_id=account.public_id,
        after={"former_id": former.former_id, "credits": former.credits},
    )
    return True


@transaction.atomic
def import_histories(
    *,
    accounts: Mapping[str, FormerAccount],
    histories: Mapping[str, History],
    entries: Iterable[FormerEntry],
    difference_reason: str = "",
) -> None:
    """
    Write the former movements of accounts, by former id, and compare what is there then.

    All of them or none. Where movements do not add up to the balance, `difference_reason` says
    why; whoever calls has asked for it.

    :raises Unfit: if a row stands there twice, or another import of the same history was faster.
    """
    for batch in batched(entries, AT_ONCE):
        FormerMovement.objects.bulk_create(
            (_movement(accounts[entry.account], entry) for entry in batch), ignore_conflicts=True
        )
    for part in batched(accounts.values(), AT_ONCE):
        written = Written.of(part)
        for account in part:
            history = histories[account.former_id]
            if written.get(account.former_id) != Written(history.count, history.total):
                problem = f"Of its {history.count} rows some have the same id."
                fix = "Give each row of an account an id of its own."
                raise Unfit("id", account.former_id, problem, fix)
            _finish(account, history, difference_reason)


def _movement(account: FormerAccount, entry: FormerEntry) -> FormerMovement:
    return FormerMovement(
        organization_id=account.organization_id,
        account=account,
        former_id=entry.former_id,
        occurred_at=entry.occurred_at,
        kind=entry.kind,
        amount=entry.amount,
        balance_after=entry.balance_after,
        description=entry.description,
        stripe_payment_intent_id=entry.stripe_payment_intent_id,
    )


def _finish(account: FormerAccount, history: History, difference_reason: str) -> None:
    difference = account.balance - history.total
    reason = difference_reason if difference else ""
    fresh = FormerAccount.objects.filter(pk=account.pk, history_digest=None)
    if not fresh.update(
        history_digest=history.written_digest, difference=difference, difference_reason=reason
    ):
        problem = "Another import has just written its history."
        raise Unfit("account", account.former_id, problem, "Run this one again.")
    audit.record(
        action="credits.import_history",
        organization=account.organization,
        object_id=account.public_id,
        after={
            "former_id": account.former_id,
            "movements": history.count,
            "total": history.total,
            "difference": difference,
        },
        reason=reason,
    )
