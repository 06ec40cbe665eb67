"""Foreign keys that leave the organization of their row."""

import pytest

from apps.core.invariants import verify
from apps.core.walls.consistency import links, same_organization
from apps.rbac.models import Invitation, Role
from tests.people import make_member, make_organization
from tests.rbac.inviting import make_invitation

pytestmark = pytest.mark.django_db


class TestTheInvariant:
    def test_looks_at_every_key_between_tables_of_organizations(self):
        found = {(link["child"], link["column"]) for link in links()}

        assert len(found) > 10
        assert {
            ("credits_credittransaction", "lot_id"),
            ("jobs_generationjob", "wallet_id"),
            ("rbac_invitation", "role_id"),
        } <= found

    def test_finds_a_row_that_points_into_another_organization(self):
        ours, theirs = make_organization(), make_organization()
        invitation = make_invitation(ours, make_member(ours, "owner"))
        (before,) = verify([same_organization()])
        foreign = Role.objects.create(name="Foreign", organization=theirs)
        Invitation.objects.filter(pk=invitation.pk).update(role=foreign)

        (after,) = verify([same_organization()])

        assert before.examined > 3
        assert before.failures == 0
        assert (after.failures, after.example) == (1, str(invitation.pk))

    def test_is_among_those_that_verify_runs(self):
        assert "W01" in {finding.invariant.code for finding in verify()}
