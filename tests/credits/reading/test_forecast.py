"""When credits run out: known rates give known dates, and bounds hold as often as they say."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.credits import selectors
from apps.credits.models import Lot
from apps.credits.selectors import Basis
from apps.credits.selectors.burning import Pool, burn, rate_of
from tests.credits.reading.history import DAY, NOON, at, charge, grant

TODAY = NOON.date()


def days_before(*used):
    """Return the days before today with what was used on each, the last one yesterday."""
    return [(TODAY - timedelta(days=len(used) - i), credits) for i, credits in enumerate(used)]


def pool(left, *, begins=None, ends=None, order=0):
    return Pool(uuid4(), left, begins or NOON - DAY, ends, order)


class TestRateOf:
    def test_knows_a_steady_rate_exactly(self):
        rate = rate_of(days_before(*[10] * 30), today=TODAY)

        assert rate.expected[30] == rate.low[30] == rate.high[30] == 300

    def test_tells_weekdays_apart_after_four_weeks(self):
        history = [(day, 70 if day.weekday() == 0 else 0) for day, _ in days_before(*[0] * 28)]
        rate = rate_of(history, today=TODAY)  # a Monday

        assert [int(rate.expected[n]) for n in (1, 2, 7, 8)] == [70, 70, 70, 140]
        assert rate.low[365] == rate.high[365]

    def test_does_not_with_less(self):
        rate = rate_of(days_before(*[70, 0, 0, 0, 0, 0, 0]), today=TODAY)

        assert [int(rate.expected[n]) for n in (1, 2, 7)] == [10, 20, 70]
        assert rate.low[7] < 70 < rate.high[7]

    def test_only_grows(self):
        rate = rate_of(days_before(*[0] * 9, 500), today=TODAY)

        for path in (rate.low, rate.expected, rate.high):
            assert list(path) == sorted(path)
            assert path[0] == 0

    @pytest.mark.parametrize("days", [7, 14, 30])
    @pytest.mark.parametrize("ahead", [3, 20])
    def test_holds_as_often_as_it_says(self, days, ahead):
        # 300 histories and futures of one process: four of five futures lie between the bounds.
        rng = random.Random(days * 100 + ahead)

        def draw(count):
            return [rng.choice([0, 0, 5, 10, 20, 30, 45]) for _ in range(count)]

        inside = 0
        for _ in range(300):
            rate = rate_of(days_before(*draw(days)), today=TODAY)
            inside += rate.low[ahead] <= sum(draw(ahead)) <= rate.high[ahead]

        assert 0.72 <= inside / 300 <= 0.90


class TestBurn:
    def used(self, a_day):
        return rate_of(days_before(*[a_day] * 7), today=TODAY).expected

    def test_runs_out_on_the_day_that_is_not_covered(self):
        burned = burn([pool(100)], self.used(10), now=NOON)

        assert burned.runs_out_at == NOON + 10 * DAY

    def test_lasts_where_nothing_is_used(self):
        assert burn([pool(1)], self.used(0), now=NOON).runs_out_at is None

    def test_runs_out_at_once_without_credits(self):
        assert burn([], self.used(10), now=NOON).runs_out_at == NOON

    def test_leaves_what_a_lot_had_when_it_expired(self):
        ending = pool(100, ends=NOON + 3 * DAY)
        burned = burn([ending, pool(50, order=1)], self.used(10), now=NOON)

        assert burned.unused == {ending.id: 70}
        assert burned.runs_out_at == NOON + 8 * DAY

    def test_uses_a_lot_until_the_hour_at_which_it_ends(self):
        ending = pool(100, ends=NOON + DAY / 2)

        assert burn([ending], self.used(10), now=NOON).unused == {ending.id: 95}

    def test_burns_in_order(self):
        first = pool(25, ends=NOON + 3 * DAY, order=0)
        second = pool(25, ends=NOON + 3 * DAY, order=1)

        assert burn([second, first], self.used(10), now=NOON).unused == {second.id: 20}

    def test_counts_what_begins_in_time(self):
        later = pool(50, begins=NOON + 5 * DAY)

        assert burn([pool(50), later], self.used(10), now=NOON).runs_out_at == NOON + 10 * DAY
        assert burn([pool(40), later], self.used(10), now=NOON).runs_out_at == NOON + 4 * DAY


@pytest.fixture
def steady(wallet):
    """Ten credits a day for forty days before noon, out of a lot of 1,000 without an end."""
    with at(NOON - 41 * DAY):
        grant(wallet, "a", 1000)
    for number in range(40, 0, -1):
        with at(NOON - number * DAY):
            charge(wallet, f"job:{number}")
    return wallet


class TestForecastOf:
    def test_tells_the_date_at_a_steady_rate(self, steady):
        with at(NOON):
            forecast = selectors.forecast_of(steady)

        assert (forecast.basis, forecast.days, forecast.used) == (Basis.USAGE, 30, 300)
        assert forecast.runs_out_on == TODAY + timedelta(days=60)
        assert forecast.earliest_on == forecast.latest_on == forecast.runs_out_on
        assert forecast.is_by_weekday

    def test_names_what_will_expire_unused(self, steady):
        with at(NOON):
            grant(steady, "gift", 90, Lot.Kind.PROMOTIONAL, expires_at=NOON + 4 * DAY)
            forecast = selectors.forecast_of(steady)

        (gift,) = forecast.unused
        assert (gift.lot.origin, gift.amount, gift.at_least, gift.at_most) == ("gift", 50, 50, 50)
        assert forecast.unused_credits == 50
        assert forecast.runs_out_on == TODAY + timedelta(days=64)

    def test_gives_a_range_where_days_differ(self, wallet):
        with at(NOON - 21 * DAY):
            grant(wallet, "a", 1000)
        for number in range(20, 0, -1):
            with at(NOON - number * DAY):
                charge(wallet, f"job:{number}", 1 + number % 3)
        with at(NOON):
            forecast = selectors.forecast_of(wallet)

        assert forecast.earliest_on < forecast.runs_out_on < forecast.latest_on
        assert not forecast.is_by_weekday

    def test_waits_for_a_week_of_days(self, wallet):
        with at(NOON - 7 * DAY):
            grant(wallet, "a")
        with at(NOON):
            assert selectors.forecast_of(wallet).basis == Basis.TOO_LITTLE_HISTORY
        with at(NOON + DAY):
            assert selectors.forecast_of(wallet).basis == Basis.NO_USAGE

    def test_of_a_new_wallet_is_none(self, wallet):
        forecast = selectors.forecast_of(wallet)

        assert (forecast.basis, forecast.days) == (Basis.TOO_LITTLE_HISTORY, 0)

    def test_without_usage_loses_all_that_ends(self, wallet):
        with at(NOON - 40 * DAY):
            grant(wallet, "a", 100, expires_at=NOON + 9 * DAY)
        with at(NOON):
            forecast = selectors.forecast_of(wallet)

        assert (forecast.basis, forecast.runs_out_on) == (Basis.NO_USAGE, None)
        assert forecast.unused_credits == 100

    def test_counts_a_lot_only_where_its_use_was_seen(self, steady):
        with at(NOON):
            grant(steady, "stores", 500, features=("storage",))
            without = selectors.forecast_of(steady)
            grant(steady, "renders", 500, features=("compute",))
            within = selectors.forecast_of(steady)

        assert without.runs_out_on == TODAY + timedelta(days=60)
        assert within.runs_out_on == TODAY + timedelta(days=110)

    def test_asks_as_often_for_many_lots(self, steady, django_assert_num_queries):
        with at(NOON):
            for number in range(5):
                grant(steady, f"gift:{number}", expires_at=NOON + number * DAY + DAY)
            with django_assert_num_queries(4):
                selectors.forecast_of(steady)
