"""Every number can be taken apart, and its parts make it."""

import pytest

from apps.credits import selectors
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import explaining
from tests.credits.reading.history import DAY, NOON, at, charge, grant, random_life, refund


class TestExplainBalance:
    @pytest.mark.parametrize("seed", [11, 12, 13])
    def test_adds_up_to_the_balance_at_any_moment(self, wallet, seed):
        for moment, live, _ in random_life(wallet, seed=seed):
            explained = selectors.explain_balance(wallet, as_of=moment)

            assert explained.adds_up
            assert explained.amount == live.available

    def test_names_what_moved_each_lot(self, wallet):
        with at(NOON):
            grant(wallet, "a", 100)
            charge(wallet, "job:1", 3)
            charge(wallet, "job:2", 1)
            refund(wallet, "job:2")
            (lot,) = selectors.explain_balance(wallet).parts

        assert (lot.amount, lot.count) == (70, 4)
        assert [(part.label, part.amount, part.count) for part in lot.parts] == [
            ("Purchased (test)", 100, 1),
            ("Refunded (test)", 10, 1),
            ("Used (test)", -40, 2),
        ]

    def test_tells_what_does_not_count_and_why(self, wallet):
        with at(NOON):
            grant(wallet, "later", 60, effective_at=NOON + DAY)
            explained = selectors.explain_balance(wallet)

        assert (explained.amount, explained.parts) == (0, ())
        (beside,) = explained.beside
        assert (beside.amount, beside.note) == (60, "has not begun")

    def test_would_not_add_up_if_a_lot_held_what_nobody_granted(self, wallet, monkeypatch):
        with at(NOON):
            grant(wallet, "a", 100)
            true = selectors.lots_at(wallet, NOON)
        (one,) = true
        false = [explaining.Standing(one.lot, 150, one.status, 1)]
        monkeypatch.setattr(explaining, "lots_at", lambda *_, **__: false)

        assert not selectors.explain_balance(wallet, as_of=NOON).adds_up


class TestExplainUsage:
    def test_adds_up_to_what_the_chart_shows(self, wallet):
        with at(NOON):
            grant(wallet, "a", 1000)
            charge(wallet, "job:1", 7)
            charge(wallet, "job:2", 2)
            charge(wallet, "job:3", 5, event="store")
            refund(wallet, "job:2")
            day = selectors.usage_by_day(wallet, days=1)[0]
            explained = selectors.explain_usage(wallet, day.day)

        assert explained.adds_up
        assert explained.amount == day.credits == 75
        assert [(part.label, part.amount) for part in explained.parts] == [
            ("render", 70),
            ("store", 5),
        ]

    def test_sums_up_what_it_does_not_list(self, wallet, monkeypatch):
        monkeypatch.setattr(explaining, "SHOWN", 2)
        with at(NOON):
            grant(wallet, "a", 1000)
            for number in range(5):
                charge(wallet, f"job:{number}", number + 1)
            explained = selectors.explain_usage(wallet, NOON.date())

        (render,) = explained.parts
        assert explained.adds_up
        assert [part.amount for part in render.parts] == [50, 40, 60]
        assert (render.parts[-1].label, render.parts[-1].count) == ("3 earlier ones", 3)

    def test_of_one_person_leaves_out_the_others(self, wallet):
        with at(NOON):
            grant(wallet, "a", 1000)
            charge(wallet, "job:1", 1, actor="user:one")
            charge(wallet, "job:2", 2, actor="user:two")
            explained = selectors.explain_usage(wallet, NOON.date(), actor="user:two")

        assert explained.amount == 20


class TestExplainTransaction:
    def test_takes_a_charge_apart_by_lots(self, wallet):
        with at(NOON):
            grant(wallet, "trial", 15, Lot.Kind.TRIAL)
            grant(wallet, "bought", 100)
            charge(wallet, "job:1", 3)
            refund(wallet, "job:1", amount=5)
        explained = selectors.explain_transaction(operation(wallet, "consumed"))

        assert explained.adds_up
        assert (explained.amount, [part.amount for part in explained.parts]) == (-30, [-15, -15])
        assert [part.amount for part in explained.beside] == [5]
        assert "The balance was 115 before and 85 after it." in explained.sentence
        assert "3 × render at 10 credits" in explained.sentence

    def test_adds_up_where_the_credits_expire_at_once(self, wallet):
        with at(NOON):
            grant(wallet, "dies", 10, Lot.Kind.TRIAL, expires_at=NOON + DAY)
            grant(wallet, "dies too", 10, Lot.Kind.PROMOTIONAL, expires_at=NOON + DAY)
            charge(wallet, "job:1", 2)
        with at(NOON + 2 * DAY):
            refund(wallet, "job:1", is_our_fault=False)
        explained = selectors.explain_transaction(operation(wallet, "refunded"))

        assert [part.transaction.sequence for part in explained.parts] == [5, 6]
        assert explained.adds_up
        assert explained.amount == 20


def operation(wallet, transaction_type):
    entries = CreditTransaction.objects.filter(wallet=wallet, transaction_type=transaction_type)
    return selectors.operations(entries.order_by("-sequence")[:1])[0]
