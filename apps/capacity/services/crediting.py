"""
Post what was shared of a reading as credits: one lot for each organization.

Batch by batch, each in one transaction with what it writes of the shares, so that a share says
that it is posted exactly when the ledger has it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import QuerySet, Sum

from apps.capacity.models import GenerationReading, GenerationShare, Project
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.core.errors import DomainError
from apps.credits.models import Lot, Wallet
from apps.credits.services.clawbacks import ClawBackRequest, claw_back_unspent
from apps.credits.services.grants import GrantRequest, grant_many
from apps.credits.services.wallets import lock_wallets
from apps.tenants.services import audit

logger = structlog.get_logger(__name__)
AT_ONCE = 500  # organizations in one transaction
SOURCE = "generation"

Credits = dict[UUID, int]  # of each organization

# Where less could be taken back than the shares say: they say what was, the first ones first.
# What is left then counts against what these allocations earn next.
LOWER = """
    UPDATE capacity_generationshare AS share
       SET credits = -least(-share.credits, greatest(0, due.there - due.before))
      FROM (SELECT share.id, told.taken + gained.credits AS there,
                   coalesce(sum(-share.credits) OVER (
                       PARTITION BY share.organization_id ORDER BY share.id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
              FROM unnest(%(organizations)s::uuid[], %(taken)s::bigint[])
                   AS told (organization_id, taken)
              JOIN capacity_generationshare share USING (organization_id)
             CROSS JOIN LATERAL (
                   SELECT coalesce(sum(other.credits), 0) AS credits
                     FROM capacity_generationshare other
                    WHERE other.reading_id = share.reading_id AND other.credits > 0
                      AND other.organization_id = share.organization_id) gained
             WHERE share.reading_id = %(reading)s AND share.credits < 0) due
     WHERE share.id = due.id
"""


def reference_of(reading: GenerationReading) -> str:
    """Return the cause under which a reading is posted, in every wallet."""
    return f"{SOURCE}:{reading.public_id}"


def next_true_up(project: Project, now: datetime) -> datetime | None:
    """Return when unused credits of its generation end; None: never."""
    if project.true_up_month is None:
        return None
    this_year = datetime(now.year, project.true_up_month, 1, tzinfo=UTC)
    return this_year if this_year > now else this_year.replace(year=now.year + 1)


@inside_transaction
def post_batch(reading: GenerationReading) -> None:
    """
    Post the shares of some organizations, and note when it were the last ones.

    Where the ledger refuses, such as for a closed wallet, nothing is posted, and what was due
    counts in the allocation's next share. A correction takes back only what is unspent of the
    credits of the readings that it corrects, and the rest counts against the next shares.
    """
    now = workers_now()
    waiting = GenerationShare.objects.filter(reading=reading, posted_at=None)
    sums = waiting.order_by("organization_id").values_list("organization_id")
    due: Credits = dict(sums.annotate(Sum("credits"))[: AT_ONCE + 1])
    batch = dict(list(due.items())[:AT_ONCE])
    _settle(reading, batch, now)
    waiting.filter(organization__in=batch).update(posted_at=now, reference=reference_of(reading))
    if len(due) <= AT_ONCE:
        _finish(reading, now)


def _settle(reading: GenerationReading, due: Credits, now: datetime) -> None:
    """Grant what is due, take back what is below zero, and let shares say what was done."""
    main = Wallet.objects.filter(organization__in=due, kind=Wallet.Kind.ORGANIZATION)
    wallets = dict(main.values_list("organization_id", "id"))
    lock_wallets(wallets.values())  # what is granted and what is taken are several postings
    refused = _grant(reading, {one: n for one, n in due.items() if n > 0}, wallets, now)
    GenerationShare.objects.filter(reading=reading, organization__in=refused).update(credits=0)
    too_much = {one: -n for one, n in due.items() if n < 0}
    taken = _take_back(reading, too_much, wallets)
    short = {one: taken[one] for one in too_much if taken[one] < too_much[one]}
    if short:
        with connection.cursor() as cursor:
            cursor.execute(
                LOWER,
                {
                    "reading": reading.pk,
                    "organizations": list(short),
                    "taken": list(short.values()),
                },
            )


def _grant(
    reading: GenerationReading, due: Credits, wallets: Mapping[UUID, UUID], now: datetime
) -> list[UUID]:
    """Grant a lot to each, until the project's true-up; return whose the ledger refused."""
    expires_at = next_true_up(reading.project, now)
    requests = [
        GrantRequest(
            wallet_id=wallets[organization_id],
            amount=amount,
            kind=Lot.Kind.GENERATION,
            reference=reference_of(reading),
            source_id=reading.public_id,
            description=_described(reading),
            expires_at=expires_at,
        )
        for organization_id, amount in due.items()
    ]
    outcomes = zip(due, grant_many(requests=requests, source=SOURCE), strict=True)
    refused = {one: answer.code for one, answer in outcomes if isinstance(answer, DomainError)}
    if refused:
        whose = {str(one): code for one, code in refused.items()}
        logger.warning("generation_not_granted", reading=reading.public_id, refused=whose)
    return list(refused)


def _take_back(reading: GenerationReading, due: Credits, wallets: Mapping[UUID, UUID]) -> Credits:
    """Take at most so much out of the lots of what is corrected, the newest first."""
    taken: Credits = dict.fromkeys(due, 0)
    former = reading.correction_of
    while former is not None and taken != due:
        lots = Lot.objects.filter(
            wallet__in=[wallets[one] for one in due if taken[one] < due[one]],
            origin=reference_of(former),
        )
        found = dict(lots.values_list("organization_id", "id"))
        requests = [
            ClawBackRequest(
                wallet_id=wallets[one],
                lot_id=lot_id,
                amount=due[one] - taken[one],
                reference=f"{reference_of(reading)}:{former.public_id}",
                source_id=reading.public_id,
                description=_described(reading),
            )
            for one, lot_id in found.items()
        ]
        back = claw_back_unspent(requests=requests, source=SOURCE)
        for one, amount in zip(found, back, strict=True):
            taken[one] += amount
        former = former.correction_of
    return taken


def _described(reading: GenerationReading) -> str:
    what = "Correction of generation" if reading.correction_of_id else "Generation"
    return f"{what}: {reading.project.name}, {reading.starts_on} to {reading.ends_on}"


def _finish(reading: GenerationReading, now: datetime) -> None:
    reading.posted_at = now
    reading.save(update_fields=["posted_at"])
    shares: QuerySet[GenerationShare] = GenerationShare.objects.filter(reading=reading)
    audit.record(
        action="capacity.generation_posted",
        object_id=reading.public_id,
        after={
            "project": reading.project.code,
            "shares": shares.count(),
            "banked_wh": reading.banked_wh,
            "credits": shares.aggregate(sum=Sum("credits", default=0))["sum"],
        },
    )
