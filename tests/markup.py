"""What is wrong with a page, found without a browser: inline code, and ids that come twice."""

from collections import Counter
from html.parser import HTMLParser

DATA = {"application/json", "application/ld+json"}  # in a script element, and not run


class InlineFinder(HTMLParser):
    """Collects script and style elements with content of their own, and such attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (
            tag == "script" and "src" not in given and given.get("type") not in DATA
        ):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            runs = name.startswith(("on", "hx-on", "data-hx-on")) or name == "style"
            if runs or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"<{tag} {name}={value!r}>")


def inline_parts(html: str) -> list[str]:
    """Return everything inline that a page runs or is styled by; empty where all is as it must."""
    finder = InlineFinder()
    finder.feed(html)
    return finder.found


class IdFinder(HTMLParser):
    """Counts the ids of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.update(value for name, value in attrs if name == "id" and value)


def repeated_ids(html: str) -> list[str]:
    """Return the ids that several elements have: a label with such a one names the first alone."""
    finder = IdFinder()
    finder.feed(html)
    return sorted(name for name, times in finder.found.items() if times > 1)
