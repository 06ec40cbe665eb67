"""What must always be true of what is sold."""

from apps.core.invariants import Invariant, register

VERSIONS = """
    WITH versions AS (
        SELECT id, plan_id AS thing, number, effective_at, price, stripe_price_id
          FROM billing_planversion
         UNION ALL
        SELECT id, product_id, number, effective_at, price, stripe_price_id
          FROM billing_productversion),
    things AS (
        SELECT id, stripe_product_id FROM billing_subscriptionplan
         UNION ALL
        SELECT id, stripe_product_id FROM billing_creditproduct)
"""

register(
    Invariant(
        "B10",
        "Later versions of a plan or pack begin later, so that one is in force at each moment.",
        VERSIONS  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, effective_at < lag(effective_at)
                               OVER (PARTITION BY thing ORDER BY number) AS broken
                  FROM versions) each_version
        """,
    ),
    Invariant(
        "B11",
        "Versions of a plan or pack are numbered from 1 without gaps.",
        VERSIONS  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, number <> row_number()
                               OVER (PARTITION BY thing ORDER BY number) AS broken
                  FROM versions) each_version
        """,
    ),
    Invariant(
        "B12",
        "A price at Stripe is that of one version.",
        VERSIONS  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id) FILTER (WHERE broken)
          FROM (SELECT stripe_price_id AS id, count(*) > 1 AS broken
                  FROM versions WHERE stripe_price_id <> '' GROUP BY 1) each_price
        """,
    ),
    Invariant(
        "B13",
        "A product at Stripe is that of one plan or pack.",
        VERSIONS  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id) FILTER (WHERE broken)
          FROM (SELECT stripe_product_id AS id, count(*) > 1 AS broken
                  FROM things WHERE stripe_product_id <> '' GROUP BY 1) each_product
        """,
    ),
    Invariant(
        "B14",
        "A version with a price at Stripe costs something and belongs to a product there.",
        VERSIONS  # noqa: S608  two texts of ours
        + """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT versions.id, price = 0 OR stripe_product_id = '' AS broken
                  FROM versions JOIN things ON things.id = versions.thing
                 WHERE stripe_price_id <> '') each_version
        """,
    ),
)
