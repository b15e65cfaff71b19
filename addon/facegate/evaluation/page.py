"""The report's page: its frame, its style, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from facegate.evaluation.sections import HELD, NOT_HELD

# No page of ours loads or runs anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --paper: #fcfcfb; --card: #ffffff; --ink: #1d1d1b;
 --soft: #62625d; --edge: #e3e3de; --good: #0a7d53; --bad: #c4342b; --mark: #8a8a84;
 --s1: #2369c4; --s2: #d9622b; --s3: #15936a; --s4: #8257c2;
 --h1: #0d3b78; --h2: #2369c4; --h3: #5b95de; --h4: #8ab6ea; --h5: #b4d1f2; }
@media (prefers-color-scheme: dark) { :root { --paper: #161615; --card: #1f1f1d; --ink: #ecece8;
 --soft: #a3a39c; --edge: #383834; --good: #4cc796; --bad: #f0837b; --mark: #85857e;
 --s1: #6ba6f0; --s2: #f0935f; --s3: #4cc796; --s4: #b493ea;
 --h1: #d2e4fa; --h2: #9cc5f5; --h3: #6ba6f0; --h4: #4380cc; --h5: #2d5a94; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
 color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: .95rem; margin: 0 0 .5rem; } p { max-width: 70ch; } .soft { color: var(--soft); }
.card { margin-bottom: 1rem; }
.grid-of { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill,
 minmax(min(100%, 30rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px;
 padding: 1rem; min-width: 0; }
.grid-of .card { margin: 0; } .grid-of { margin: 1rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--edge);
 vertical-align: top; } th { color: var(--soft); font-weight: 500; font-size: .85rem; }
.held { color: var(--good); font-weight: 600; } .missed { color: var(--bad); font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
.grid { stroke: var(--edge); } .tick, .axis, .name { font-size: 11px; fill: var(--soft); }
.name { font-size: 12px; fill: var(--ink); }
.mark { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 4 3; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.area { fill-opacity: .28; stroke-width: 1.5; }
.bounds { stroke: var(--s1); stroke-width: 2; stroke-opacity: .45; } .dot { fill: var(--s1); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .5rem 0 0; padding: 0;
 list-style: none; font-size: .85rem; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 3px;
 margin-right: .4rem; vertical-align: -1px; }
""" + "".join(
    f".{name} {{ stroke: var(--{name}); }} .area.{name}, .key.{name} {{ fill: var(--{name});"
    f" background: var(--{name}); }}\n"
    for name in ("s1", "s2", "s3", "s4", "h1", "h2", "h3", "h4", "h5")
)


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page; ``parts`` are HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def card(title: str, content: str) -> str:
    """Return a framed part; ``content`` is HTML, and without ``title`` there is no heading."""
    heading = f"<h3>{escape(title)}</h3>" if title else ""
    return f'<section class="card">{heading}{content}</section>'


def cards(parts: Iterable[str]) -> str:
    """Return cards beside each other, as many as fit."""
    return f'<div class="grid-of">{"".join(parts)}</div>'


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts."""
    titles = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )


def _cell(text: str) -> str:
    style = {HELD: ' class="held"', NOT_HELD: ' class="missed"'}.get(text, "")
    return f"<td{style}>{escape(text)}</td>"
