"""Bars, and the same as a table."""

import re
from pathlib import Path

import pytest
from django.template import Context, Template

from apps.core.charts import Bar, Chart, drawn
from tests.core.test_look import contrast, theme_tokens

TOKENS = Path(__file__).resolve().parents[2] / "frontend" / "tokens.css"


def chart(*values, series=("render", "store"), url="/day/", **fields):
    bars = tuple(
        Bar(f"{n} Jun", f"{n} June", tuple(parts), url) for n, parts in enumerate(values, 1)
    )
    return Chart("Used a day", "Day", series, bars, nothing="Nothing at all", **fields)


def html(shown):
    page = Template("{% load coffer %}{% bar_chart shown %}").render(Context({"shown": shown}))
    return re.sub(r"\s+", " ", page)


class TestParts:
    def heights(self, *values):
        return [[part["height"] for part in one["parts"]] for one in drawn(chart(*values))]

    def test_are_stacked_from_the_bottom_and_scaled_to_the_highest_bar(self):
        (low, high) = drawn(chart([50, 0], [100, 100]))

        assert [(part["y"], part["height"]) for part in low["parts"]] == [(76, 24)]
        assert [(part["y"], part["height"]) for part in high["parts"]] == [(52, 48), (4, 48)]
        assert [part["series"] for part in high["parts"]] == [1, 2]

    def test_can_be_seen_however_small(self):
        assert self.heights([1, 1], [10_000, 0])[0] == [2, 2]

    def test_below_zero_are_not_drawn(self):
        assert self.heights([-5, 10]) == [[96]]


class TestBarChart:
    def test_says_the_same_as_a_table(self):
        page = html(chart([3, 4], [0, -2]))

        rows = re.findall(r"<tr>(.*?)</tr>", page)
        cells = [re.sub(r"<[^>]+>", " ", row).split() for row in rows]
        assert cells == [
            ["Day", "render", "store", "Credits"],
            ["2", "June", "0", "−2", "−2"],
            ["1", "June", "3", "4", "7"],
        ]

    def test_tells_each_bar_in_words(self):
        assert 'aria-label="1 June: 7 (render 3, store 4)"' in html(chart([3, 4]))

    def test_is_a_group_of_links_where_bars_lead_somewhere(self):
        page = html(chart([3, 4]))

        assert 'role="group"' in page
        assert page.count('href="/day/"') == 2  # the bar, and its row
        assert 'role="img"' in html(chart([3, 4], url=""))

    def test_leaves_the_keyboard_to_the_table_where_bars_are_many(self):
        assert 'tabindex="-1"' not in html(chart(*[[1, 1]] * 31))
        assert html(chart(*[[1, 1]] * 32)).count('tabindex="-1"') == 32

    def test_names_its_series_with_their_sums(self):
        page = html(chart([3, 4], [1, 0]))

        assert re.findall(r"<li.*?<span>(\w+)</span>.*?>(\d+)<", page) == [
            ("render", "4"),
            ("store", "4"),
        ]
        assert "From the bottom up" not in html(chart([3], series=("Credits",)))

    def test_says_where_there_is_nothing(self):
        page = html(chart([0, 0]))

        assert "Nothing at all" in page
        assert "<svg" not in page

    @pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
    @pytest.mark.parametrize("series", range(1, 7))
    def test_can_be_seen_on_its_ground(self, theme, series):
        found = re.findall(rf"--series-{series}: #([0-9a-f]{{6}});", TOKENS.read_text())

        assert contrast(bytes.fromhex(found[theme]), theme_tokens(theme)["base-100"]) >= 3
        assert found[1:] == [found[1]] * 2  # dark by choice and by the system's wish
