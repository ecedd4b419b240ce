"""`codebook.html`: the code book as a page for people, one section a question, nothing to load from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{border:1px solid #999;padding:.25rem .6rem;"
    "text-align:left;vertical-align:top}th{background:#eee}h2{margin-top:2.5rem}code{font-size:.95em}"
)


def page(rows: Iterable[tuple]) -> str:
    """The page of the rows of `codebook.csv` (see `codebook.rows`)."""
    parts = [
        '<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>Codeboek</title>',
        f"<style>{_STYLE}</style></head><body><h1>Codeboek</h1>",
    ]
    for (file, form), section in groupby(rows, key=lambda row: (row[0], row[2])):
        title = f"{file}, vragenlijst {form}" if form else file
        parts.append(f"<h2>{escape(title)}</h2>")
        for column, group in groupby(section, key=lambda row: row[1]):
            lines = list(group)
            head = lines[0]
            parts.append(f"<h3><code>{escape(column)}</code> {escape(str(head[5]))}</h3>")
            if head[7]:
                parts.append(f"<p>{escape(str(head[7]))}</p>")
            if len(lines) > 1:
                parts.append(
                    f'<table><caption>Waarden van {escape(column)}</caption><thead><tr><th scope="col">Waarde</th>'
                    '<th scope="col">Betekenis</th><th scope="col">Ontbrekend</th></tr></thead><tbody>'
                )
                for row in lines[1:]:
                    lacking = "ja" if row[6] == 1 else ""
                    parts.append(
                        f"<tr><td><code>{escape(str(row[4]))}</code></td><td>{escape(str(row[5]))}</td>"
                        f"<td>{lacking}</td></tr>"
                    )
                parts.append("</tbody></table>")
    parts.append("</body></html>\n")
    return "".join(parts)
