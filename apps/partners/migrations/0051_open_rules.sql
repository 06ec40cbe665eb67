-- The rules by which a person may join a programme: those of the domains at which he has shown
-- an address to be his, exactly, and of no domain below. He does not belong to the organizations
-- yet, so this runs as the owner of the tables; `migrate` pins its search_path.
CREATE FUNCTION partners_rules_open_to(person uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce(array_agg(rule.id), '{}')
      FROM partners_awardrule rule
      JOIN partners_partner partner ON partner.id = rule.partner_id AND partner.status = 'active'
      JOIN tenants_organization organization
        ON organization.id = rule.organization_id AND organization.is_active
     WHERE rule.is_active
       AND rule.domain IN (SELECT lower(substring(address.email FROM '@([^@]+)$'))
                             FROM account_emailaddress address
                            WHERE address.user_id = person AND address.verified)
$$;

-- Those of them that have given him credits already.
CREATE FUNCTION partners_rules_taken_by(person uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce(array_agg(award.rule_id), '{}')
      FROM partners_partnercredit award
      JOIN partners_partnermember member ON member.id = award.member_id
     WHERE member.user_id = person AND award.rule_id IS NOT NULL
$$;
