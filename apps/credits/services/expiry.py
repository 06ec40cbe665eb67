"""Do what time has made due in wallets that nobody touches: lots expire, holds end."""

from dataclasses import dataclass

from django.db import connection, transaction

from apps.core import ids
from apps.core.clock import database_now
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Expire
from apps.credits.ledger.posting import post


@dataclass(frozen=True)
class Sweep:
    """What one sweep did; `has_more` says that another one is worth it."""

    wallets: int
    credits: int  # written off
    has_more: bool


@transaction.atomic
def sweep_expired_lots(*, limit: int = 200, dry_run: bool = False) -> Sweep:
    """
    Expire due lots and holds of up to `limit` wallets; safe from several workers at once.

    Lots that return are not written off, so they are no reason to look at a wallet.
    Wallets that someone else has locked are skipped: he expires what is due himself. Those of
    sandboxes are left out: time stands still there, and their heads may be months ahead, which
    would be the moment for the others of the batch.
    With `dry_run` nothing is written, and the credits are what would be written off.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wallet.id, (SELECT coalesce(sum(due.remaining), 0) FROM credits_lot due
                                WHERE due.wallet_id = wallet.id AND due.has_credits
                                  AND due.expires_at <= %(now)s AND due.returns_to_id IS NULL)
              FROM credits_wallet wallet
             WHERE wallet.id IN (SELECT wallet_id FROM credits_lot
                                  WHERE has_credits AND expires_at <= %(now)s
                                    AND returns_to_id IS NULL
                                  UNION
                                 SELECT wallet_id FROM credits_hold
                                  WHERE status = 'held' AND expires_at <= %(now)s)
               AND NOT EXISTS (SELECT FROM tenants_organization organization
                                WHERE organization.id = wallet.organization_id
                                  AND organization.clock_at IS NOT NULL)
             ORDER BY wallet.id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
            """,
            {"now": database_now(), "limit": limit},
        )
        due = cursor.fetchall()
    has_more = len(due) == limit
    if dry_run or not due:
        return Sweep(len(due), sum(int(amount) for _, amount in due), has_more)
    outcomes = post(
        [
            Expire(wallet_id=wallet_id, reference=f"sweep:{ids.new_id()}", source="expiry")
            for wallet_id, _ in due
        ]
    )
    # Of what was due when we looked, another sweep may have written off some meanwhile.
    done = [one for one in outcomes if isinstance(one, Outcome) and one.entries]
    expired = (one for outcome in done for one in outcome.entries)
    written_off = -sum(one.amount for one in expired if one.transaction_type == "expired")
    return Sweep(len(done), written_off, has_more)
