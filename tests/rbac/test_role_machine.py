"""No sequence of steps over roles escalates, the last owner stays, and broken rules are noticed."""

import pytest

from figures.roles import BROKEN_RULES, escalates
from tests.rbac.machine import RoleMachine, WithoutOwnersMachine

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("machine", [RoleMachine, WithoutOwnersMachine])
def test_no_sequence_escalates(machine):
    machine.steps = machine.done = 0

    assert not escalates(machine, 1, lives=6)

    assert machine.steps > 60
    assert machine.done > 5


# Those that are noticed soon; figures/roles.py leaves out each rule there is.
@pytest.mark.parametrize(
    "rule", ["members are changed by everyone", "any role is given", "the last owner goes"]
)
def test_a_broken_rule_is_noticed(rule):
    with BROKEN_RULES[rule]():
        assert escalates(RoleMachine, 1, lives=100, is_quiet=True)
