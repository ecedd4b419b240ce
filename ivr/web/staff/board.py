"""The board: all cells, those that need somebody first. It refreshes itself and can be filtered; the filter is the URL.

However many people watch, each web process computes the board once in a few seconds. A browser says which version it
shows; while nothing changed it gets 204 and keeps it. When people are reached, which passes over all calls of two
weeks, is asked for once the page is there, and kept for a minute.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import current_app, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from ivr.fieldwork.outlook import CellView, by_attention
from ivr.fieldwork.working import bounds_at
from ivr.store import boards, cell_figures, headcount, troubles
from ivr.store.admission import Bounds
from ivr.web.pages.access import STAFF, allow, the_house
from ivr.web.pages.shared import Shared
from ivr.web.staff.door import blueprint
from ivr.web.staff.figures import DayPart, contacted, day_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ivr.bootstrap import House

PAGE = 50
FRESH_SECONDS = 2.5
REACH_SECONDS = 60
REACH = timedelta(days=14)
TROUBLES, TROUBLES_SHOWN = timedelta(days=1), 8

STATE_NAMES = ("open", "filled", "exhausted", "paused", "closed")
ORDERS = {
    "": "wie aandacht vraagt",
    "naam": "dienstverlener",
    "minst": "minste voortgang",
    "tekort": "grootste verwachte tekort",
}
Held = TypeVar("Held")


@dataclass(frozen=True, slots=True)
class Board:
    """What all watchers share."""

    at: datetime
    cells: tuple[CellView, ...]
    traffic: boards.Traffic
    troubles: tuple[troubles.Trouble, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a watcher wants to see; everything stands in the URL."""

    text: str
    state: str
    track: str
    period: str
    only_attention: bool
    order: str
    page: int

    @classmethod
    def of_request(cls) -> Filter:
        asked = request.args
        page = asked.get("pagina", "1")
        return cls(
            text=asked.get("q", "").strip()[:100],
            state=asked.get("staat", "") if asked.get("staat") in STATE_NAMES else "",
            track=asked.get("spoor", "") if asked.get("spoor") in ("inburgering", "purchased") else "",
            period=asked.get("periode", "")[:21],
            only_attention=asked.get("aandacht") == "1",
            order=asked.get("volgorde", "") if asked.get("volgorde") in ORDERS else "",
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    def parameters(self, **changes: object) -> dict[str, Any]:
        """The URL of this filter, without what is at its default."""
        stands = {
            "q": self.text,
            "staat": self.state,
            "spoor": self.track,
            "periode": self.period,
            "aandacht": "1" if self.only_attention else "",
            "volgorde": self.order,
            "pagina": self.page if self.page > 1 else "",
        }
        return {name: value for name, value in {**stands, **changes}.items() if value not in ("", None, 1)}

    def takes(self, seen: CellView) -> bool:
        row = seen.row
        return (
            (not self.text or self.text.casefold() in row.provider.casefold())
            and (not self.state or seen.state == self.state)
            and (not self.track or row.track == self.track)
            and (not self.period or self.period == period_code(row))
            and (not self.only_attention or seen.weight >= 2)
        )

    def sorted(self, cells: list[CellView]) -> list[CellView]:
        """The cells come in the order of attention, which also decides among equals."""
        if self.order == "naam":
            return sorted(cells, key=lambda seen: (seen.row.provider.casefold(), seen.row.period_from))
        if self.order == "minst":
            return sorted(cells, key=lambda seen: seen.row.successful / max(seen.row.target, 1))
        if self.order == "tekort":
            return sorted(cells, key=lambda seen: -_gap(seen))
        return cells


def _gap(seen: CellView) -> int:
    if seen.forecast is None:
        return seen.row.target - seen.row.successful if seen.state == "exhausted" else 0
    return seen.row.target - seen.forecast.expected


def period_code(row: boards.CellRow) -> str:
    return f"{row.period_from}/{row.period_to}"


@blueprint.get("")
@allow(*STAFF)
def board() -> str:
    """The whole page."""
    return render_template("staff/board.html", orders=ORDERS, **_view())


@blueprint.get("/bord")
@allow(*STAFF)
def board_part() -> Response:
    """The part that refreshes; 204 while it is what the browser has."""
    seen = _view()
    if request.args.get("versie") == seen["version"]:
        return Response(status=204)
    return make_response(render_template("staff/board_part.html", **seen))


@blueprint.get("/bereik")
@allow(*STAFF)
def reach() -> str:
    """When people are reached, over all cells. A part of the board, and a page for whoever has no scripts."""
    parts = _shared("reach", _reach, REACH_SECONDS).get()
    page = "reach_part.html" if request.headers.get("HX-Request") else "reach.html"
    return render_template(f"staff/{page}", parts_of_day=parts, days=REACH.days)


def shared_board() -> Shared[Board]:
    """This process's board."""
    return _shared("board", _Counting(), FRESH_SECONDS)


def _shared(name: str, compute: Callable[[House], Held], seconds: float) -> Shared[Held]:
    held = current_app.extensions.get(name)
    if held is None:
        house = the_house()
        held = current_app.extensions.setdefault(name, Shared(lambda: compute(house), seconds))
    return cast("Shared[Held]", held)


def callable_bounds(house: House, now: datetime) -> Bounds:
    """Who may still be called, as the planner sees it."""
    return bounds_at(house.catalogue.fieldwork, now, consent_only=house.settings.dial_requires == "consent")


class _Counting:
    """Counts the board; what did not change since the last time is kept. Its `Shared` lets one thread in at a time."""

    def __init__(self) -> None:
        self._people: headcount.Counted = {}
        self._views: dict[int, CellView] = {}

    def __call__(self, house: House) -> Board:
        now = house.clock.now()
        with house.database.read() as session:
            bounds = callable_bounds(house, now)
            rows = boards.cell_rows(session, now - timedelta(hours=1), bounds, before=self._people)
            traffic = boards.traffic(session, now)
            wrong = troubles.latest(session, now - TROUBLES, TROUBLES_SHOWN)
        seen = by_attention(rows, self._views)
        self._views = {cell.row.id: cell for cell in seen}
        return Board(now, tuple(seen), traffic, tuple(wrong))


def _reach(house: House) -> list[DayPart]:
    with house.database.read() as session:
        hours = cell_figures.reach(session, contacted(house.catalogue), since=house.clock.now() - REACH)
    return day_parts(hours, house.catalogue.fieldwork)


def _view() -> dict[str, object]:
    shown = shared_board().get()
    wish = Filter.of_request()
    chosen = wish.sorted([seen for seen in shown.cells if wish.takes(seen)])
    pages = max(1, -(-len(chosen) // PAGE))
    page = min(max(1, wish.page), pages)
    part = chosen[(page - 1) * PAGE : page * PAGE]
    states = Counter(seen.state for seen in shown.cells)
    people: Counter[str] = Counter()
    for seen in chosen:
        people.update(seen.row.cases)
    totals = {
        "successful": sum(seen.row.successful for seen in shown.cells),
        "target": sum(seen.row.target for seen in shown.cells if seen.state != "closed"),
        "attention": sum(seen.weight >= 2 for seen in shown.cells),
    }
    lines = [(seen.row, seen.state, seen.reasons) for seen in part]
    facts = (wish, page, pages, totals, shown.traffic, shown.troubles, sorted(people.items()), lines)
    version = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return {
        "at": shown.at,
        "cells": part,
        "found": len(chosen),
        "all": len(shown.cells),
        "states": states,
        "totals": totals,
        "traffic": shown.traffic,
        "troubles": shown.troubles,
        "people": people,
        "outcomes": the_house().catalogue.outcomes,
        "wish": wish,
        "page": page,
        "pages": pages,
        "version": version,
        "periods": sorted({(seen.row.period_from, seen.row.period_to) for seen in shown.cells}, reverse=True),
        "poll": url_for("staff.board_part", **wish.parameters(pagina=page, versie=version)),
        "page_url": lambda number: url_for("staff.board", **wish.parameters(pagina=number)),
    }
