"""What must always be true of jobs and of what was paid for them."""

from apps.core.invariants import Invariant, register

# What the ledger took for each attempt, and gave back of it: by charge and refund, or by hold
# and release. A hold is taken while it is held. Staff may give back of what worked, too.
MOVED = """
    WITH moved AS (
        SELECT attempt.id, attempt.outcome, attempt.cost, attempt.refunded AS noted,
               coalesce(sum(-took.amount), 0) AS taken,
               coalesce(sum(back.released), 0) AS released,
               coalesce(sum(back.refunded), 0) AS refunded
          FROM jobs_attempt attempt
          LEFT JOIN credits_credittransaction took
            ON took.wallet_id = attempt.wallet_id AND took.reference = attempt.charge_reference
           AND took.transaction_type IN ('consumed', 'held')
          LEFT JOIN LATERAL (
               SELECT sum(amount) FILTER (WHERE transaction_type = 'released') AS released,
                      sum(amount) FILTER (
                          WHERE transaction_type = 'refunded' AND source = 'job') AS refunded
                 FROM credits_credittransaction WHERE reverses_id = took.id) back ON true
         GROUP BY attempt.id)
"""

register(
    Invariant(
        "J01",
        "An attempt's cost was taken: once, and no more.",
        MOVED  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, cost <> CASE WHEN outcome = 'completed' THEN taken - released
                                        ELSE taken END AS broken
                  FROM moved) each_attempt
        """,
    ),
    Invariant(
        "J02",
        "An attempt that failed or was cancelled got all of its credits back, any other none.",
        MOVED  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, CASE outcome WHEN 'completed' THEN refunded <> 0
                                        WHEN 'open' THEN released + refunded <> 0
                                        ELSE released + refunded <> taken OR noted <> cost
                           END AS broken
                  FROM moved) each_attempt
        """,
    ),
    Invariant(
        "J03",
        "Whatever was charged or held for a job has its attempt.",
        """
        SELECT count(*), count(*) FILTER (WHERE attempt.id IS NULL),
               min(entry.id::text) FILTER (WHERE attempt.id IS NULL)
          FROM credits_credittransaction entry
          LEFT JOIN jobs_attempt attempt ON attempt.wallet_id = entry.wallet_id
           AND attempt.charge_reference = entry.reference
         WHERE entry.source = 'job' AND entry.transaction_type IN ('consumed', 'held')
        """,
    ),
    Invariant(
        "J04",
        "An area that has not ended has one open attempt, its present one; any other has none.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT area.id,
                       count(attempt.id) FILTER (WHERE attempt.outcome = 'open')
                           <> CASE WHEN area.status IN ('pending', 'processing') THEN 1 ELSE 0 END
                       OR max(attempt.number) IS DISTINCT FROM area.attempt_number AS broken
                  FROM jobs_generationarea area
                  LEFT JOIN jobs_attempt attempt ON attempt.area_id = area.id
                 GROUP BY area.id) each_area
        """,
    ),
    Invariant(
        "J05",
        "A job's counts are those of its areas, and its sums those of their attempts.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT job.id,
                       (job.area_count, job.completed_areas, job.failed_areas,
                        job.cancelled_areas)
                       IS DISTINCT FROM (areas.total, areas.completed, areas.failed,
                                         areas.cancelled)
                       OR (job.cost, job.refunded) IS DISTINCT FROM (paid.cost, paid.refunded)
                       AS broken
                  FROM jobs_generationjob job
                 CROSS JOIN LATERAL (
                       SELECT count(*) AS total,
                              count(*) FILTER (WHERE status = 'completed') AS completed,
                              count(*) FILTER (WHERE status = 'failed') AS failed,
                              count(*) FILTER (WHERE status = 'cancelled') AS cancelled
                         FROM jobs_generationarea WHERE job_id = job.id) areas
                 CROSS JOIN LATERAL (
                       SELECT sum(attempt.cost) AS cost, sum(attempt.refunded) AS refunded
                         FROM jobs_attempt attempt
                         JOIN jobs_generationarea area ON area.id = attempt.area_id
                        WHERE area.job_id = job.id) paid) each_job
        """,
    ),
)
