"""`make figures-2`: every command of the ledger, under races, crashes and lost replies."""

from apps.core.invariants import verify
from apps.credits.ledger.commands import Charge
from figures.ground_floor import lock_removed
from figures.guards import the_guards
from figures.history import a_long_history
from figures.lines import SEED, Report, scaled
from figures.machines import the_model
from tests.credits.wallets import make_wallet
from tests.database import empty_tables, migrated_database
from tests.races.cases import CASES
from tests.races.crashes import crash_everywhere
from tests.races.deadlocks import deadlocks_counted
from tests.races.lost_answers import (
    charges_by_wish,
    with_one_key,
    with_one_reference,
    without_any_key,
)
from tests.races.reverting import is_given_back_once, make_charges, revert_everything_twice
from tests.races.storm import locked_as_asked, make_storm

CONNECTIONS = 16


def main() -> None:
    """Print every figure of the complete ledger."""
    report = Report()
    with migrated_database():
        the_model(report)
        a_storm(report)
        reverting_twice(report)
        lost_answers(report)
        crashes(report)
        a_long_history(report)
        the_guards(report)
    report.end()


def a_storm(report: Report) -> None:
    """16 connections, every command, 6 wallets, transfers both ways: no deadlock, no error."""
    steps = scaled(500)
    with report.figure("storm_of_all_commands", asked=steps * CONNECTIONS) as figure:
        storm = make_storm(6, seed=SEED)
        with deadlocks_counted() as told:
            storm.rage(CONNECTIONS, steps)
        figure.examined = len(storm.told)
        figure.failures = told.deadlocks + len(storm.errors) + storm.wrongly_told() + broken()
        print(f"    deadlocks_in_log={told.in_log} waits_in_log={told.waits}", flush=True)
    empty_tables()
    with report.figure("wallets_locked_as_asked", asked=1) as figure:
        storm = make_storm(2, seed=SEED)
        with deadlocks_counted() as told, locked_as_asked():
            storm.rage(CONNECTIONS, 8)
        figure.examined = len(storm.told)
        figure.failures = broken()
        figure.control = "red" if told.deadlocks else "green"
    empty_tables()


def reverting_twice(report: Report) -> None:
    """Each of many charges refunded by two callers at one instant."""
    count = scaled(1000)
    for name, is_one, expected in (
        ("reverted_twice_one_reference", True, {"done": 1, "replayed": 1}),
        ("reverted_twice_two_references", False, {"done": 1, "already_refunded": 1}),
    ):
        with report.figure(name, asked=count) as figure:
            wallet_id = make_charges(count)
            told = revert_everything_twice(wallet_id, count, one_reference=is_one)
            figure.examined = len(told)
            figure.failures = sum(said != expected for said in told)
            figure.failures += not is_given_back_once(wallet_id, count)
            figure.failures += broken()
    with report.figure("reverted_twice_without_the_lock", asked=scaled(200)) as figure:
        wallet_id = make_charges(scaled(200))
        with lock_removed():
            told = revert_everything_twice(wallet_id, scaled(200), one_reference=True)
        figure.examined = len(told)
        figure.control = "red" if any("error" in said for said in told) else "green"
    empty_tables()


def lost_answers(report: Report) -> None:
    """Clients whose network loses COMMITs and answers to them, and who then ask again."""
    wishes = scaled(1000)
    for name, want in (
        ("lost_answers_one_reference", with_one_reference),
        ("lost_answers_one_key", with_one_key),
        ("lost_answers_without_key", without_any_key),
    ):
        is_control = want is without_any_key
        with report.figure(name, asked=wishes) as figure:
            wallet_id = make_wallet(credits=wishes * 20).id
            charged, relay = charges_by_wish(
                wallet_id, want, wishes=wishes, connections=CONNECTIONS, share=0.2
            )
            doubled = sum(times != 1 for times in charged.values())
            figure.examined = len(charged)
            figure.failures = broken() + (0 if is_control else doubled)
            figure.failures += not (relay.lost_answers and relay.lost_commits)
            if is_control:
                figure.control = "red" if doubled else "green"
            print(f"    lost_commits={relay.lost_commits} lost_answers={relay.lost_answers}")
    empty_tables()


def crashes(report: Report) -> None:
    """Each command in a process that dies after each of its statements, and then once more."""
    with report.figure("death_after_each_statement", asked=4 * len(CASES)) as figure:
        for name, case in CASES.items():
            found = crash_everywhere(case)
            figure.examined += found.statements
            figure.failures += found.torn + found.wrong
            print(f"    {name}: statements={found.statements}", flush=True)
        figure.failures += broken()
        ask_anew = crash_everywhere(
            CASES["charge"], again=lambda scene: scene.post(Charge, "another", amount=30)
        )
        figure.control = "red" if ask_anew.wrong else "green"
    empty_tables()


def broken() -> int:
    """Return how many invariants `manage.py verify` finds broken."""
    return len([finding for finding in verify() if finding.failures])


if __name__ == "__main__":
    main()
