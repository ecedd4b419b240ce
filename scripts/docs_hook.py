"""What mkdocs does besides building `docs/`: takes in papers of the root, and lists the decision records.

The glossary and the changelog live in the root, where everybody looks for them; their pages hold only the line
`<!-- file: NAME -->`. The list of decisions is made from their files, so that it cannot fall behind.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "decisions"
_FILE = re.compile(r"<!-- file: ([A-Z]+\.md) -->")
_LIST = "<!-- decisions -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page's text with what its marks stand for."""
    return _FILE.sub(lambda found: _paper(found[1]), markdown).replace(_LIST, decisions())


def on_config(config: Any) -> Any:
    """Each decision gets its place under `Decisions`, after the page that lists them."""
    for entry in config["nav"]:
        if "Decisions" in entry:
            entry["Decisions"] = ["decisions/index.md", *(f"decisions/{path.name}" for path in _records())]
    return config


def decisions() -> str:
    """One line for each record, with its title."""
    return "\n".join(f"- [{path.read_text('utf-8').splitlines()[0].lstrip('# ')}]({path.name})" for path in _records())


def _records() -> list[Path]:
    return sorted(path for path in DECISIONS.glob("*.md") if path.name != "index.md")


def _paper(name: str) -> str:
    # Links of a paper in the root go to docs/…; from a page they do not.
    return (ROOT / name).read_text("utf-8").replace("](docs/", "](")
