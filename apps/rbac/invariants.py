"""What must always be true of organizations, of roles, and of what is shared."""

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
    Invariant(
        "R03",
        "A role that an organization made is given there and nowhere else.",
        """
        SELECT count(*),
               count(*) FILTER (WHERE role.organization_id
                                      IS DISTINCT FROM assigned.organization_id),
               min(assigned.id::text) FILTER (WHERE role.organization_id
                                                    IS DISTINCT FROM assigned.organization_id)
          FROM rbac_userrole assigned
          JOIN rbac_role role ON role.id = assigned.role_id AND role.organization_id IS NOT NULL
        """,
    ),
    Invariant(
        "R04",
        "What is shared has its permission in guardian, and nothing else has one.",
        """
        SELECT count(*), count(*) FILTER (WHERE is_alone), min(id) FILTER (WHERE is_alone)
          FROM (SELECT share.id::text AS id, granted.id IS NULL AS is_alone
                  FROM rbac_share share
                  LEFT JOIN guardian_userobjectpermission granted
                    ON granted.user_id = share.user_id
                   AND granted.content_type_id = share.content_type_id
                   AND granted.object_pk = share.object_id::text
                 WHERE share.revoked_at IS NULL
                UNION ALL
                SELECT granted.object_pk, share.id IS NULL
                  FROM guardian_userobjectpermission granted
                  LEFT JOIN rbac_share share
                    ON share.user_id = granted.user_id
                   AND share.content_type_id = granted.content_type_id
                   AND share.object_id::text = granted.object_pk
                   AND share.revoked_at IS NULL) both_ways
        """,
    ),
)

register(
    Invariant(
        "R10",
        "Each look by staff in a member's place is in the organization's log, with both people.",
        """
        SELECT coalesce(sum(looks), 0), count(*) FILTER (WHERE looks <> entries),
               min(id::text) FILTER (WHERE looks <> entries)
          FROM (SELECT organization_id AS id, count(*) AS looks,
                       (SELECT count(DISTINCT entry.object_id) FROM tenants_auditlog entry
                         WHERE entry.organization_id = look.organization_id
                           AND entry.action = 'impersonation.start'
                           AND entry.actor LIKE 'user:%' AND entry.acting_as LIKE 'user:%'
                       ) AS entries
                  FROM rbac_impersonation look
                 GROUP BY organization_id) each_organization
        """,
    ),
)
