"""The arithmetic of billing: periods, prorations, discounts, taxes, dunning, balances."""

from decimal import Decimal

import pytest

from simulator.arithmetic.dunning import DAY, Policy, next_attempt
from simulator.arithmetic.periods import anchored, period_at, shifted
from simulator.arithmetic.proration import rounded, share
from simulator.arithmetic.reductions import Reducible, Reduction, reduce, spread
from simulator.arithmetic.settlement import settle
from simulator.arithmetic.taxation import Rate, taxes
from tests.simulator.billing import day, seconds


def days(anchor, interval, count=1, periods=5):
    start = seconds(anchor)
    return [day(shifted(start, interval, count * number)) for number in range(periods)]


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "expected"),
    [
        ("2026-01-31", "month", 1, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2028-01-30", "month", 1, ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30"]),
        ("2026-11-30", "month", 3, ["2026-11-30", "2027-02-28", "2027-05-30", "2027-08-30"]),
        ("2028-02-29", "year", 1, ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28"]),
        ("2026-12-25", "week", 1, ["2026-12-25", "2027-01-01", "2027-01-08", "2027-01-15"]),
        ("2026-12-31", "day", 1, ["2026-12-31", "2027-01-01", "2027-01-02", "2027-01-03"]),
    ],
)
def test_periods_are_counted_from_the_anchor(anchor, interval, count, expected):
    assert days(anchor, interval, count, 4) == expected


def test_a_leap_day_comes_back_in_the_next_leap_year():
    assert day(shifted(seconds("2028-02-29"), "year", 4)) == "2032-02-29"


@pytest.mark.parametrize("interval", ["day", "week", "month", "year"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_moment_lies_in_one_period_and_periods_touch(interval, count):
    anchor = seconds("2026-01-31")
    for offset in range(-400, 1200, 7):
        at = anchor + offset * DAY
        start, end = period_at(anchor, interval, count, at)
        assert start <= at < end
        assert period_at(anchor, interval, count, end)[0] == end
        assert period_at(anchor, interval, count, start) == (start, end)


@pytest.mark.parametrize(
    ("now", "config", "expected"),
    [
        ("2026-01-15", {"day_of_month": 31}, "2026-01-31"),
        ("2026-02-15", {"day_of_month": 31}, "2026-02-28"),
        ("2026-01-15", {"day_of_month": 1}, "2026-02-01"),
        ("2026-12-15", {"day_of_month": 1, "hour": 0}, "2027-01-01"),
    ],
)
def test_an_anchor_is_the_next_such_day(now, config, expected):
    assert day(anchored(seconds(now), "month", config)) == expected


def test_a_month_for_the_anchor_of_a_year():
    config = {"day_of_month": 1, "month": 4}
    assert day(anchored(seconds("2026-06-01"), "year", config)) == "2027-04-01"


@pytest.mark.parametrize(
    ("at", "expected"),
    [(0, 1000), (250, 750), (500, 500), (999, 1), (1000, 0), (1500, 0), (-5, 1000)],
)
def test_a_share_is_what_is_left_of_the_period(at, expected):
    assert share(1000, 0, 1000, at) == expected


def test_a_share_is_rounded_half_away_from_zero_and_an_empty_period_has_none():
    assert [share(amount, 0, 2, 1) for amount in (1, 3, -1)] == [1, 2, -1]
    assert [rounded(-3, 2), rounded(3, -2), rounded(1, 3)] == [-2, -2, 0]
    assert share(1000, 5, 5, 5) == 0


@pytest.mark.parametrize("total", range(0, 1001, 37))
def test_parts_always_add_up(total):
    parts = spread(total, [333, 333, 334, 0, 1])
    assert sum(parts) == total
    assert min(parts) >= 0
    assert spread(0, []) == []


def test_a_lines_own_discounts_come_first_and_each_takes_of_what_is_left():
    own = Reduction("own", percent=Decimal(50))
    lines = [Reducible("a", 1000, own=(own,)), Reducible("b", 500)]
    taken = reduce(lines, [Reduction("all", percent=Decimal(10))])
    assert taken == {"a": [("own", 500), ("all", 50)], "b": [("all", 50)]}


def test_an_amount_is_spread_and_never_more_than_there_is():
    lines = [Reducible("a", 300), Reducible("b", 100), Reducible("c", -200)]
    assert reduce(lines, [Reduction("x", amount=100)]) == {
        "a": [("x", 75)],
        "b": [("x", 25)],
        "c": [],
    }
    taken = reduce(lines, [Reduction("x", amount=9999)])
    assert taken == {"a": [("x", 300)], "b": [("x", 100)], "c": []}


def test_a_discount_may_be_for_some_products_and_leaves_some_lines_alone():
    lines = [
        Reducible("a", 1000, "prod_1"),
        Reducible("b", 1000, "prod_2"),
        Reducible("c", 1000, "prod_1", is_discountable=False),
    ]
    only = Reduction("x", percent=Decimal(10), products=frozenset(["prod_1"]))
    assert reduce(lines, [only]) == {"a": [("x", 100)], "b": [], "c": []}


def test_taxes_on_top_and_inside():
    top = Rate("t", Decimal("8.25"), is_inclusive=False)
    inside = Rate("i", Decimal(19), is_inclusive=True)
    assert [(tax.amount, tax.taxable) for tax in taxes(1000, [top])] == [(83, 1000)]
    assert [(tax.amount, tax.taxable) for tax in taxes(11900, [inside])] == [(1900, 10000)]
    assert [tax.amount for tax in taxes(-1000, [top])] == [-83]
    assert taxes(1000, []) == []


@pytest.mark.parametrize(
    ("total", "balance", "expected"),
    [
        (1000, 0, (1000, 0)),
        (1000, -400, (600, 0)),
        (1000, -1500, (0, -500)),
        (1000, 200, (1200, 0)),
        (-300, 0, (0, -300)),
        (-300, 100, (0, -200)),
        (-300, 500, (0, 200)),
        (30, 0, (0, 30)),
        (30, 30, (60, 0)),
        (0, 0, (0, 0)),
    ],
)
def test_balance_and_invoice_settle_to_the_same_sum(total, balance, expected):
    assert settle(total, balance, "usd") == expected
    assert sum(expected) == total + balance


def test_an_invoice_that_is_sent_may_be_small():
    assert settle(30, 0, "usd", is_charged=False) == (30, 0)
    assert settle(1, 0, "krw") == (1, 0)


def test_it_is_tried_again_as_often_as_the_policy_says():
    policy = Policy(days=(1, 2))
    assert [next_attempt(policy, attempts, 0) for attempts in range(5)] == [
        None, DAY, 2 * DAY, None, None,
    ]  # fmt: skip
    assert next_attempt(Policy(days=()), 1, 0) is None
