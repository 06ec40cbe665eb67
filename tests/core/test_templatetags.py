"""Numbers, money, times and icons as people read them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from apps.core.templatetags import coffer

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


class TestCredits:
    """The filter `credits`."""

    @pytest.mark.parametrize(
        ("value", "text"), [(0, "0"), (999, "999"), (1234567, "1,234,567"), (-1000, "−1,000")]
    )
    def test_groups_thousands(self, value, text):
        assert coffer.credits(value) == text

    def test_follows_the_language(self):
        with translation.override("de"):
            assert coffer.credits(1234567) == "1.234.567"

    def test_tells_unknown_from_zero(self):
        assert coffer.credits(None) == "—"


class TestSignedCredits:
    """The filter `signed_credits`."""

    @pytest.mark.parametrize(
        ("value", "text"), [(1000, "+1,000"), (-1000, "−1,000"), (0, "0"), (None, "—")]
    )
    def test_says_the_direction_without_colour(self, value, text):
        assert coffer.signed_credits(value) == text


class TestMoney:
    """The filter `money`."""

    @pytest.mark.parametrize(
        ("minor", "currency", "text"),
        [
            (2050, "EUR", "€20.50"),
            (5, "usd", "$0.05"),
            (0, "GBP", "£0.00"),
            (123456, "JPY", "¥123,456"),
            (1234500, "KWD", "KWD\u00a01,234.500"),
            (12345, "CLF", "CLF\u00a01.2345"),
            (-999, "CHF", "−CHF\u00a09.99"),
            (None, "EUR", "—"),
        ],
    )
    def test_has_as_many_digits_as_the_currency(self, minor, currency, text):
        assert coffer.money(minor, currency) == text

    def test_keeps_every_minor_unit_of_large_amounts(self):
        assert coffer.money(900719925474099301, "USD") == "$9,007,199,254,740,993.01"

    def test_follows_the_language(self):
        with translation.override("de"):
            assert coffer.money(123456, "EUR") == "€1.234,56"


class TestPercentOf:
    """The filter `percent_of` and the tag `sum_percent_of`."""

    @pytest.mark.parametrize(
        ("part", "whole", "text"),
        [(3, 8, "37.5%"), (9, 8, "100%"), (-1, 8, "0%"), (1, 0, "0%"), (None, 8, "0%")],
    )
    def test_stays_between_nothing_and_all(self, part, whole, text):
        assert coffer.percent_of(part, whole) == text

    def test_adds_parts(self):
        assert coffer.sum_percent_of(8, 1, 2, None) == "37.5%"


class TestLocalTime:
    """The tags `local_time` and `local_date`."""

    def test_shows_the_viewers_zone_and_says_utc(self):
        with timezone.override("Asia/Kathmandu"):
            shown = coffer.local_time(NOON)
        assert shown == (
            '<time datetime="2026-11-21T12:00:00Z" title="2026-11-21 12:00:00 UTC">'
            "21 Nov 2026, 17:45</time>"
        )

    def test_takes_the_day_from_the_viewers_zone(self):
        with timezone.override("Pacific/Auckland"):
            assert ">22 Nov 2026<" in coffer.local_date(NOON)

    def test_tells_unknown(self):
        assert coffer.local_time(None) == coffer.local_date(None) == coffer.ago(None) == "—"


class TestAgo:
    """The tag `ago`."""

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (2, "just now"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (7199, "1 h ago"),
            (86400, "1 day ago"),
            (3 * 86400, "3 days ago"),
            (-6 * 86400 - 60, "in 6 days"),
            (40 * 86400, "40 days ago"),
            (-307 * 86400, "in 10 months"),
            (800 * 86400, "2 years ago"),
        ],
    )
    def test_names_the_distance(self, seconds, words):
        shown = coffer.ago(NOON - timedelta(seconds=seconds), now=NOON)
        assert f">{words}</time>" in shown


class TestDuration:
    """The filter `duration`."""

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0.42, "0.4 s"), (12, "12 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")],
    )
    def test_keeps_two_units(self, seconds, text):
        assert coffer.duration(timedelta(seconds=seconds)) == text


class TestInitials:
    """The filter `initials`."""

    @pytest.mark.parametrize(
        ("name", "letters"),
        [("Acme Landscapes", "AL"), ("Ada", "A"), ("Ana María de la Cruz", "AC"), ("", "")],
    )
    def test_takes_the_first_and_the_last_word(self, name, letters):
        assert coffer.initials(name) == letters


class TestIcon:
    """The tag `icon`."""

    def test_hides_decoration_from_screen_readers(self):
        assert 'aria-hidden="true"' in coffer.icon("wallet")

    def test_speaks_when_it_stands_alone(self):
        assert 'role="img" aria-label="a &quot;b&quot;"' in coffer.icon("wallet", label='a "b"')
