"""Row-level security by itself: what the web's role sees, with no filter of ours in between."""

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.core import scope
from apps.core.walls import STAFF, WEB
from apps.core.walls.building import walls
from apps.rbac.selectors import owners_of
from apps.rbac.services.ownership import request_transfer
from apps.tenants.models import AuditLog, Organization
from tests.jobs.work import make_job, set_price
from tests.people import make_key, make_member, make_organization
from tests.rbac.inviting import make_invited
from tests.roles import role

pytestmark = pytest.mark.django_db

WALLED = {table: wall for table, wall in walls().items() if wall.whose}


@pytest.fixture
def two(db) -> tuple[Organization, Organization]:
    """Two organizations with a row each in as many tables as there are services to fill them."""
    set_price()
    made = []
    for name in ("Acme", "Bolt"):
        organization = make_organization(name=name)
        owner = make_member(organization, "owner")
        make_job(organization)
        make_key(organization, owner, "jobs:write")
        make_invited(organization, owner, email=f"{name.lower()}@example.com")
        made.append(organization)
    return made[0], made[1]


def count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


class TestTheWebsRole:
    def test_sees_nothing_without_an_organization(self, two):
        with scope.entered(scope.NOTHING), role(WEB):
            seen = {table: count(f'SELECT count(*) FROM "{table}"') for table in WALLED}

        nobodys = {"rbac_role", "rbac_rolepermission", "tenants_auditlog"}
        assert {table for table, rows in seen.items() if rows} <= nobodys

    @pytest.mark.parametrize("table", sorted(WALLED))
    def test_sees_the_rows_of_one_organization(self, table, two):
        ours, theirs = two
        whose = WALLED[table].whose
        of_ours = count(f"""SELECT count(*) FROM "{table}" WHERE {whose} = '{ours.pk}'""")
        with scope.entered(scope.Scope(organization_id=ours.pk)), role(WEB):
            seen = count(f'SELECT count(*) FROM "{table}" WHERE {whose} IS NOT NULL')
            foreign = count(f"""SELECT count(*) FROM "{table}" WHERE {whose} = '{theirs.pk}'""")

        assert seen == of_ours
        assert foreign == 0

    def test_finds_rows_to_see_in_most_tables(self, two):
        """Otherwise the test above would say nothing."""
        filled = [
            table
            for table, wall in WALLED.items()
            if count(f"""SELECT count(*) FROM "{table}" WHERE {wall.whose} = '{two[1].pk}'""")
        ]

        assert len(filled) >= 11

    def test_changes_no_row_of_another(self, two):
        ours, theirs = two
        scoped = scope.entered(scope.Scope(organization_id=ours.pk))
        with scoped, role(WEB), connection.cursor() as cursor:
            cursor.execute("UPDATE credits_wallet SET credit_line = 99")
            cursor.execute("DELETE FROM rbac_invitation")
            cursor.execute("DELETE FROM rbac_apikey")

        line = f"SELECT credit_line FROM credits_wallet WHERE organization_id='{theirs.pk}'"
        assert count(line) == 0
        for table in ("rbac_invitation", "rbac_apikey"):
            assert count(f"SELECT count(*) FROM {table} WHERE organization_id='{theirs.pk}'") == 1
            assert count(f"SELECT count(*) FROM {table} WHERE organization_id='{ours.pk}'") == 0

    def test_adds_no_row_to_another(self, two):
        ours, theirs = two
        with scope.entered(scope.Scope(organization_id=ours.pk)), role(WEB):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                AuditLog(organization=theirs, actor="x", action="y").save(force_insert=True)
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                count(
                    f"UPDATE rbac_invitation SET organization_id = '{theirs.pk}' RETURNING 1",
                )

    def test_sees_whose_a_person_is_and_no_more(self, two):
        ours, _theirs = two
        person = make_member(ours, "member")
        with scope.entered(scope.Scope(user_id=person.pk)), role(WEB):
            assert count("SELECT count(*) FROM tenants_organization") == 1
            assert (
                count("SELECT count(*) FROM rbac_userrole WHERE organization_id IS NOT NULL") == 1
            )
            assert count("SELECT count(*) FROM credits_wallet") == 0

    def test_sees_what_is_offered_to_a_person(self, two):
        ours, _ = two
        heir = make_member(ours, "admin")
        owner = owners_of(ours).last()
        request_transfer(organization=ours, from_user=owner, to_user=heir)
        with scope.entered(scope.Scope(user_id=heir.pk)), role(WEB):
            assert count("SELECT count(*) FROM rbac_ownershiptransfer") == 1
        with scope.entered(scope.Scope(user_id=owner.pk)), role(WEB):
            assert count("SELECT count(*) FROM rbac_ownershiptransfer") == 0

    @pytest.mark.parametrize("kind", ["api_key", "invitation", "programme_claim"])
    def test_opens_nothing_by_a_secret_that_is_none(self, kind, two):
        with scope.entered(scope.NOTHING), scope.opened_by(kind, b"\x00" * 32), role(WEB):
            assert count("SELECT count(*) FROM tenants_organization") == 0

    def test_cannot_rewrite_history(self, two):
        for table in ("credits_credittransaction", "tenants_auditlog", "tenants_auditseal"):
            key = "entry_id" if table == "tenants_auditseal" else "id"
            for deed in (
                f"UPDATE {table} SET {key} = {key}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
            ):
                refused = pytest.raises(ProgrammingError, match="permission denied")
                with role(WEB), refused, transaction.atomic():
                    count(deed)


class TestTheRoleOfStaff:
    def test_sees_every_organization_and_owns_nothing(self, two):
        with scope.every_organization("test"), role(STAFF):
            assert count("SELECT count(DISTINCT organization_id) FROM credits_wallet") == 2
            with pytest.raises(ProgrammingError, match="must be owner"), transaction.atomic():
                count("ALTER TABLE credits_wallet DISABLE ROW LEVEL SECURITY")


class TestTheControl:
    def test_without_the_policy_the_same_look_leaks(self, two):
        ours, theirs = two
        count_theirs = f"SELECT count(*) FROM credits_wallet WHERE organization_id = '{theirs.pk}'"
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # so that the table can be altered
            cursor.execute("ALTER TABLE credits_wallet DISABLE ROW LEVEL SECURITY")

        with scope.entered(scope.Scope(organization_id=ours.pk)), role(WEB):
            assert count(count_theirs) == 1
