"""What must always be true of sandboxes."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "B105",
        "Time stands still in sandboxes, and nowhere else; a step of a clock leads ahead.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT organization.id,
                       (organization.clock_at IS NULL) <> (sandbox.id IS NULL)
                       OR sandbox.step_to < organization.clock_at
                       OR sandbox.step_to > sandbox.moving_to AS broken
                  FROM tenants_organization organization
                  LEFT JOIN billing_sandbox sandbox
                    ON sandbox.organization_id = organization.id) each_organization
        """,
    ),
)
