"""The roles of the database: who makes them, and which one a process takes."""

import os

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from apps.core import scope
from apps.core.management.commands.database_roles import lets_in
from apps.core.postgres import staff
from config.databases import databases, role_of_process
from tests.roles import ROLE_OF_STAFF, role

WEB, STAFF, OWNER = (
    f"postgres://{name}:secret@localhost/coffer" for name in ("web", "staff", "owner")
)
LOGINS = {
    "web": {"name": "test_web", "password": "a'b"},
    "staff": {"name": "test_staff", "password": "c"},
}


def user_of(arguments: list[str], monkeypatch, **addresses: str) -> dict[str, str]:
    monkeypatch.setattr("sys.argv", arguments)
    web = {"USER": "web", "PASSWORD": "secret"}
    given = {"staff": "", "owner": "", **addresses}
    chosen, _ = databases(web, **given, is_pooled=False)
    return {alias: one["USER"] for alias, one in chosen.items()}


class TestAProcess:
    @pytest.mark.parametrize(
        ("command", "expected"),
        [
            ("granian --interface wsgi", {"default": "web", "staff": "staff"}),
            ("/opt/celery/bin/granian --interface wsgi", {"default": "web", "staff": "staff"}),
            ("manage.py runserver", {"default": "web", "staff": "staff"}),
            ("manage.py verify", {"default": "staff"}),
            ("manage.py shell", {"default": "staff"}),
            ("manage.py migrate", {"default": "owner"}),
            ("manage.py database_roles", {"default": "owner"}),
            ("/venv/bin/celery -A config worker", {"default": "staff"}),
            ("/venv/site-packages/celery/__main__.py -A config beat", {"default": "staff"}),
        ],
    )
    def test_takes_the_role_for_what_it_does(self, command, expected, monkeypatch):
        found = user_of(command.split(), monkeypatch, staff=STAFF, owner=OWNER)

        assert found == expected

    @pytest.mark.parametrize("command", ["granian", "manage.py migrate", "manage.py verify"])
    def test_takes_the_only_one_that_there_is(self, command, monkeypatch):
        assert user_of(command.split(), monkeypatch) == {"default": "web"}

    def test_of_nothing_known_serves_pages(self):
        assert role_of_process([]) == "web"


@pytest.fixture
def logins(settings):
    """Name logins that the server does not have, and drop them afterwards: all databases share."""
    settings.DATABASE_LOGINS = {
        key: {**login, "name": f"{login['name']}_{os.getpid()}"} for key, login in LOGINS.items()
    }
    yield settings.DATABASE_LOGINS
    with connection.cursor() as cursor:
        for login in settings.DATABASE_LOGINS.values():
            cursor.execute(f"DROP ROLE IF EXISTS {login['name']}")


@pytest.mark.django_db(transaction=True)
class TestLogins:
    def test_are_made_as_members_once(self, logins, capsys):
        call_command("database_roles")
        first = capsys.readouterr().out
        call_command("database_roles")

        web, staff = (logins[key]["name"] for key in ("web", "staff"))
        assert f"GRANT coffer_web TO {web}" in first
        assert "a'b" not in first
        assert "roles made=0" in capsys.readouterr().out
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_has_role(%(web)s, 'coffer_web', 'MEMBER'),"
                " pg_has_role(%(web)s, 'coffer_staff', 'MEMBER'),"
                " pg_has_role(%(staff)s, 'coffer_staff', 'MEMBER')",
                {"web": web, "staff": staff},
            )
            assert cursor.fetchone() == (True, False, True)

    def test_take_a_password_that_changed(self, logins, capsys):
        call_command("database_roles")
        name, former = logins["web"].values()
        logins["web"]["password"] = "another'one"
        capsys.readouterr()

        call_command("database_roles")

        said = capsys.readouterr().out
        assert f"ALTER ROLE {name} LOGIN PASSWORD '…'" in said
        assert "roles made=1" in said
        assert "another" not in said
        assert (lets_in(name, "another'one"), lets_in(name, former)) == (True, False)


@pytest.mark.django_db
class TestDatabaseRoles:
    def test_says_what_to_run_where_it_may_not(self, settings):
        settings.DATABASE_LOGINS = LOGINS

        with role("coffer_staff"), pytest.raises(CommandError) as refused:
            call_command("database_roles")

        assert "CREATE ROLE test_web LOGIN PASSWORD '…';" in str(refused.value)
        assert "a'b" not in str(refused.value)

    def test_leaves_an_installation_with_one_role_alone(self, settings, capsys):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            (owner,) = cursor.fetchone()
        settings.DATABASE_LOGINS = {"web": {"name": owner, "password": ""}}

        call_command("database_roles")

        assert "roles made=0" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
class TestAsStaff:
    def test_works_over_the_connection_of_staff_and_comes_back(self, monkeypatch, settings):
        monkeypatch.setattr(staff, "role_of_staff", ROLE_OF_STAFF)
        web = connections["default"]
        other = connections.create_connection("default")
        settings.DATABASES = {**settings.DATABASES, "staff": web.settings_dict}
        monkeypatch.setattr(connections._connections, "staff", other, raising=False)
        try:
            with staff.as_staff("a test"):
                assert connections["default"] is other
                assert scope.current().reason == "a test"
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
            assert connections["default"] is web
            with transaction.atomic(), pytest.raises(AssertionError), staff.as_staff("late"):
                pass
        finally:
            other.close()

    def test_changes_nothing_where_there_is_one_role(self, monkeypatch):
        monkeypatch.setattr(staff, "role_of_staff", ROLE_OF_STAFF)
        web = connections["default"]

        with staff.as_staff("a test"):
            assert connections["default"] is web
