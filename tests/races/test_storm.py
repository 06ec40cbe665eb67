"""Everything at once on shared wallets: no deadlock, no error, nothing broken."""

import pytest

from apps.core.invariants import verify
from apps.credits.models import CreditTransaction
from tests.races.deadlocks import deadlocks_counted
from tests.races.storm import locked_as_asked, make_storm

pytestmark = pytest.mark.django_db(transaction=True)


class TestAStorm:
    def test_of_all_commands_leaves_nothing_broken(self):
        storm = make_storm(5, seed=1)

        with deadlocks_counted() as told:
            said = storm.rage(connections=16, steps=30)

        assert (told.deadlocks, storm.errors) == (0, [])
        assert storm.wrongly_told() == 0
        assert [finding for finding in verify() if finding.failures] == []
        assert said["done"] > 100
        assert said["replayed"] > 0
        written = CreditTransaction.objects.values_list("transaction_type", flat=True)
        assert {"consumed", "held", "released", "expired", "transferred_in"} <= set(written)

    def test_deadlocks_if_wallets_are_locked_as_asked(self):
        """The control: if this passed, no deadlock above would prove nothing."""
        storm = make_storm(2, seed=2)

        with deadlocks_counted() as told, locked_as_asked():
            storm.rage(connections=16, steps=8)

        assert told.deadlocks > 0
        assert any("deadlock" in error for error in storm.errors)
        assert [finding for finding in verify() if finding.failures] == []
