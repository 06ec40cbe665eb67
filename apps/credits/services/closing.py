"""
Close months: first the seal, which is quick, then the sums, which nothing can disturb.

The seal waits until every transaction in flight is committed and keeps new ones waiting
only while it is written. From then on the database refuses rows older than the month's
end, so the sums may take as long as they like, and may be made again if they break off.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from apps.core import context
from apps.core.clock import database_now
from apps.core.db import inside_transaction, lock_timeout
from apps.core.periods import utc_midnight
from apps.credits.errors import MonthIsNotOver, MonthOutOfOrder, NothingToClose
from apps.credits.models import ClosedPeriod, ClosedTotals
from apps.credits.selectors import closing
from apps.credits.selectors.liability import Money, breakage, liability
from apps.tenants.services import audit

LOCK_SECONDS = 5
SUM_WALLETS = """
    WITH entry AS NOT MATERIALIZED (
        SELECT * FROM credits_credittransaction
         WHERE created_at >= %(starts_at)s AND created_at < %(ends_at)s),
    by_type AS (
        SELECT wallet_id, transaction_type, sum(amount)::bigint AS amount,
               coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS credits_in,
               coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credits_out
          FROM entry GROUP BY wallet_id, transaction_type),
    moved AS (
        SELECT wallet_id, jsonb_object_agg(transaction_type, amount) AS totals,
               sum(credits_in)::bigint AS credits_in, sum(credits_out)::bigint AS credits_out
          FROM by_type GROUP BY wallet_id),
    last AS (
        SELECT DISTINCT ON (wallet_id) wallet_id, sequence, balance_after, entry_hash
          FROM entry ORDER BY wallet_id, sequence DESC),
    before AS (
        SELECT line.* FROM credits_closedwallet line
          JOIN credits_closedperiod period ON period.id = line.period_id
         WHERE period.ends_at = %(starts_at)s)
    INSERT INTO credits_closedwallet
           (period_id, organization_id, wallet_id, opening, credits_in, credits_out, closing,
            totals, sequence, head_hash)
    SELECT %(period)s, wallet.organization_id, wallet.id, coalesce(before.closing, 0),
           coalesce(moved.credits_in, 0), coalesce(moved.credits_out, 0),
           coalesce(last.balance_after, before.closing), coalesce(moved.totals, '{}'),
           coalesce(last.sequence, before.sequence), coalesce(last.entry_hash, before.head_hash)
      FROM credits_wallet wallet
      LEFT JOIN before ON before.wallet_id = wallet.id
      LEFT JOIN moved ON moved.wallet_id = wallet.id
      LEFT JOIN last ON last.wallet_id = wallet.id
     WHERE before.wallet_id IS NOT NULL OR last.wallet_id IS NOT NULL
"""
SUM_ALL = """
    SELECT count(*), coalesce(sum(opening), 0)::bigint, coalesce(sum(credits_in), 0)::bigint,
           coalesce(sum(credits_out), 0)::bigint, coalesce(sum(closing), 0)::bigint,
           (SELECT coalesce(jsonb_object_agg(type, amount), '{}')::text
              FROM (SELECT each.key AS type, sum(each.value::bigint)::bigint AS amount
                      FROM credits_closedwallet line, jsonb_each_text(line.totals) each
                     WHERE line.period_id = %(period)s GROUP BY each.key) by_type)
      FROM credits_closedwallet WHERE period_id = %(period)s
"""


def close_due_months() -> list[ClosedPeriod]:
    """Close every month that is over, in order, and finish what was left unfinished."""
    for period in closing.unsummed_periods():
        sum_month(period=period)
    closed = []
    while (due := closing.next_period_to_close()) and due.ends_at + closing.GRACE <= database_now():
        closed.append(close_month(month=due.first_day))
    return closed


def close_month(*, month: date) -> ClosedPeriod:
    """
    Close the month that begins with this day; one that is closed is returned as it is.

    :raises MonthIsNotOver: if it ended less than an hour ago, or has not ended.
    :raises MonthOutOfOrder: if another one has to be closed first.
    :raises NothingToClose: if there is no transaction at all.
    :raises Busy: if transactions in flight did not end in time; nothing was done.
    """
    period = seal_month(month=month)
    sum_month(period=period)
    return period


@transaction.atomic
def seal_month(*, month: date) -> ClosedPeriod:
    """
    Let nothing be written into the month any more; one that is sealed is returned as it is.

    :raises MonthIsNotOver: if it ended less than an hour ago, or has not ended.
    :raises MonthOutOfOrder: if another one has to be closed first.
    :raises NothingToClose: if there is no transaction at all.
    :raises Busy: if transactions in flight did not end in time; nothing was done.
    """
    wait_for_writers()
    if sealed := closing.period_of(month):
        return sealed
    due = closing.next_period_to_close()
    if due is None:
        raise NothingToClose
    if month != due.first_day:
        raise MonthOutOfOrder(month=f"{month:%Y-%m}", next_month=f"{due.first_day:%Y-%m}")
    closable_at = due.ends_at + closing.GRACE
    if closable_at > database_now():
        raise MonthIsNotOver(month=f"{month:%Y-%m}", closable_at=closable_at.isoformat())
    period = ClosedPeriod.objects.create(
        month=month,
        starts_at=utc_midnight(month),
        ends_at=due.ends_at,
        closed_by=context.current().actor,
    )
    audit.record(
        action="credits.close_month", object_id=period.public_id, after={"month": f"{month:%Y-%m}"}
    )
    return period


@inside_transaction
def wait_for_writers() -> None:
    """
    Wait for every INSERT that has begun, so that the sums will see what it wrote.

    Two who close at once wait for each other as well.

    :raises Busy: if some did not end in time.
    """
    with lock_timeout(LOCK_SECONDS), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE credits_credittransaction IN SHARE ROW EXCLUSIVE MODE")


@transaction.atomic
def sum_month(*, period: ClosedPeriod) -> ClosedTotals:
    """Write what a sealed month held, once: a line for each wallet, and the totals."""
    ClosedPeriod.objects.select_for_update(no_key=True).get(pk=period.pk)
    if done := ClosedTotals.objects.filter(period=period).first():
        return done
    span: dict[str, UUID | datetime] = {
        "period": period.id,
        "starts_at": period.starts_at,
        "ends_at": period.ends_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(SUM_WALLETS, span)
        cursor.execute(SUM_ALL, span)
        wallets, opening, credits_in, credits_out, closing_balance, totals = cursor.fetchone()
    expired = breakage(since=period.starts_at, until=period.ends_at)
    return ClosedTotals.objects.create(
        period=period,
        wallets=wallets,
        opening=opening,
        credits_in=credits_in,
        credits_out=credits_out,
        closing=closing_balance,
        totals=json.loads(totals),
        deferred_revenue=_exact(liability(as_of=period.ends_at).deferred_revenue),
        breakage_credits=sum(month.credits for month in expired),
        breakage_value=_exact(money for month in expired for money in month.value),
    )


def _exact(amounts: Iterable[Money]) -> dict[str, str]:
    """Write money as JSON keeps it: exact, as text, one for each currency."""
    return {money.currency: str(money.exact) for money in amounts}
