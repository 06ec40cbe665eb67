"""How lots stand, and why they burn in their order."""

from decimal import Decimal

import pytest

from apps.credits import selectors
from apps.credits.models import Lot
from apps.credits.selectors import Balance, Reason, Status
from tests.credits.reading.history import DAY, NOON, at, charge, grant

SOON, LATER = NOON + DAY, NOON + 5 * DAY
PAID = {"currency": "eur"}


def standings(wallet):
    with at(NOON):
        return selectors.lots_with_credits(wallet)


class TestBurnOrder:
    @pytest.mark.parametrize(
        ("first", "second", "reason", "words"),
        [
            ({"kind": "trial"}, {"kind": "purchase"}, Reason.PRIORITY, "0 goes before 50"),
            ({"expires_at": SOON}, {"expires_at": LATER}, Reason.ENDS_SOONER, "ends sooner"),
            ({"expires_at": SOON}, {}, Reason.ENDS_SOONER, "has an end"),
            (
                {"kind": "promotional", "priority": 50},
                {"kind": "purchase"},
                Reason.KIND,
                "promotional before bought",
            ),
            (
                {"unit_cost": Decimal(1), **PAID},
                {"unit_cost": Decimal(2), **PAID},
                Reason.COST,
                "cost less",
            ),
            ({"effective_at": NOON - DAY}, {"effective_at": NOON}, Reason.AGE, "older"),
        ],
    )
    def test_gives_the_first_rule_in_which_two_differ(self, wallet, first, second, reason, words):
        with at(NOON):
            grant(wallet, "second", **second)
            grant(wallet, "first", **first)

        one, two = standings(wallet)

        assert (one.lot.origin, one.place, one.reason) == ("first", 1, reason)
        assert words in one.explanation
        assert (two.place, two.reason) == (2, Reason.LAST)

    def test_is_the_order_in_which_a_charge_draws(self, wallet):
        with at(NOON):
            grant(wallet, "bought", 40)
            grant(wallet, "gift", 40, Lot.Kind.PROMOTIONAL, expires_at=LATER)
            grant(wallet, "trial", 40, Lot.Kind.TRIAL)
            places = {one.lot.id: one.place for one in standings(wallet)}
            drawn = charge(wallet, "job:1", 12).entries

        assert [places[entry.lot_id] for entry in drawn] == [1, 2, 3]


class TestStatus:
    def test_tells_apart_what_cannot_be_drawn_from(self, wallet):
        with at(NOON - 2 * DAY):
            grant(wallet, "expired", expires_at=NOON)
        with at(NOON - DAY):
            grant(wallet, "open")
            grant(wallet, "scheduled", effective_at=SOON)
            grant(wallet, "frozen")
        Lot.objects.filter(origin="frozen").update(frozen_at=NOON)

        found = {one.lot.origin: (one.status, one.place) for one in standings(wallet)}

        assert found == {
            "open": (Status.OPEN, 1),
            "scheduled": (Status.SCHEDULED, None),
            "frozen": (Status.FROZEN, None),
            "expired": (Status.EXPIRED, None),
        }

    def test_of_an_empty_lot_is_used_up(self, wallet):
        with at(NOON):
            grant(wallet, "small", 10)
            charge(wallet, "job:1")

        assert standings(wallet) == []
        (ended,) = selectors.ended_lots(wallet, limit=9)
        assert (ended.status, ended.used) == (Status.USED_UP, 10)

    def test_before_a_freeze_was_open(self, wallet):
        with at(NOON):
            grant(wallet, "frozen")
        Lot.objects.update(frozen_at=LATER)

        (one,) = selectors.lots_at(wallet, SOON)
        assert one.status == Status.OPEN

    def test_of_what_is_owed_is_debt_and_counts_as_such(self):
        owed = Lot(kind="debt", granted=-30, remaining=-30, effective_at=NOON, priority=0)

        (one,) = selectors.lots.in_burn_order([(owed, -30)], at=NOON)

        assert (one.status, one.place) == (Status.DEBT, None)
        assert selectors.balance_from([one], held=0) == Balance(0, 0, debt=30)
