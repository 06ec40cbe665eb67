"""Template tags that write numbers, money, times and icons the same way on every page."""

from datetime import UTC, datetime, timedelta

from django import template
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core import charts
from apps.core.money import MINUS, format_money, grouped

register = template.Library()

UNKNOWN = "—"
SPRITE = "vendor/lucide/icons.svg"

DAY = 86400  # seconds
STEPS = ((60, "min"), (3600, "h"), (DAY, "day"), (61 * DAY, "month"), (730 * DAY, "year"))
LENGTHS = {"month": 30.44 * DAY, "year": 365.25 * DAY}  # where a step begins later than at one
LONG_UNITS = {"day", "month", "year"}


@register.filter
def credits(value: int | None) -> str:
    """Write credits with the locale's thousands separator; an unknown number is a dash."""
    if value is None:
        return UNKNOWN
    return f"{MINUS if value < 0 else ''}{grouped(abs(value))}"


@register.filter
def signed_credits(value: int | None) -> str:
    """Write credits with their sign, plus included, so that colour is never the only mark."""
    if value is None:
        return UNKNOWN
    return f"+{credits(value)}" if value > 0 else credits(value)


@register.filter
def money(minor: int | None, currency: str) -> str:
    """Write an amount of money given in minor units; an unknown amount is a dash."""
    return UNKNOWN if minor is None else format_money(minor, currency)


@register.filter
def percent_of(part: int | None, whole: int | None) -> str:
    """Write a share as a percentage between 0 and 100 for an SVG attribute: `37.5%`."""
    if not part or not whole:
        return "0%"
    return f"{min(max(part / whole, 0), 1) * 100:.4g}%"


@register.simple_tag
def sum_percent_of(whole: int | None, *parts: int | None) -> str:
    """Write what several parts make of a whole together, as `percent_of` does for one."""
    return percent_of(sum(part or 0 for part in parts), whole)


def _time_tag(moment: datetime, text: str) -> SafeString:
    in_utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        in_utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{in_utc:%Y-%m-%d %H:%M:%S} UTC",
        text,
    )


@register.simple_tag
def local_time(moment: datetime | None) -> str:
    """Write a moment in the viewer's time zone; the title says it in UTC."""
    if moment is None:
        return UNKNOWN
    return _time_tag(moment, formats.date_format(timezone.localtime(moment), "j M Y, H:i"))


@register.simple_tag
def local_date(moment: datetime | None) -> str:
    """Write the day of a moment in the viewer's time zone; the title says the moment in UTC."""
    if moment is None:
        return UNKNOWN
    return _time_tag(moment, formats.date_format(timezone.localtime(moment), "j M Y"))


def _distance(seconds: float) -> str:
    size, unit = next(((size, unit) for size, unit in reversed(STEPS) if seconds >= size), (1, "s"))
    number = int(seconds // LENGTHS.get(unit, size))
    plural = "s" if unit in LONG_UNITS and number != 1 else ""
    return f"{number} {unit}{plural}"


@register.simple_tag
def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Write how far a moment is from now: `3 min ago`, `in 6 days`, `in 10 months`."""
    if moment is None:
        return UNKNOWN
    distance = (now or timezone.now()) - moment
    if abs(distance) < timedelta(seconds=5):
        return _time_tag(moment, "just now")
    words = _distance(abs(distance).total_seconds())
    return _time_tag(moment, f"in {words}" if distance < timedelta() else f"{words} ago")


@register.filter
def duration(value: timedelta | None) -> str:
    """Write a length of time in the two units that matter: `0.4 s`, `12 s`, `2 min 5 s`."""
    if value is None:
        return UNKNOWN
    seconds = value.total_seconds()
    if seconds < 10:
        return f"{grouped(f'{seconds:.1f}', 1)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@register.filter
def initials(name: str) -> str:
    """Take the first letters of the first and last word, for an avatar without a picture."""
    words = str(name).split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> str:
    """Draw an icon of the vendored set; without a label it is hidden from screen readers."""
    classes = f"icon {css}".rstrip()
    href = f"{static(SPRITE)}#{name}"
    if not label:
        return format_html(
            '<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>',
            classes,
            href,
        )
    return format_html(
        '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>',
        classes,
        label,
        href,
    )


@register.inclusion_tag("components/_bar_chart.html")
def bar_chart(chart: charts.Chart) -> dict[str, object]:
    """Draw bars in SVG, stacked where there are several series, with the same as a table."""
    return {
        "chart": chart,
        "bars": list(charts.drawn(chart)),
        "series": [
            {"name": name, "total": total}
            for name, total in zip(chart.series, chart.totals, strict=True)
        ],
        "width": len(chart.bars) * charts.SLOT,
        "slot": charts.SLOT,
        "bar_width": charts.BAR,
        "height": charts.HEIGHT,
        "has_links": any(bar.url for bar in chart.bars),
        "has_stops": len(chart.bars) <= charts.MOST_STOPS,
    }
