"""What time has made due in programmes: credits that were not used go by the terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from uuid import UUID

import structlog
from django.db import connection, transaction

from apps.core import scope
from apps.core.clock import database_now
from apps.credits.models import Lot
from apps.partners import selectors
from apps.partners.models import Partner, PartnerCredit, PartnerMember
from apps.partners.services.settling import take_back

logger = structlog.get_logger(__name__)

# For so long after an award was taken back, what comes back to it of a job that failed goes by the
# terms at the next sweep. Later than that it goes when its lot ends.
LOOKED_AT = timedelta(days=7)

# Awards past their date; those of which a lot that returns is past its own; and those to which
# credits came back after they were taken back. Of one sandbox, or of all that are none. Programmes
# take turns, so that one that has more than a sweep takes, and is refused, leaves the others room.
DUE = """
    WITH held AS NOT MATERIALIZED (
        SELECT lot.wallet_id, lot.expires_at, lot.returns_to_id, lot.has_credits,
               regexp_replace(coalesce(first.origin, lot.origin), ':[^:]*$', '') AS reference
          FROM credits_lot lot
          LEFT JOIN credits_lot first ON first.id = lot.heir_of_id
         WHERE lot.has_credits AND lot.remaining > 0)
    SELECT award.partner_id, award.id
      FROM (SELECT id FROM partners_partnercredit
             WHERE settled_at IS NULL AND expires_at <= %(now)s
             UNION
            SELECT award.id FROM held
              JOIN partners_partnercredit award ON award.reference = held.reference
             WHERE held.returns_to_id IS NOT NULL AND held.expires_at <= %(now)s
             UNION
            SELECT award.id FROM partners_partnercredit award
              JOIN partners_partnermember member ON member.id = award.member_id
              JOIN held ON held.wallet_id = member.wallet_id AND held.reference = award.reference
             WHERE award.settled_at > %(settled_after)s
               AND (award.revoked_at IS NOT NULL OR member.status = 'left')) due
      JOIN partners_partnercredit award ON award.id = due.id
      JOIN tenants_organization organization ON organization.id = award.organization_id
     WHERE CASE WHEN %(sandbox)s::uuid IS NULL THEN organization.clock_at IS NULL
                ELSE organization.id = %(sandbox)s END
     ORDER BY row_number() OVER (PARTITION BY award.partner_id ORDER BY award.id),
              award.partner_id
     LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Settled:
    """What one sweep did; `has_more` says that another one is worth it."""

    awards: int
    credits: int  # that returned
    has_more: bool


def settle_due(*, limit: int = 500) -> Settled:
    """
    Let what is due of up to `limit` awards go by its terms; safe from several workers at once.

    Programmes that someone else has locked are skipped until the next sweep, and so is one on
    which it breaks: no other waits for it. In a sandbox it is done by its own time.
    """
    sandboxes = Partner.objects.filter(organization__clock_at__isnull=False)
    sweeps = [_sweep(limit, None)]
    for organization_id, clock_at in sandboxes.values_list(
        "organization", "organization__clock_at"
    ):
        with scope.within(organization_id, clock_at):
            sweeps.append(_sweep(limit, organization_id))
    return Settled(
        awards=sum(one.awards for one in sweeps),
        credits=sum(one.credits for one in sweeps),
        has_more=any(one.has_more for one in sweeps),
    )


def _sweep(limit: int, sandbox: UUID | None) -> Settled:
    due = sorted(_due(database_now(), limit, sandbox))
    done = [
        _settle_alone(partner_id, [award_id for _, award_id in rows])
        for partner_id, rows in groupby(due, key=itemgetter(0))
    ]
    awards = sum(count for count, _ in done)
    return Settled(awards, sum(credits for _, credits in done), len(due) == limit and awards > 0)


def _due(now: datetime, limit: int, sandbox: UUID | None) -> list[tuple[UUID, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute(
            DUE, {"now": now, "settled_after": now - LOOKED_AT, "sandbox": sandbox, "limit": limit}
        )
        return [(partner_id, award_id) for partner_id, award_id in cursor.fetchall()]


def _settle_alone(partner_id: UUID, award_ids: Sequence[UUID]) -> tuple[int, int]:
    """Settle awards of one programme; if that fails, log it, and keep nothing of it."""
    try:
        return _settle(partner_id, award_ids)
    except Exception:  # whatever one programme breaks on, the others are not to wait for it
        logger.exception("awards_not_settled", partner_id=str(partner_id))
        return 0, 0


@transaction.atomic
def _settle(partner_id: UUID, award_ids: Sequence[UUID]) -> tuple[int, int]:
    """Settle awards of one programme; return how many, and how many credits were taken back."""
    rows = Partner.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    partner = rows.select_related("organization").filter(pk=partner_id).first()
    if partner is None:
        return 0, 0
    now = database_now()
    awards = list(PartnerCredit.objects.select_related("member").filter(pk__in=award_ids))
    lots = selectors.open_lots_of(awards)
    due = {
        award.id: [lot for lot in lots[award.id] if _is_due(award, lot, now)] for award in awards
    }
    taken = take_back(partner, awards, due, "expiry")
    over = [award.id for award in awards if award.settled_at is None and award.expires_at <= now]
    PartnerCredit.objects.filter(pk__in=over).update(settled_at=now)
    return len(awards), sum(taken.values())


def _is_due(award: PartnerCredit, lot: Lot, now: datetime) -> bool:
    """Tell whether what is in a lot goes: it is past its date, or the award was taken back."""
    has_left = award.member.status == PartnerMember.Status.LEFT and award.settled_at is not None
    is_over = lot.expires_at is not None and lot.expires_at <= now
    return is_over or has_left or award.revoked_at is not None
