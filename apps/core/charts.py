"""What a chart of bars shows. Drawn by the tag `bar_chart`, always with the same as a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

HEIGHT = 100  # of the drawing, in its own units; it is stretched to the page
SLOT = 10  # width of one bar with the space beside it
BAR = 8
MOST_SERIES = 6  # as many colours as can be told apart; the rest belongs together as one
MOST_STOPS = 31  # bars that the Tab key visits; of more, the table is the way by keyboard


@dataclass(frozen=True)
class Bar:
    """One bar, stacked of one value for each series."""

    label: str  # 20 Nov
    full_label: str  # Fri 20 Nov 2026
    values: tuple[int, ...]
    url: str = ""  # where its number is explained

    @property
    def total(self) -> int:
        """What its parts make, those below zero included."""
        return sum(self.values)


@dataclass(frozen=True)
class Chart:
    """Bars of one or several series, in the order in which they are stacked."""

    title: str  # Credits used a day
    heading: str  # of the first column of the table: Day
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    nothing: str  # what to say where every bar is zero
    is_large: bool = False
    unit: str = "Credits"  # what the values are

    @property
    def peak(self) -> int:
        """The height of the highest bar."""
        return max((sum(max(0, value) for value in bar.values) for bar in self.bars), default=0)

    @property
    def has_parts(self) -> bool:
        """Whether there is more than one series to tell apart."""
        return len(self.series) > 1

    @property
    def totals(self) -> list[int]:
        """What each series makes over all bars."""
        columns = zip(*(bar.values for bar in self.bars), strict=True)
        return [sum(values) for values in columns] or [0] * len(self.series)


def drawn(chart: Chart) -> Iterator[dict[str, Any]]:
    """Yield each bar with its place and those of its parts, from the bottom up."""
    for number, bar in enumerate(chart.bars):
        yield {
            "bar": bar,
            "x": number * SLOT + (SLOT - BAR) // 2,
            "slot_x": number * SLOT,
            "parts": parts_of(bar, chart.peak),
            "words": words(chart, bar),
        }


def parts_of(bar: Bar, peak: int) -> list[dict[str, int]]:
    """Return where each part of a bar is drawn; what is below zero is left to the table."""
    parts = []
    bottom, reached = HEIGHT, 0
    for series, value in enumerate(bar.values, 1):
        if value <= 0:
            continue
        reached += value
        top = HEIGHT - round((HEIGHT - 4) * reached / peak)
        # Two units at least: a day with one credit must not look like a day without.
        top = min(top, bottom - 2)
        parts.append({"series": series, "y": top, "height": bottom - top})
        bottom = top
    return parts


def words(chart: Chart, bar: Bar) -> str:
    """Return a bar in words, as a screen reader or a pointer at rest tells it."""
    said = f"{bar.full_label}: {bar.total:,}"
    if not chart.has_parts:
        return said
    parts = (
        f"{name} {value:,}" for name, value in zip(chart.series, bar.values, strict=True) if value
    )
    return f"{said} ({', '.join(parts)})" if bar.total else said
