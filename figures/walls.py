"""The walls between organizations: the second one alone, and behind a pooler."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from unittest import mock

from django.db import connection, transaction
from django.test import Client

from apps.core import scope
from apps.core.postgres.base import NOBODY, DatabaseWrapper, Told, told_of
from apps.core.walls.building import build, walls
from figures.lines import Report, scaled
from tests.database import empty_tables, migrated_database
from tests.people import make_key, make_member, make_organization
from tests.roles import web_role_for_requests
from tests.walls.canaries import WORD, application_scoping_off, look_everywhere, make_two
from tests.walls.pooler import PROGRAM, pooled_web

CLIENTS = 8  # of the pooler, on two connections to the server
PLAIN = "zzplainzz"  # in every text of the first, as WORD is in those of the second
SCOPES = ("jobs:read", "credits:read", "organization:read", "audit:read")
LISTS = ("jobs", "organization", "audit", "credits/transactions")


def main() -> None:
    """Print the figures of the walls."""
    report = Report()
    with migrated_database(), quiet():
        the_second_wall_alone(report)
        behind_a_pooler(report)
    report.end()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the logs quiet: the controls make every kind of trouble."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def the_second_wall_alone(report: Report) -> None:
    """Every address asked with the ids of another organization, and nothing of ours filters."""
    with report.figure("leaks_past_row_level_security_alone", asked=scaled(100)) as figure:
        with web_role_for_requests(), application_scoping_off():
            look = look_everywhere(make_two())
        empty_tables()
        figure.examined, figure.failures = look.asked, len(look.leaks)
        with walls_down(), web_role_for_requests(), application_scoping_off():
            without = look_everywhere(make_two())
        empty_tables()
        figure.control = "red" if without.leaks else "green"
        print(f"    leaks_without_the_wall={len(without.leaks)}", flush=True)


@contextmanager
def walls_down() -> Iterator[None]:
    """Take row-level security off every table for the length of a block."""
    try:
        with connection.cursor() as cursor:
            for table, wall in walls().items():
                if wall.stands:
                    cursor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
        yield
    finally:
        build()


def behind_a_pooler(report: Report) -> None:
    """
    Two organizations ask at once over few connections to the server, which nobody owns.

    The control tells the server for whom it works once for each client connection, as a
    session may where nobody else uses it.
    """
    if PROGRAM is None:
        print("    pgbouncer is not installed (apt-get install pgbouncer): nothing is shown")
    rounds = scaled(25)
    with report.figure("leaks_through_a_pooler", asked=rounds * CLIENTS) as figure:
        if PROGRAM:
            figure.examined, figure.failures = ask_at_once(rounds)
            empty_tables()
            with told_by_session():
                _, leaks = ask_at_once(rounds)
            empty_tables()
            figure.control = "red" if leaks else "green"
            print(f"    leaks_with_session_settings={leaks}", flush=True)


def ask_at_once(rounds: int) -> tuple[int, int]:
    """Let clients of two organizations ask in turns; return how often, and how often wrongly."""
    asking = [
        asker(*names) for names in ((PLAIN, WORD), (WORD, PLAIN)) for _ in range(CLIENTS // 2)
    ]
    with pooled_web(), application_scoping_off(), ThreadPoolExecutor(CLIENTS) as pool:
        told = [one for turn in pool.map(lambda ask: ask(rounds), asking) for one in turn]
    return len(told), sum(told)


def asker(name: str, other: str) -> Callable[[int], list[bool]]:
    """Return what asks for an organization, and says of each answer whether it is another's."""
    organization = make_organization(name=f"{name} {id(object())}")
    owner = make_member(organization, "owner", full_name=name)
    _, token = make_key(organization, owner, *SCOPES)
    client = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
    organization_id = organization.pk

    def ask(rounds: int) -> list[bool]:
        try:
            return [is_wrong(turn) for turn in range(rounds)]
        finally:
            connection.close()

    def is_wrong(turn: int) -> bool:
        if turn % 2:
            answer = client.get(f"/api/v1/{LISTS[turn // 2 % len(LISTS)]}")
            return answer.status_code != 200 or other.encode() in answer.content
        with scope.within(organization_id), transaction.atomic():
            return seen() != {organization_id}

    return ask


def seen() -> set[object]:
    """Return whose wallets the database shows, in a transaction of two statements."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.001)")
        cursor.execute("SELECT organization_id FROM credits_wallet")
        return {one for (one,) in cursor.fetchall()}


@contextmanager
def told_by_session() -> Iterator[None]:
    """Tell the server for whom it works by a setting of the session, and only when it changes."""
    known: dict[int, Told] = {}

    def to_tell(wrapper: DatabaseWrapper) -> Told | None:
        wanted = told_of(scope.current())
        before = known.get(id(wrapper), NOBODY)
        known[id(wrapper)] = wanted
        return None if wanted == before else wanted

    statement = Told.statement
    with (
        mock.patch.object(DatabaseWrapper, "to_tell", to_tell),
        mock.patch.object(
            Told, "statement", lambda self: statement(self).replace(", true)", ", false)")
        ),
    ):
        yield


if __name__ == "__main__":
    main()
