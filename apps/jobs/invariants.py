"""What must always be true of jobs and of what was paid for them."""

from apps.core.invariants import Invariant, register

MOVED = """
    WITH moved AS (
        SELECT job.id, job.status, job.cost, coalesce(sum(-charge.amount), 0) AS charged,
               coalesce(sum(back.amount), 0) AS refunded
          FROM jobs_generationjob job
          LEFT JOIN credits_credittransaction charge
            ON charge.wallet_id = job.wallet_id AND charge.reference = job.charge_reference
           AND charge.transaction_type = 'consumed'
          LEFT JOIN LATERAL (
               SELECT sum(amount) AS amount FROM credits_credittransaction
                WHERE reverses_id = charge.id) back ON true
         GROUP BY job.id)
"""

register(
    Invariant(
        "J01",
        "A job's cost was charged: once, and no more.",
        MOVED  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE charged <> cost),
               min(id::text) FILTER (WHERE charged <> cost)
          FROM moved
        """,
    ),
    Invariant(
        "J02",
        "A job that failed or was cancelled got all of its credits back; any other got none.",
        MOVED  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, refunded <> CASE WHEN status IN ('failed', 'cancelled')
                                            THEN charged ELSE 0 END AS broken
                  FROM moved) each_job
        """,
    ),
    Invariant(
        "J03",
        "Every charge for a job has its job.",
        """
        SELECT count(*), count(*) FILTER (WHERE job.id IS NULL),
               min(entry.id::text) FILTER (WHERE job.id IS NULL)
          FROM credits_credittransaction entry
          LEFT JOIN jobs_generationjob job
            ON job.wallet_id = entry.wallet_id AND job.charge_reference = entry.reference
         WHERE entry.source = 'job' AND entry.transaction_type = 'consumed'
        """,
    ),
)
