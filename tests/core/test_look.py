"""What holds for every template and for the style sheet."""

import gzip
import re
from pathlib import Path

import pytest
from django.template.loader import get_template, render_to_string

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
# Mail programs drop style sheets, so mails carry their styles inline; no policy applies to them.
PAGES = [name for name in ALL if not name.startswith(("emails/", "account/email/"))]
# What has no style sheet of its own: the back office is Unfold's, and files have documents/*.css.
STYLED = [name for name in PAGES if not name.startswith("admin/") and "document.html" not in name]
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}")
INLINE = re.compile(
    r"""<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*(src=|/json))"""
)
ICON = re.compile(
    r"""\{% icon "([a-z0-9-]+)"|\bicon="([a-z0-9-]+)"|icon\|default:"([a-z0-9-]+)\""""
)
TOKEN = re.compile(r"--color-([a-z0-9-]+): (#[0-9a-f]{6});")
MUTED = re.compile(r"--muted: (#[0-9a-f]{6});")


class TestTemplates:
    """Every page template."""

    @pytest.mark.parametrize("name", ALL)
    def test_compiles(self, name):
        assert get_template(name)

    @pytest.mark.parametrize("name", PAGES)
    def test_needs_nothing_that_the_policy_forbids(self, name):
        assert not INLINE.findall((TEMPLATES / name).read_text())

    @pytest.mark.parametrize("name", PAGES)
    def test_asks_no_other_host(self, name):
        assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", read(name))

    def test_uses_only_icons_of_the_sprite(self):
        sprite = (ROOT / "static/vendor/lucide/icons.svg").read_text()
        drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite))
        used = {name for page in ALL for found in ICON.findall(read(page)) for name in found}
        assert used - {""} <= drawn

    @pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "429", "500", "503"])
    def test_shows_errors_without_any_context(self, code):
        assert "<h1>" in render_to_string(f"{code}.html")

    def test_names_the_request_of_an_error(self):
        assert "req_1" in render_to_string("500.html", {"request_id": "req_1"})


class TestStyleSheet:
    """The built style sheet, and the tokens it comes from."""

    def test_is_small(self):
        files = [ROOT / "static/css/coffer.css", *(ROOT / "static/js").glob("*.js")]
        size = sum(len(gzip.compress(path.read_bytes())) for path in files)
        assert size < 40_000

    def test_has_every_class_that_pages_use(self):
        """One that is missing does nothing, and nobody is told: run `make css`."""
        css = (ROOT / "static/css/coffer.css").read_text()
        found = re.findall(r"\.((?:\\.|[\w-])+)", css)
        known = {name.replace("\\", "") for name in found}
        for page in STYLED:
            used = " ".join(re.findall(r'class="([^"]*)"', read(page)))
            # What ends in a hyphen goes on with something that the page is given.
            names = {name for name in TAG.sub(" ", used).split() if not name.endswith("-")}
            assert names - known == set(), page

    def test_loads_nothing(self):
        css = (ROOT / "static/css/coffer.css").read_text()
        assert not re.findall(r"@import|url\((?![\"']?data:)", css)

    @pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
    @pytest.mark.parametrize(
        ("text", "ground"),
        [
            ("base-content", "base-100"),
            ("base-content", "base-200"),
            ("muted", "base-100"),
            ("muted", "base-200"),
            ("primary", "base-100"),
            ("primary", "base-200"),
            *((f"{tone}-content", tone) for tone in ("primary", "neutral")),
            *((tone, "base-100") for tone in ("success", "warning", "error", "info")),
        ],
    )
    def test_is_readable(self, theme, text, ground):
        tokens = theme_tokens(theme)
        assert contrast(tokens[text], tokens[ground]) >= 4.5

    @pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
    @pytest.mark.parametrize("tone", ["success", "warning", "error", "info", "primary"])
    def test_is_readable_on_its_own_tint(self, theme, tone):
        tokens = theme_tokens(theme)
        ground = blend(tokens[tone], tokens["base-100"], (0.09, 0.13)[theme])
        assert contrast(tokens[tone], ground) >= 4.5


def read(name):
    """Return the source of a template."""
    return (TEMPLATES / name).read_text()


def theme_tokens(index):
    """Return the colours of the first (light) or second (dark) theme as RGB triples."""
    source = (ROOT / "frontend/tokens.css").read_text()
    block = source.split('@plugin "daisyui/theme"')[index + 1]
    found = dict(TOKEN.findall(block)) | {"muted": MUTED.findall(source)[index]}
    return {name: tuple(bytes.fromhex(value[1:])) for name, value in found.items()}


def blend(over, under, share):
    """Return the colour that `share` of one over another makes."""
    return tuple(share * a + (1 - share) * b for a, b in zip(over, under, strict=True))


def contrast(one, other):
    """Return the contrast ratio of WCAG 2 between two colours."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    """Return the relative luminance of an RGB colour."""
    parts = [part / 255 for part in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
