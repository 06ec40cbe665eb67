"""How our pages look: one document, one style sheet, one banner that never goes away."""

from collections.abc import Sequence
from html import escape

from simulator.core.call import Call
from simulator.core.http import Response
from simulator.core.routing import page

BANNER = "TEST CHECKOUT – no card is charged"
WITHOUT_CENTS = ("jpy", "krw", "vnd", "clp", "xaf", "xof")

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d4d4d8, #3f3f46); --soft: light-dark(#f4f4f5,
  #18181b); --text: light-dark(#18181b, #f4f4f5); --muted: light-dark(#52525b, #a1a1aa);
  --accent: light-dark(#4338ca, #a5b4fc); --on-accent: light-dark(#fff, #1e1b4b);
  --bad: light-dark(#b91c1c, #fca5a5); }
* { box-sizing: border-box }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--text);
  background: light-dark(#fff, #09090b) }
.banner { margin: 0; padding: .6rem 1rem; position: sticky; top: 0;
  text-align: center; font-weight: 600; background: #fde047; color: #422006 }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
main.wide { max-width: 70rem }
h1 { font-size: 1.5rem; line-height: 1.25 }
h2 { font-size: 1.1rem; margin-top: 2rem }
a { color: var(--accent) }
.muted { color: var(--muted) }
.error { color: var(--bad); font-weight: 600 }
form { display: grid; gap: 1rem; margin: 1rem 0 }
label { display: grid; gap: .25rem; font-weight: 500 }
input, select { font: inherit; padding: .6rem .7rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--soft); color: inherit; width: 100%; min-width: 0 }
fieldset { display: grid; gap: .5rem; min-width: 0; margin: 0; padding: .5rem 1rem 1rem;
  border: 1px solid var(--line); border-radius: .75rem }
legend { font-weight: 600; padding: 0 .25rem }
label.choice { display: flex; gap: .6rem; align-items: baseline; padding: .3rem 0;
  font-weight: 400 }
caption { text-align: left; padding-bottom: .5rem }
.row { align-items: end }
input[type=checkbox], input[type=radio] { width: auto; flex: none }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem }
button, .button { display: inline-block; font: inherit; font-weight: 600; padding: .7rem 1rem;
  border: 1px solid var(--line); border-radius: .5rem; background: var(--soft); color: inherit;
  cursor: pointer; text-align: center; text-decoration: none }
button.primary { background: var(--accent); color: var(--on-accent); border-color: transparent }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.box { border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; margin: 1rem 0 }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .925rem }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem }
pre { overflow-x: auto; background: var(--soft); padding: 1rem; border-radius: .5rem }
"""


def document(title: str, body: str, *, wide: bool = False) -> str:
    """Return a whole page around a body that is HTML already."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(title)} · Stripe simulator</title>
<link rel="stylesheet" href="/_sim/style.css">
</head>
<body>
<p class="banner" role="note">{BANNER}</p>
<main{' class="wide"' if wide else ""}>
<h1>{text(title)}</h1>
{body}
</main>
</body>
</html>
"""


def text(value: object) -> str:
    """Return a value as text that is safe in HTML."""
    return escape(str(value))


def amount(value: int, currency: str) -> str:
    """Return an amount as people write it: 12.50 USD."""
    if currency in WITHOUT_CENTS:
        return f"{value:,} {currency.upper()}"
    sign, value = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{value // 100:,}.{value % 100:02} {currency.upper()}"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table under a heading. Cells are HTML already."""
    if not rows:
        return f"<h2>{text(title)}</h2><p class='muted'>None.</p>"
    head = "".join(f"<th scope='col'>{text(column)}</th>" for column in columns)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"""<h2>{text(title)}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{text(title)}">
<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>
</div>"""


@page("GET", "/_sim/style.css")
def style(call: Call) -> Response:
    """Return the style sheet."""
    return Response(200, STYLE.encode(), "text/css; charset=utf-8")
