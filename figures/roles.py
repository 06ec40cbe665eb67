"""Random lives of roles: nobody escalates, the last owner stays, and broken rules are noticed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from unittest import mock

from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.rbac import selectors
from apps.rbac.services import accepting, assignments, custom_roles, members, ownership
from figures.lines import SEED, Report, scaled
from tests.database import migrated_database
from tests.rbac.machine import RoleMachine, WithoutOwnersMachine

LIVES = 100
STEPS_OF_A_LIFE = 30
MACHINES = {"roles": RoleMachine, "roles_without_owners": WithoutOwnersMachine}


def never_asks(name: str, *modules: ModuleType) -> Callable[[], ExitStack]:
    """Return what lets a check of these modules pass whatever it is asked."""

    def broken() -> ExitStack:
        stack = ExitStack()
        for module in modules:
            stack.enter_context(mock.patch.object(module, name, return_value=None))
        return stack

    return broken


@contextmanager
def keys_without_scopes() -> Iterator[None]:
    """Let a key give whatever the person may who made it."""
    held_by = selectors.held_by
    with mock.patch.object(
        selectors, "held_by", lambda user, where, key=None: held_by(user, where)
    ):
        yield


# What a slip of the pen could leave out; each must be noticed by living on.
BROKEN_RULES = {
    "roles are changed by everyone": never_asks("check_may", custom_roles),
    "a role gets what its editor lacks": never_asks("check_held", custom_roles),
    "members are changed by everyone": never_asks("check_may", members, assignments),
    "any role is given": never_asks("check_may_give", members, assignments),
    "members change those who may do more": never_asks("check_rank", members, assignments),
    "the last owner goes": never_asks("check_other_owner", members, ownership),
    "roles of other organizations are given": never_asks("_check_known", members),
    "nobody asks again who invited": never_asks("_check_backed", accepting),
    "keys give beyond their scopes": keys_without_scopes,
}


def main() -> None:
    """Print the figures of roles alone."""
    report = Report()
    with migrated_database():
        the_roles(report)
    report.end()


def the_roles(report: Report) -> None:
    """Everything that can be tried with roles, by everyone, in sequences nobody thought of."""
    lives = scaled(LIVES)
    for name, machine in MACHINES.items():
        with report.figure(
            f"no_escalation_in_{name}", asked=lives * STEPS_OF_A_LIFE // 2
        ) as figure:
            machine.steps = 0
            figure.failures = int(escalates(machine, lives=lives))
            figure.examined = machine.steps
    with report.figure("broken_role_rules_are_noticed", asked=len(BROKEN_RULES)) as figure:
        for name, broken in BROKEN_RULES.items():
            with broken():  # in the same lives, in which nobody escalated with the rule
                is_noticed = escalates(RoleMachine, lives=lives, is_quiet=True)
            figure.examined += 1
            if not is_noticed:
                figure.failures += 1
                print(f"    nobody noticed that {name}")
        figure.control = "green" if figure.failures else "red"


def escalates(
    machine: type[RoleMachine], number: int = SEED, *, lives: int, is_quiet: bool = False
) -> bool:
    """Live so many random lives, and tell whether anybody ever had what he should not have."""
    chosen = settings(
        max_examples=lives,
        stateful_step_count=STEPS_OF_A_LIFE,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # the seed finds it again; shrinking takes minutes
    )
    try:
        # Rolled back, so that the last lives are as quick as the first.
        with transaction.atomic():
            try:
                run_state_machine_as_test(seed(number)(machine), settings=chosen)
            finally:
                transaction.set_rollback(True)
    except (AssertionError, DatabaseError) as escalation:
        if not is_quiet:
            print(f"    {escalation!r}")
        return True
    return False


if __name__ == "__main__":
    main()
