"""
`make bench-profile`: where the time of a single charge goes.

Five views of the same call: the clock on the wall and the processor of our process;
each round trip as Django sees it; each statement as PostgreSQL sees it, those of the
triggers included (pg_stat_statements); and Python's functions (cProfile).
"""

import cProfile
import pstats
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from bench import contestants
from bench.contest import ACCOUNTS
from bench.server import Server, durable_server

CHARGES = 500
SHOWN = 15
EXTENSION = "pg_stat_statements"
Times = dict[str, list[float]]  # seconds of each occurrence, by what it was


def main(server: Server) -> None:
    """Print all views."""
    from bench.contestants.ours import Contestant

    contestant = Contestant(server.url)
    contestant.prepare(ACCOUNTS)
    contestant.open()
    try:
        charge = every_account(contestant)
        repeat(charge, ACCOUNTS)  # plans and imports are in place afterwards
        the_whole(charge)
        round_trips(charge)
        statements(charge)
        functions(charge)
    finally:
        contestant.close()


def every_account(contestant: Any) -> Callable[[], object]:
    """Return a function that charges the accounts in turn."""
    turn = iter(range(10**9))
    return lambda: contestant.charge(lambda: next(turn) % ACCOUNTS)


def repeat(charge: Callable[[], object], count: int = CHARGES) -> None:
    """Charge so many times."""
    for _ in range(count):
        charge()


def the_whole(charge: Callable[[], object]) -> None:
    """Print how long a charge takes, and how much of it our own process works."""
    wall, processor = time.perf_counter(), time.process_time()
    repeat(charge)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(
        f"profile_whole wall_ms={wall / CHARGES * 1000:.3f}"
        f" python_ms={processor / CHARGES * 1000:.3f}"
        f" waiting_ms={(wall - processor) / CHARGES * 1000:.3f}"
    )


def round_trips(charge: Callable[[], object]) -> None:
    """Print the time of each round trip that goes through Django, commit included."""
    from django.db import connection

    times: Times = defaultdict(list)

    def timed(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, *rest)
        finally:
            times[brief(sql)].append(time.perf_counter() - began)

    def timed_commit() -> None:
        began = time.perf_counter()
        commit()
        times["COMMIT (with the flush to disk)"].append(time.perf_counter() - began)

    commit, connection._commit = connection._commit, timed_commit
    try:
        with connection.execute_wrapper(timed):
            began = time.perf_counter()
            repeat(charge)
            whole = time.perf_counter() - began
    finally:
        del connection._commit
    seen = sum(map(sum, times.values()))
    show("profile_round_trip", times)
    print(
        f"profile_outside_of_round_trips ms={(whole - seen) / CHARGES * 1000:.3f}"
        f" share={1 - seen / whole:.0%}"
    )


def show(name: str, times: Times) -> None:
    """Print one line for each kind, the longest first."""
    for what, each in sorted(times.items(), key=lambda item: -sum(item[1])):
        print(f"{name} ms={sum(each) / CHARGES * 1000:.3f} calls={len(each) / CHARGES:.2f} {what}")


def brief(sql: str) -> str:
    """Return the beginning of a statement, on one line."""
    return " ".join(sql.split())[:100]


def statements(charge: Callable[[], object]) -> None:
    """Print the time of each statement inside the server, and what the triggers do there."""
    from django.db import connection

    with connection.cursor() as cursor:
        try:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
            for setting, value in (("track", "all"), ("track_planning", "on")):
                cursor.execute(f"SET {EXTENSION}.{setting} = '{value}'")
            cursor.execute(f"SELECT {EXTENSION}_reset()")
        except Exception as problem:
            print(f"profile_server unavailable: {str(problem).strip().splitlines()[0]}")
            return
        repeat(charge)
        cursor.execute(
            f"SELECT toplevel, calls, total_plan_time, total_exec_time, query FROM {EXTENSION}"
            " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
            f" AND query NOT LIKE '%%{EXTENSION}%%' ORDER BY total_exec_time + total_plan_time DESC"
        )
        rows = cursor.fetchall()
        cursor.execute(f"SET {EXTENSION}.track = 'none'")
    for is_toplevel, name in ((True, "profile_server"), (False, "profile_in_triggers")):
        chosen = [row for row in rows if row[0] is is_toplevel]
        for _, calls, plan, execute, query in chosen[:SHOWN]:
            print(
                f"{name} plan_ms={plan / CHARGES:.3f} run_ms={execute / CHARGES:.3f}"
                f" calls={calls / CHARGES:.2f} {brief(query)}"
            )
        planned, ran = sum(row[2] for row in chosen), sum(row[3] for row in chosen)
        print(f"{name}_sum plan_ms={planned / CHARGES:.3f} run_ms={ran / CHARGES:.3f}")


def functions(charge: Callable[[], object]) -> None:
    """Print Python's own share by package, and its most expensive functions."""
    profiler = cProfile.Profile(time.process_time)  # waiting is not working
    profiler.runcall(repeat, charge)
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    shares: dict[str, float] = defaultdict(float)
    for (file, _, _), (_, _, own, _, _) in stats.items():
        shares[package_of(file)] += own
    total = sum(shares.values())
    for package, own in sorted(shares.items(), key=lambda item: -item[1])[:SHOWN]:
        print(f"profile_python share={own / total:.0%} {package}")
    costly = sorted(stats.items(), key=lambda item: -item[1][2])[:SHOWN]
    for (file, number, function), (_, calls, own, within, _) in costly:
        print(
            f"profile_function own_us={own / CHARGES * 1e6:.0f}"
            f" with_callees_us={within / CHARGES * 1e6:.0f} calls={calls / CHARGES:.1f}"
            f" {package_of(file)}:{number} {function}"
        )


def package_of(file: str) -> str:
    """Return a short name of where a function stands."""
    for mark in ("/site-packages/", "/lib/python"):
        if mark in file:
            return "/".join(file.rpartition(mark)[2].split("/")[:3])
    root = contestants.__file__.partition("/bench/contestants/")[0]
    return file.removeprefix(f"{root}/")


if __name__ == "__main__":
    with durable_server(preload=EXTENSION) as the_server:
        main(the_server)
        sys.stdout.flush()
