"""
Divide what a project generated between those whose blocks it was, and have it posted.

By kW and days: each watt of the project's capacity has the same part in each day of the
period, and what is nobody's goes to the host bank (`banked_wh`). One worker at a time works
on a project, and finishes one reading before it begins another: what an allocation earned and
got before is then known when its next share is worked out. docs/guides/capacity.md
"""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F, Q

from apps.capacity.models import GenerationReading
from apps.capacity.services import crediting
from apps.core.clock import workers_now
from apps.core.db import inside_transaction

logger = structlog.get_logger(__name__)
LOCK = 0x67656E  # first key of the advisory lock; the second is the project

# Weights are watt-days. Wh and thousandths of a percent are divided alike: each gets the whole
# part of what is due to it, and what is left over goes, one by one, to those with the largest
# remainders, the first id first, the bank last. So both add up, to the unit.
DIVIDE = """
    WITH rate AS (
        SELECT effective_from AS begins, credits_per_kwh,
               coalesce(lead(effective_from) OVER (ORDER BY effective_from), 'infinity') AS ends
          FROM capacity_projectrate WHERE project_id = %(project)s),
    part AS MATERIALIZED (
        SELECT allocation.id, allocation.organization_id,
               allocation.capacity_kw * 1000 * (days.ends - days.begins) AS weight,
               days.ends - days.begins AS days,
               (SELECT coalesce(sum(rate.credits_per_kwh * (least(rate.ends, days.ends)
                                                   - greatest(rate.begins, days.begins))), 0)
                  FROM rate WHERE rate.begins < days.ends AND rate.ends > days.begins) AS pays
          FROM capacity_capacityblock block
          JOIN capacity_allocation allocation ON allocation.block_id = block.id
          JOIN tenants_organization organization
            ON organization.id = allocation.organization_id AND organization.closed_at IS NULL
         CROSS JOIN LATERAL (
               SELECT greatest(allocation.effective_from, %(starts_on)s::date) AS begins,
                      least(coalesce(allocation.effective_to, 'infinity'),
                            %(until)s::date) AS ends) days
         WHERE block.project_id = %(project)s AND days.begins < days.ends),
    -- The capacity may have been lowered since: then the bank has nothing.
    whole AS (
        SELECT greatest(%(watt_days)s::numeric, coalesce(sum(weight), 0)) AS weight,
               coalesce(sum(weight), 0) AS taken FROM part),
    due AS (
        SELECT each.*, div(%(energy)s * each.weight, whole.weight) AS wh,
               mod(%(energy)s * each.weight, whole.weight) AS wh_rest,
               div(100000 * each.weight, whole.weight) AS mills,
               mod(100000 * each.weight, whole.weight) AS mills_rest
          FROM (SELECT id, organization_id, weight, days, pays FROM part UNION ALL
                SELECT NULL, NULL, weight - taken, 1, 0 FROM whole) each CROSS JOIN whole),
    shared AS (
        SELECT id, organization_id, days, pays,
               wh + (row_number() OVER (ORDER BY wh_rest DESC, id NULLS LAST)
                     <= %(energy)s - sum(wh) OVER ())::int AS wh,
               mills + (row_number() OVER (ORDER BY mills_rest DESC, id NULLS LAST)
                        <= 100000 - sum(mills) OVER ())::int AS mills
          FROM due),
    former AS (  -- what each allocation earned until now, beyond what it got
        SELECT share.allocation_id,
               sum(CASE WHEN correction.id IS NULL THEN share.earned ELSE 0 END
                   - share.credits) AS left_over
          FROM capacity_generationreading reading
          JOIN capacity_generationshare share ON share.reading_id = reading.id
          LEFT JOIN capacity_generationreading correction
            ON correction.correction_of_id = reading.id
           AND (correction.shared_at IS NOT NULL OR correction.id = %(reading)s)
         WHERE reading.project_id = %(project)s
         GROUP BY share.allocation_id),
    put AS (
        INSERT INTO capacity_generationshare
               (id, organization_id, reading_id, allocation_id, percent, energy_wh, earned,
                credits, reference)
        SELECT gen_random_uuid(), organization_id, %(reading)s, id, mills * 0.001, wh,
               earned, floor(earned + coalesce(left_over, 0)), ''
          FROM (SELECT shared.*,  -- to a billionth, in whole numbers: no division may round
                       div(wh * pays * 1000000, days) * 0.000000001 AS earned
                  FROM shared WHERE id IS NOT NULL) paid
          LEFT JOIN former ON former.allocation_id = paid.id
        RETURNING energy_wh, percent)
    UPDATE capacity_generationreading
       SET banked_wh = energy_wh - (SELECT coalesce(sum(energy_wh), 0) FROM put),
           banked_percent = 100 - (SELECT coalesce(sum(percent), 0) FROM put),
           shared_at = %(now)s
     WHERE id = %(reading)s
"""


def share_due() -> int:
    """
    Divide and post all that was read; return how many readings were finished. Repeatable.

    A project at which something breaks is left where it is until the next sweep, and no other
    waits for it.
    """
    due = GenerationReading.objects.filter(posted_at=None).order_by("project_id")
    projects = due.values_list("project_id", flat=True).distinct()
    return sum(_share_all(project_id) for project_id in list(projects))


def _share_all(project_id: UUID) -> int:
    finished = 0
    try:
        while (worked_on := take_step(project_id)) is not None:
            finished += worked_on.posted_at is not None
    except Exception:  # whatever one project breaks on, the others are not to wait for it
        logger.exception("generation_not_shared", project_id=str(project_id))
    return finished


@transaction.atomic
def take_step(project_id: UUID) -> GenerationReading | None:
    """
    Divide the next reading of a project, or post a batch of it, and return it as it is then.

    None if there is nothing to do, or another worker is at it. Each step is a transaction: who
    dies in one has done nothing of it, and the next worker goes on where he was.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [LOCK, str(project_id)]
        )
        (is_ours,) = cursor.fetchone()
    reading = next_reading(project_id) if is_ours else None
    if reading is None:
        return None
    if reading.shared_at is None:
        divide(reading)
    else:
        crediting.post_batch(reading)
    return reading


def next_reading(project_id: UUID) -> GenerationReading | None:
    """Return what was begun, or else what was written down first, after what it corrects."""
    ready = Q(correction_of=None) | Q(correction_of__posted_at__isnull=False)
    due = GenerationReading.objects.filter(ready, project=project_id, posted_at=None)
    return (
        due.select_related("project", "correction_of")
        .order_by(F("shared_at").asc(nulls_last=True), "created_at", "id")
        .first()
    )


@inside_transaction
def divide(reading: GenerationReading) -> None:
    """
    Write what each allocation has of a reading, and how many credits that makes.

    Whole credits, of all that it earned until now less all that it got. Who has closed his
    organization gets nothing more: what would be his is the bank's.
    """
    project, until = reading.project, reading.ends_on + timedelta(days=1)
    watt_days = int(project.capacity_kw * 1000) * (until - reading.starts_on).days
    with connection.cursor() as cursor:
        cursor.execute(
            DIVIDE,
            {
                "project": project.pk,
                "reading": reading.pk,
                "starts_on": reading.starts_on,
                "until": until,
                "energy": reading.energy_wh,
                "watt_days": watt_days,
                "now": workers_now(),
            },
        )
    reading.refresh_from_db(fields=["banked_wh", "banked_percent", "shared_at"])
