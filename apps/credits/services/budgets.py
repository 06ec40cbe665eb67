"""Limit what is used of a wallet in a month, by everybody or by one member."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.errors import NotFound
from apps.credits.errors import BudgetExists, InvalidTerms
from apps.credits.models import Budget, Wallet
from apps.credits.models.budgets import THRESHOLDS
from apps.rbac.selectors import members_of
from apps.tenants.models import Organization, User
from apps.tenants.services.audit import record

LARGEST_LIMIT = 10**15  # credits
MOST_THRESHOLDS = 10
TERMS = ("monthly_limit", "action", "thresholds", "is_active")
# Once, when counting begins: whoever moves credits afterwards waits for the wallet's lock.
# What comes back is later than what it gives back, so nothing before a month is of it.
RECOUNT = """
    INSERT INTO credits_budgetmonth (budget_id, organization_id, month, used, monthly_limit)
    WITH budget AS (SELECT * FROM credits_budget WHERE id = %s),
         wanted AS (
           SELECT date_trunc('month', %s::timestamptz AT TIME ZONE budget.time_zone)::date AS month
             FROM budget
            UNION
           SELECT counter.month FROM credits_budgetmonth counter JOIN budget
               ON counter.budget_id = budget.id),
         counted AS (
           SELECT date_trunc('month', coalesce(taken.created_at, entry.created_at)
                                      AT TIME ZONE budget.time_zone)::date AS month,
                  -sum(entry.amount) AS used
             FROM budget
             JOIN credits_credittransaction entry ON entry.wallet_id = budget.wallet_id
             LEFT JOIN credits_credittransaction taken ON taken.id = entry.reverses_id
            WHERE entry.created_at >= (SELECT min(month) FROM wanted)::timestamp
                                      AT TIME ZONE budget.time_zone
              AND entry.transaction_type IN ('consumed', 'held', 'released', 'refunded')
              AND (budget.member_id IS NULL OR budget.member_id
                   = credits_member_of(coalesce(taken.actor, entry.actor)))
            GROUP BY 1)
    SELECT budget.id, budget.organization_id, wanted.month, coalesce(counted.used, 0),
           budget.monthly_limit
      FROM budget CROSS JOIN wanted LEFT JOIN counted USING (month)
        ON CONFLICT (budget_id, month) DO UPDATE SET used = excluded.used
"""
# A month that is over keeps the limit that it had.
NEW_LIMIT = """
    UPDATE credits_budgetmonth AS counter SET monthly_limit = budget.monthly_limit
      FROM credits_budget budget
     WHERE budget.id = %s AND counter.budget_id = budget.id AND counter.month
           = date_trunc('month', %s::timestamptz AT TIME ZONE budget.time_zone)::date
"""


@transaction.atomic
def create_budget(
    *,
    wallet: Wallet,
    monthly_limit: int,
    member: User | None = None,
    action: str = Budget.Action.STOP,
    thresholds: Sequence[int] = THRESHOLDS,
) -> Budget:
    """
    Limit what is used of a wallet each month from now on, by everybody or by one member.

    What was used in the current month counts already. `thresholds` are percentages of the
    limit; those who manage billing are told of each when it is reached.

    :raises BudgetExists: if the wallet has an active budget for the same.
    :raises InvalidTerms: naming the field that cannot be so.
    """
    terms = {"monthly_limit": monthly_limit, "action": action, "thresholds": thresholds}
    checked = _checked(terms)
    wallet = _lock(wallet)
    if member is not None and not members_of(wallet.organization).filter(pk=member.pk).exists():
        raise InvalidTerms(field="member", must="be a member of the organization")
    _check_alone(wallet, member)
    budget = Budget.objects.create(
        organization=wallet.organization,
        wallet=wallet,
        member=member,
        time_zone=wallet.organization.time_zone,
        **checked,
    )
    _count(budget, wallet)
    _mark(wallet)
    whose = {"member": member.public_id if member else None}
    _record(budget, "create", None, {**whose, **_terms(budget)})
    return budget


@transaction.atomic
def change_budget(*, budget: Budget, **changes: Any) -> Budget:
    """
    Change limit, action or thresholds, or switch off and on; what is not named stays.

    `changes` are of TERMS. Switched off, a budget refuses nothing and counts nothing.
    Switched on again, it counts again what was used in its months and in the current one.

    :raises NotFound: if the budget is gone.
    :raises BudgetExists: if it is switched on, and the wallet has another active one.
    :raises InvalidTerms: naming the field that cannot be so.
    """
    assert changes.keys() <= set(TERMS), f"no terms of a budget: {changes.keys() - set(TERMS)}"
    checked = _checked(changes)
    wallet = _lock(budget.wallet)
    found = Budget.objects.select_related("organization", "member").filter(pk=budget.pk).first()
    if found is None:
        raise NotFound
    before = _terms(found)
    is_resumed = bool(checked.get("is_active")) and not found.is_active
    if is_resumed:
        _check_alone(wallet, found.member)
        found.time_zone = wallet.organization.time_zone
    for name, value in checked.items():
        setattr(found, name, value)
    if before == _terms(found):
        return found
    found.save(update_fields=[*checked, "time_zone"])
    if is_resumed:
        _count(found, wallet)
    _mark(wallet)
    with connection.cursor() as cursor:
        cursor.execute(NEW_LIMIT, [found.pk, _moment(wallet)])
    _record(found, "update", before, _terms(found))
    return found


@inside_transaction
def follow_time_zone(*, organization: Organization) -> None:
    """Let the months of an organization's budgets begin where its own do, and count them again."""
    for found in Wallet.objects.filter(organization=organization).order_by("id"):
        wallet = _lock(found)
        # Those that are switched off follow when they are switched on.
        for budget in Budget.objects.filter(wallet=wallet, is_active=True):
            budget.time_zone = wallet.organization.time_zone
            budget.save(update_fields=["time_zone"])
            _count(budget, wallet)


def _lock(wallet: Wallet) -> Wallet:
    """Lock the wallet, so that nothing moves between the count and the first that is counted."""
    locked = Wallet.objects.select_for_update(no_key=True).get(pk=wallet.pk)
    locked.organization.refresh_from_db(fields=["time_zone"])  # as it is under the lock
    return locked


def _checked(terms: dict[str, Any]) -> dict[str, Any]:
    """Return the terms as they are kept, thresholds from the lowest on."""
    if "monthly_limit" in terms:
        limit = terms["monthly_limit"]
        if type(limit) is not int or not 0 <= limit <= LARGEST_LIMIT:
            raise InvalidTerms(field="monthly_limit", must=f"be from 0 to {LARGEST_LIMIT}")
    if "action" in terms and terms["action"] not in Budget.Action.values:
        raise InvalidTerms(field="action", must=f"be one of {', '.join(Budget.Action.values)}")
    if "thresholds" not in terms:
        return terms
    thresholds = sorted(set(terms["thresholds"]))
    if len(thresholds) > MOST_THRESHOLDS or not all(0 < one <= 100 for one in thresholds):
        must = f"be up to {MOST_THRESHOLDS} whole percentages from 1 to 100"
        raise InvalidTerms(field="thresholds", must=must)
    return {**terms, "thresholds": thresholds}


def _check_alone(wallet: Wallet, member: User | None) -> None:
    if Budget.objects.filter(wallet=wallet, member=member, is_active=True).exists():
        raise BudgetExists


def _mark(wallet: Wallet) -> None:
    """Let the ledger know whether it has to look for budgets of this wallet."""
    wallet.has_budget = Budget.objects.filter(wallet=wallet, is_active=True).exists()
    wallet.save(update_fields=["has_budget"])


def _count(budget: Budget, wallet: Wallet) -> None:
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT, [budget.pk, _moment(wallet)])


def _moment(wallet: Wallet) -> Any:
    """Return the time of the next movement; the ledger's never steps back behind the head."""
    return max(filter(None, [database_now(), wallet.head_at]))


def _record(budget: Budget, verb: str, before: Any, after: dict[str, Any]) -> None:
    record(
        action=f"budget.{verb}",
        organization=budget.organization,
        object_id=budget.public_id,
        before=before,
        after=after,
    )


def _terms(budget: Budget) -> dict[str, Any]:
    return {name: getattr(budget, name) for name in TERMS}
