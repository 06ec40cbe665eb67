"""The look into the database's catalogue, and what it finds when a wall has a hole."""

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core.rows import RowManager, organization_field
from apps.core.walls.building import build, walls
from apps.core.walls.inspection import inspect

pytestmark = pytest.mark.django_db

WALLED = sorted(table for table, wall in walls().items() if wall.stands)


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def breaches() -> list[str]:
    return [str(breach) for breach in inspect().breaches]


class TestCheckWalls:
    def test_finds_every_wall_standing_after_migrate(self, capsys):
        call_command("check_walls")

        said = capsys.readouterr().out
        assert f"tables={len(WALLED)} " in said
        assert "breaches=0" in said

    def test_looks_at_every_table_that_has_an_organization(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name FROM information_schema.columns"
                " WHERE table_schema = current_schema() AND column_name = 'organization_id'"
            )
            found = {name for (name,) in cursor.fetchall()}

        assert len(found) > 10
        assert found <= set(WALLED)

    @pytest.mark.parametrize("table", WALLED)
    def test_fails_when_one_table_has_no_wall(self, table, capsys):
        run(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

        with pytest.raises(CommandError):
            call_command("check_walls")

        said = capsys.readouterr().out
        assert f"walls.T2 {table}: row-level security is off" in said
        assert "breaches=1" in said

    @pytest.mark.parametrize(
        ("hole", "breach"),
        [
            (
                "ALTER TABLE jobs_generationjob NO FORCE ROW LEVEL SECURITY",
                "walls.T3 jobs_generationjob: row-level security is not forced on its owner",
            ),
            (
                "DROP POLICY coffer_organization ON jobs_generationjob",
                "walls.T4 jobs_generationjob: the policy coffer_organization is missing or another",
            ),
            (
                "CREATE POLICY wide ON jobs_generationjob USING (true)",
                "walls.T5 jobs_generationjob: the policy wide is none of ours",
            ),
            (
                "ALTER POLICY coffer_organization ON jobs_generationjob USING (true)",
                "walls.T4 jobs_generationjob: the policy coffer_organization is missing or another",
            ),
            (
                "ALTER POLICY coffer_everywhere ON jobs_generationjob TO PUBLIC",
                "walls.T4 jobs_generationjob: the policy coffer_everywhere is missing or another",
            ),
            (
                "CREATE TABLE notes (organization_id uuid)",
                "walls.T1 notes: has organization_id and no model says whose it is",
            ),
            (
                "CREATE VIEW all_jobs AS SELECT * FROM jobs_generationjob;"
                " GRANT SELECT ON all_jobs TO coffer_web",
                "walls.V1 all_jobs: shows the web what its owner sees: security_invoker",
            ),
            (
                "ALTER ROLE coffer_web BYPASSRLS",
                "walls.R2 coffer_web: has BYPASSRLS",
            ),
            (
                "CREATE TABLE notes (); ALTER TABLE notes OWNER TO coffer_web",
                "walls.R2 coffer_web: owns 1 relations",
            ),
            (
                "GRANT coffer_staff TO coffer_web",
                "walls.R2 coffer_web: can become coffer_staff",
            ),
            (
                "GRANT TRUNCATE ON credits_lot TO coffer_web",
                "walls.R2 coffer_web: may TRUNCATE or add triggers to credits_lot",
            ),
            (
                "CREATE FUNCTION peep() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
                " AS 'SELECT count(*) FROM jobs_generationjob'",
                "walls.F1 peep(): runs as its owner with its caller's search_path",
            ),
        ],
    )
    def test_finds_the_hole(self, hole, breach):
        assert breaches() == []

        run(hole)

        assert breach in breaches()

    def test_takes_a_view_that_looks_as_its_reader(self):
        run(
            "CREATE VIEW all_jobs WITH (security_invoker) AS SELECT * FROM jobs_generationjob",
            "GRANT SELECT ON all_jobs TO coffer_web",
        )

        assert breaches() == []


class TestBuild:
    def test_mends_what_it_finds_broken(self):
        run(
            "ALTER TABLE jobs_generationjob DISABLE ROW LEVEL SECURITY",
            "DROP POLICY coffer_organization ON credits_lot",
            "GRANT UPDATE ON credits_credittransaction TO coffer_web",
        )

        build()

        assert breaches() == []

    def test_does_nothing_where_all_is_well(self):
        with connection.execute_wrapper(refuse_to_change):
            build()


class TestDeployCheck:
    def test_reports_a_hole(self):
        run("ALTER TABLE jobs_generationjob DISABLE ROW LEVEL SECURITY")

        found = run_checks(include_deployment_checks=True, databases=["default"])

        assert "walls.T2" in {message.id for message in found}

    def test_reports_a_web_that_owns_its_tables(self, settings):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            (owner,) = cursor.fetchone()

        found = self.reported_of(owner, settings)

        assert any("is a superuser" in one for one in found)
        assert any("owns" in one for one in found)

    def test_reports_a_web_that_the_database_does_not_have(self, settings):
        assert self.reported_of("nobody_at_all", settings) == [
            "walls.R1 nobody_at_all: there is no such role"
        ]

    def test_finds_nothing_in_the_role_of_the_web(self, settings):
        assert self.reported_of("coffer_web", settings) == []

    def reported_of(self, login, settings):
        """Return what the check of the web's login says, if this is its login."""
        settings.DATABASE_LOGINS = {"web": {"name": login, "password": ""}}
        found = run_checks(include_deployment_checks=True, databases=["default"])
        return [message.msg for message in found if message.id == "walls.W1"]


class TestModels:
    def test_of_organizations_ask_only_with_one(self):
        from django.apps import apps

        ours = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
        tenants = [model for model in ours if organization_field(model)]

        assert len(tenants) > 10
        assert not [one for one in tenants if not isinstance(one._default_manager, RowManager)]


def refuse_to_change(execute, statement, parameters, many, context):
    assert not statement.startswith(("ALTER", "CREATE", "DROP", "REVOKE", "COMMENT")), statement
    assert not statement.startswith("GRANT") or "SCHEMA" in statement, statement
    return execute(statement, parameters, many, context)
