"""A COMMIT whose answer is lost: the client repeats, and pays once."""

import pytest

from apps.core.invariants import verify
from tests.credits.wallets import make_wallet
from tests.races.lost_answers import (
    charges_by_wish,
    with_one_key,
    with_one_reference,
    without_any_key,
)

pytestmark = pytest.mark.django_db(transaction=True)
WISHES = 24


def wish_by(want):
    wallet = make_wallet(credits=1000)
    charged, relay = charges_by_wish(wallet.id, want, wishes=WISHES, connections=4, share=0.3)
    assert relay.lost_answers > 0
    assert relay.lost_commits > 0
    assert [finding for finding in verify() if finding.failures] == []
    assert len(charged) == WISHES  # nobody went away without what he wished for
    return charged, relay


class TestALostAnswer:
    @pytest.mark.parametrize("want", [with_one_reference, with_one_key])
    def test_is_no_second_charge(self, want):
        charged, _ = wish_by(want)

        assert set(charged.values()) == {1}

    def test_doubles_charges_that_have_no_key(self):
        """The control: each answer that was lost is a charge too many."""
        charged, relay = wish_by(without_any_key)

        assert charged.total() == WISHES + relay.lost_answers
