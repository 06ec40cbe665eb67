"""Rows that were there before their mails went through one queue, in each state."""

from importlib import import_module

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def cursor():
    with connection.cursor() as cursor:
        yield cursor


def migration(name):
    app, _, module = name.partition(".")
    return import_module(f"apps.{app}.migrations.{module}")


def table(cursor, name, columns, rows):
    """Let a table as it was between two operations stand before the one of today."""
    cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
    cursor.execute(f"INSERT INTO {name} VALUES {rows}")


def told(cursor, columns, name):
    cursor.execute(f"SELECT {columns} FROM {name} ORDER BY id")
    return cursor.fetchall()


class TestAlertsOfBudgets:
    @pytest.fixture(autouse=True)
    def _rows(self, cursor):
        table(
            cursor,
            "credits_budgetalert",
            "id int, attempts int, mail_due_at timestamptz, mail_attempts smallint DEFAULT 0",
            "(1, 3, now()), (2, 40, now()), (3, 2, NULL), (4, 40000, NULL)",
        )
        cursor.execute(migration("credits.0014_budget_mails").COPY)

    def test_keep_their_attempts_and_have_one_left_if_they_wait(self, cursor):
        found = told(cursor, "mail_attempts", "credits_budgetalert")

        assert found == [(3,), (7,), (2,), (32767,)]

    def test_have_them_again_when_it_is_undone(self, cursor):
        cursor.execute(migration("credits.0014_budget_mails").COPY_BACK)

        assert told(cursor, "attempts = mail_attempts", "credits_budgetalert") == [(True,)] * 4


class TestWarningsOfExpiry:
    @pytest.fixture(autouse=True)
    def _rows(self, cursor):
        table(
            cursor,
            "credits_expirywarning",
            "id int, status text, locked_until timestamptz, attempts int, sent_at timestamptz,"
            " created_at timestamptz, claim uuid, mail_due_at timestamptz, mail_attempts smallint",
            "(1, 'claimed', '2026-11-21 12:00Z', 9, NULL, '2026-11-20 12:00Z'),"
            " (2, 'claimed', '2026-11-21 12:00Z', 2, NULL, '2026-11-20 12:00Z'),"
            " (3, 'sent', '2026-11-21 12:00Z', 1, '2026-11-21 12:00Z', '2026-11-20 12:00Z'),"
            " (4, 'dropped', '2026-11-21 12:00Z', 40000, NULL, '2026-11-20 12:00Z')",
        )
        cursor.execute(migration("credits.0015_expiry_mails").COPY)

    def test_wait_if_they_were_claimed_and_are_over_otherwise(self, cursor):
        found = told(
            cursor,
            "mail_due_at = '2026-11-21 12:00Z', mail_attempts",
            "credits_expirywarning",
        )

        assert found == [(True, 7), (True, 2), (None, 1), (None, 32767)]

    def test_stand_as_before_when_it_is_undone(self, cursor):
        cursor.execute(migration("credits.0015_expiry_mails").COPY_BACK)

        found = told(
            cursor,
            "status, locked_until::date::text, attempts, claim IS NOT NULL",
            "credits_expirywarning",
        )
        assert found == [
            ("claimed", "2026-11-21", 7, True),
            ("claimed", "2026-11-21", 2, True),
            ("sent", "2026-11-20", 1, True),
            ("dropped", "2026-11-20", 32767, True),
        ]


class TestKeys:
    @pytest.fixture(autouse=True)
    def _rows(self, cursor):
        """Return keys by what they were told: nothing, of seven days, of one, and what ended."""
        table(
            cursor,
            "rbac_apikey",
            "id int, warned_days int, created_at timestamptz, expires_at timestamptz,"
            " revoked_at timestamptz, mail_due_at timestamptz",
            "(1, NULL, now() - interval '1 day', now() + interval '30 days', NULL),"
            " (2, NULL, now() - interval '30 days', now() + interval '3 days', NULL),"
            " (3, 7, now() - interval '30 days', now() + interval '3 days', NULL),"
            " (4, 1, now() - interval '30 days', now() + interval '1 hour', NULL),"
            " (5, NULL, now(), now() + interval '3 days', NULL),"
            " (6, NULL, now(), now() + interval '3 hours', NULL),"
            " (7, NULL, now() - interval '1 day', now() + interval '30 days', now()),"
            " (8, NULL, now() - interval '30 days', now() - interval '1 hour', NULL),"
            " (9, NULL, now(), NULL, NULL)",
        )
        cursor.execute(migration("rbac.0062_key_mails").FILL)

    def test_are_told_of_the_first_threshold_of_which_nobody_was_told(self, cursor):
        before_the_end = "(extract(epoch FROM expires_at - mail_due_at) / 86400)::int"

        found = told(cursor, before_the_end, "rbac_apikey")

        assert [days for (days,) in found] == [7, 7, 1, None, 1, None, None, None, None]

    def test_say_again_of_which_they_were_told_when_it_is_undone(self, cursor):
        cursor.execute("UPDATE rbac_apikey SET warned_days = NULL")
        cursor.execute(migration("rbac.0062_key_mails").FILL_BACK)

        found = told(cursor, "warned_days", "rbac_apikey")

        assert [days for (days,) in found] == [None, None, 7, 1, 7, 1, None, 1, None]
