"""Limit what a wallet spends in a month."""

from zoneinfo import available_timezones

from django.db import connection, transaction

from apps.core.clock import database_now
from apps.core.errors import NotFound
from apps.credits.errors import BudgetExists, InvalidTerms
from apps.credits.models import Budget, Wallet
from apps.tenants.services.audit import record

LARGEST_LIMIT = 10**15  # credits
# Once, when counting begins: whoever moves credits afterwards waits for the wallet's lock.
RECOUNT = """
    INSERT INTO credits_budgetmonth (budget_id, month, used)
    SELECT budget.id, wanted.month,
           coalesce((SELECT -sum(entry.amount)
              FROM credits_credittransaction entry
              LEFT JOIN credits_credittransaction taken ON taken.id = entry.reverses_id
             WHERE entry.wallet_id = budget.wallet_id
               AND entry.transaction_type IN ('consumed', 'held', 'released', 'refunded')
               AND date_trunc('month', coalesce(taken.created_at, entry.created_at)
                                       AT TIME ZONE budget.time_zone)::date = wanted.month), 0)
      FROM credits_budget budget
     CROSS JOIN LATERAL (
           SELECT date_trunc('month', %s::timestamptz AT TIME ZONE budget.time_zone)::date AS month
            UNION
           SELECT month FROM credits_budgetmonth WHERE budget_id = budget.id) AS wanted
     WHERE budget.id = %s
        ON CONFLICT (budget_id, month) DO UPDATE SET used = excluded.used
"""


@transaction.atomic
def create_budget(*, wallet: Wallet, monthly_limit: int, time_zone: str = "UTC") -> Budget:
    """
    Refuse, from now on, what would bring a month of the wallet above `monthly_limit`.

    What was used in the current month counts already. Months begin at midnight in
    `time_zone`, for as long as the budget lives.

    :raises BudgetExists: if the wallet has an active budget.
    :raises InvalidTerms: if the limit is below 0, or beyond all reason, or there is no such zone.
    """
    wallet = _lock(wallet)
    _check(monthly_limit)
    if time_zone not in available_timezones():
        raise InvalidTerms(field="time_zone", must="be the name of an IANA time zone")
    _check_alone(wallet)
    budget = Budget.objects.create(
        organization=wallet.organization,
        wallet=wallet,
        monthly_limit=monthly_limit,
        time_zone=time_zone,
    )
    _count(budget, wallet)
    _record(budget, "created", {}, _terms(budget))
    return budget


@transaction.atomic
def change_budget(
    *, budget: Budget, monthly_limit: int | None = None, is_active: bool | None = None
) -> Budget:
    """
    Change the limit, or pause and resume; what is None stays.

    A paused budget refuses nothing and counts nothing. Resumed, it counts again what was
    used in its months and in the current one.

    :raises NotFound: if the budget is gone.
    :raises BudgetExists: if it is resumed, and the wallet has another active one.
    :raises InvalidTerms: if the limit is below 0, or beyond all reason.
    """
    wallet = _lock(budget.wallet)
    found = Budget.objects.select_related("organization").filter(pk=budget.pk).first()
    if found is None:
        raise NotFound
    before = _terms(found)
    is_resumed = bool(is_active) and not found.is_active
    if monthly_limit is not None:
        _check(monthly_limit)
        found.monthly_limit = monthly_limit
    if is_resumed:
        _check_alone(wallet)
    if is_active is not None:
        found.is_active = is_active
    found.save(update_fields=["monthly_limit", "is_active"])
    if is_resumed:
        _count(found, wallet)
    if before != _terms(found):
        _record(found, "changed", before, _terms(found))
    return found


def _lock(wallet: Wallet) -> Wallet:
    """Lock the wallet, so that nothing moves between the count and the first that is counted."""
    return Wallet.objects.select_for_update(no_key=True).get(pk=wallet.pk)


def _check(monthly_limit: int) -> None:
    if type(monthly_limit) is not int or not 0 <= monthly_limit <= LARGEST_LIMIT:
        raise InvalidTerms(field="monthly_limit", must=f"be from 0 to {LARGEST_LIMIT}")


def _check_alone(wallet: Wallet) -> None:
    if Budget.objects.filter(wallet=wallet, is_active=True).exists():
        raise BudgetExists


def _count(budget: Budget, wallet: Wallet) -> None:
    """Count the month of the next movement; the ledger's time never steps back behind the head."""
    now = max(filter(None, [database_now(), wallet.head_at]))
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT, [now, budget.pk])


def _record(budget: Budget, verb: str, before: dict[str, object], after: dict[str, object]) -> None:
    record(
        action=f"budget.{verb}",
        organization=budget.organization,
        object_id=budget.public_id,
        before=before,
        after=after,
    )


def _terms(budget: Budget) -> dict[str, object]:
    return {"monthly_limit": budget.monthly_limit, "is_active": budget.is_active}
