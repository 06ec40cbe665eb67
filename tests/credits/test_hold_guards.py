"""
What the database refuses of holds, corrections and closed months, and each of its keys.

Every row of the table is a write that one guard refuses: tried as things are, and with
that guard removed. The last test reads the catalogue, so that none is forgotten.
"""

from unittest import mock

import pytest
from django.db import IntegrityError

from apps.credits.ledger import rows
from apps.credits.services.holds import hold_amount
from figures.guards import guards_of_credits
from tests.credits import test_guards
from tests.races.guard_table import GUARDS, keys
from tests.races.guarded import fill_the_other_tables, make_guarded_wallet
from tests.races.guards import missing

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet():
    wallet = make_guarded_wallet()
    fill_the_other_tables(wallet)
    return wallet


class TestEachGuard:
    @pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
    def test_is_what_refuses(self, wallet, guard):
        assert guard.is_what_refuses()

    def test_of_the_keys_is_what_refuses(self, wallet):
        wrong = [g.name for g in keys() if not g.is_what_refuses()]

        assert wrong == []

    def test_has_a_write_that_it_refuses(self, wallet):
        named = {guard.name for guard in GUARDS + keys()}

        assert missing(named | {guard.name for guard in test_guards.GUARDS}) == {}

    def test_is_red_in_the_figure(self):
        lines = guards_of_credits()

        assert [line.name for line in lines.values() if not line.is_red] == []
        assert missing(set(lines)) == {}


class TestHeldCredits:
    def test_cannot_be_moved_without_a_hold(self):
        wallet = make_guarded_wallet()

        with (
            mock.patch.object(rows, "insert_holds"),
            pytest.raises(IntegrityError, match="without a hold"),
        ):
            hold_amount(wallet=wallet, amount=1, reference="lost", source="test")
