"""What must always be true of organizations and those who own them."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "R01",
        "An organization that is not closed has an owner.",
        """
        SELECT count(*), count(*) FILTER (WHERE owners = 0),
               min(id::text) FILTER (WHERE owners = 0)
          FROM (SELECT organization.id, count(role.id) AS owners
                  FROM tenants_organization organization
                  LEFT JOIN rbac_userrole assigned
                    ON assigned.organization_id = organization.id
                  LEFT JOIN rbac_role role
                    ON role.id = assigned.role_id
                   AND role.name = 'owner' AND role.is_system_role
                 WHERE organization.closed_at IS NULL
                 GROUP BY organization.id) each_organization
        """,
    ),
    Invariant(
        "R02",
        "An organization's slug is one of those that are kept for it.",
        """
        SELECT count(*), count(*) FILTER (WHERE kept.slug IS NULL),
               min(organization.id::text) FILTER (WHERE kept.slug IS NULL)
          FROM tenants_organization organization
          LEFT JOIN tenants_organizationslug kept
            ON kept.slug = organization.slug AND kept.organization_id = organization.id
        """,
    ),
)
