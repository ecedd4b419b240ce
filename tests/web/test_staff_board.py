"""The board and a cell's page: the right cells first, one computation for all, small and fast, and no person on it."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from ivr.fieldwork import outlook
from ivr.store import Database, events
from ivr.store.boards import CellRow
from ivr.store.tables import attempts, cases, cells, interviews, lines, responses
from ivr.survey.dutch import expectation
from ivr.survey.forecast import Forecast
from ivr.web.pages import count_ahead
from ivr.web.pages.shared import Shared
from ivr.web.staff.board import shared_board
from tests.web.page_house import MIDDAY, NUMBER, PERIOD, add_cell, fill_with, house_of, open_app, signed_in

ROW = CellRow(
    id=1,
    provider_id=1,
    provider="Bureau",
    period_from=PERIOD[0],
    period_to=PERIOD[1],
    track="inburgering",
    ordered=25,
    target=25,
    capacity=25,
    successful=5,
    in_flight=0,
    state="open",
    is_voiced=True,
    cases={},
    open_cases=60,
    callable_cases=60,
    worked_cases=13,
    dialled=40,
    errors=0,
)


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return open_app(sqlite_database, tmp_path)


# --- what needs attention ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "state", "codes"),
    [
        ({}, "open", []),
        ({"callable_cases": 10}, "open", ["short"]),
        ({"open_cases": 0, "callable_cases": 0}, "exhausted", ["exhausted"]),
        ({"callable_cases": 0, "cases": {"fresh": 60}, "dialled": 0}, "open", ["unannounced"]),
        ({"callable_cases": 0, "in_flight": 1, "successful": 24}, "open", ["short"]),
        ({"errors": 3}, "open", ["errors"]),
        ({"is_voiced": False}, "open", ["unvoiced"]),
        ({"cases": {"refusal": 6, "complete": 6}}, "open", ["refusals"]),
        ({"cases": {"refusal": 3, "complete": 3}}, "open", []),
        ({"state": "paused"}, "paused", ["paused"]),
        ({"successful": 25}, "filled", []),
        ({"successful": 25, "is_voiced": False, "errors": 9}, "filled", []),
        ({"state": "closed", "open_cases": 0}, "closed", []),
    ],
)
def test_a_cell_says_what_it_needs(changes: dict[str, Any], state: str, codes: list[str]) -> None:
    seen = outlook.view(replace(ROW, **changes))
    assert (seen.state, [reason.code for reason in seen.reasons]) == (state, codes)


def test_what_is_urgent_stands_above_what_is_wide_and_that_above_what_is_done() -> None:
    done = replace(ROW, id=1, provider="Af", successful=25)
    fine = replace(ROW, id=2, provider="Goed")
    short = replace(ROW, id=3, provider="Kort", callable_cases=4)
    shorter = replace(ROW, id=4, provider="Korter", callable_cases=4, successful=1)
    broken = replace(ROW, id=5, provider="Stuk", errors=9)
    order = [seen.row.id for seen in outlook.by_attention([done, fine, short, shorter, broken])]
    assert order == [5, 4, 3, 2, 1]


@given(
    successful=st.integers(0, 60),
    target=st.integers(0, 60),
    open_cases=st.integers(0, 900),
    worked=st.integers(0, 900),
)
def test_a_forecast_lies_between_what_is_done_and_what_can_be(
    successful: int, target: int, open_cases: int, worked: int
) -> None:
    row = replace(ROW, successful=successful, target=target, callable_cases=open_cases, worked_cases=worked)
    forecast = outlook.forecast_of(row)
    assert min(target, successful) <= forecast.low <= forecast.expected <= forecast.high <= target
    assert forecast.high <= max(successful + open_cases, 0)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Forecast(24, 22, 25), "24 ± 2"),
        (Forecast(25, 22, 25), "22 tot 25"),
        (Forecast(25, 25, 25), "25"),
        (Forecast(12, 10, 14), "12 ± 2"),
        (None, "–"),
    ],
)
def test_nothing_above_the_target_is_expected(outcome: Forecast | None, words: str) -> None:
    assert expectation(outcome) == words


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_board_is_small_and_fast_with_500_cells_and_40_000_people(app: Flask, sqlite_database: Database) -> None:
    fill_with(sqlite_database, 500, 80)
    client = signed_in(app, "viewer")
    client.get("/echt")  # templates and catalogue, as any running process has them
    seconds = []
    for _ in range(3):
        app.extensions.pop("board", None)
        started = time.perf_counter()
        page = client.get("/staff")
        seconds.append(time.perf_counter() - started)
    scripts = sum(
        len(client.get(path, headers={"Accept-Encoding": "gzip"}).data)
        for path in re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text)
    )
    assert "500 van 500 cellen" in page.text
    assert len(page.data) + scripts <= 100_000
    # 300 ms on a free machine; the slack is for one that runs other tests beside this one.
    assert min(seconds) < 0.9, seconds


def test_the_filter_is_the_address(app: Flask, sqlite_database: Database) -> None:
    fill_with(sqlite_database, 130, 2)
    client = signed_in(app, "viewer")
    assert "11 van 130 cellen" in client.get("/staff?q=dienstverlener+12").text
    assert "5 van 130 cellen" in client.get("/staff?staat=filled").text
    assert "Geen cel voldoet" in client.get("/staff?periode=2020-01-01/2020-12-31").text
    first, third = client.get("/staff").text, client.get("/staff?pagina=3").text
    assert "Bladzijde 3 van 3" in third
    assert not set(re.findall(r'id="c(\d+)"', first)) & set(re.findall(r'id="c(\d+)"', third))
    for odd in ("pagina=0", "pagina=9999999", "pagina=x", "staat=%00", "spoor=x"):
        assert client.get(f"/staff?{odd}").status_code == 200


def test_the_board_can_be_sorted_and_the_order_is_in_the_address(app: Flask, sqlite_database: Database) -> None:
    fill_with(sqlite_database, 30, 2)
    client = signed_in(app, "viewer")

    def shown(order: str) -> list[str]:
        return re.findall(r">(Dienstverlener \d+)</a>", client.get(f"/staff?volgorde={order}").text)

    assert shown("naam") == sorted(shown("naam"))
    assert shown("minst")[:2] == ["Dienstverlener 26", "Dienstverlener 1"]
    assert shown("x") == shown("")
    assert set(shown("tekort")) == set(shown(""))


def test_a_browser_that_has_the_newest_board_is_told_so_in_a_few_bytes(app: Flask, sqlite_database: Database) -> None:
    fill_with(sqlite_database, 3, 2)
    client = signed_in(app, "viewer")
    poll = re.search(r'hx-get="([^"]+)"', client.get("/staff?q=dienst").text)
    assert poll is not None
    address = poll[1].replace("&amp;", "&")
    assert client.get(address).status_code == 204
    with sqlite_database.write() as session:
        session.execute(cells.update().where(cells.c.id == 2).values(successful=9))
    app.extensions.pop("board")
    part = client.get(address)
    assert part.status_code == 200
    assert "9 van 25" in part.text
    assert "<html" not in part.text
    assert "q=dienst" in part.text, "the filter goes along with the next poll"


def test_a_board_whose_session_ended_goes_to_the_sign_in_page(app: Flask) -> None:
    answer = app.test_client().get("/staff/bord", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/inloggen")


def test_many_watchers_cost_one_computation() -> None:
    runs: list[int] = []

    def compute() -> int:
        runs.append(1)
        time.sleep(0.05)
        return len(runs)

    shared = Shared(compute, seconds=60)
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(shared.get())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 20
    shared.forget()
    assert shared.get() == 2


def test_what_was_being_computed_when_something_changed_serves_nobody_after() -> None:
    runs: list[int] = []

    def compute() -> int:
        runs.append(1)
        if len(runs) == 1:
            shared.forget()
        return len(runs)

    shared: Shared[int] = Shared(compute, seconds=60)
    assert [shared.get(), shared.get(), shared.get()] == [1, 2, 2]


def test_a_board_that_was_counted_ahead_is_the_one_that_is_shown(app: Flask, sqlite_database: Database) -> None:
    add_cell(house_of(app), "Eerste Hulp", people=3)
    count_ahead(app)
    with sqlite_database.write() as session:
        session.execute(cells.update().values(state="paused"))
    with app.app_context():
        assert [seen.state for seen in shared_board().get().cells] == ["open"]


def test_a_database_that_is_not_there_yet_does_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    count_ahead(open_app(Database(f"sqlite:///{tmp_path}/empty.db"), tmp_path))


def test_a_line_that_is_down_is_said_on_top(app: Flask, sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        session.execute(lines.insert().values(account="AC1", is_down=True, changed_at=MIDDAY))
    assert "De telefoonlijn ligt eruit" in signed_in(app, "viewer").get("/staff").text


def test_the_last_troubles_stand_on_the_board_and_calls_that_were_given_up_do_not(
    app: Flask, sqlite_database: Database
) -> None:
    cell_id = add_cell(house_of(app), "Eerste Hulp", people=1)
    now = house_of(app).clock.now()
    stories = {
        "a1": ("closed", "technical", None),
        "a2": ("unknown", "technical", None),
        "a3": ("void", None, "carrier_error_21220"),
        "a4": ("void", None, "unreachable"),
        "a5": ("void", None, "target_lowered"),
        "a6": ("closed", "no_answer", None),
    }
    with sqlite_database.write() as session:
        for number, (id, (state, outcome, reason)) in enumerate(stories.items(), 1):
            times = dict.fromkeys(("planned_at", "not_before", "not_after"), now - timedelta(minutes=number))
            call = {"id": id, "case_id": 1, "cell_id": cell_id, "number_in_case": number, "state": state}
            session.execute(attempts.insert().values(**call, **times, outcome=outcome))
            if reason:
                events.add(session, "void", now, attempt_id=id, reason=reason)
    page = signed_in(app, "viewer").get("/staff").text
    part = page[page.index("Laatste storingen") :]
    found = re.findall(r"</th><td>([^<]+)</td>", part[: part.index("</section>")])
    assert [text.strip() for text in found] == [
        "gesprek mislukt",
        "kwijt: de centrale kent het gesprek niet",
        "geweigerd door de centrale (code 21220)",
        "centrale niet bereikbaar",
    ]


# --- a cell -----------------------------------------------------------------------------------------------------


def test_a_cells_page_shows_two_digits_of_a_number_and_nobodys_name(app: Flask) -> None:
    cell_id = add_cell(house_of(app), "Eerste Hulp", people=12)
    page = signed_in(app, "admin").get(f"/staff/cel/{cell_id}").text
    assert "•• 07" in page
    assert NUMBER[3:8] not in page
    assert "Voornaam" not in page
    assert "Achternaam" not in page


def test_a_cells_page_says_where_people_stop_but_not_what_they_said(app: Flask, sqlite_database: Database) -> None:
    cell_id = add_cell(house_of(app), "Eerste Hulp", people=3)
    with sqlite_database.write() as session:
        for number, (disposition, questions) in enumerate(
            [("break_off", ["LES", "ANTW"]), ("partial", ["LES", "ANTW"]), ("break_off", []), ("complete", ["LES"])]
        ):
            run = {"id": f"i{number}", "case_id": 1, "cell_id": cell_id, "questionnaire": "inburgering", "version": 1}
            session.execute(
                interviews.insert().values(**run, mode="telephone", started_at=MIDDAY, disposition=disposition)
            )
            for later, question in enumerate(questions):
                answer = {"interview_id": f"i{number}", "question": question, "value": "geheim_antwoord"}
                at = MIDDAY + timedelta(seconds=later)
                session.execute(responses.insert().values(**answer, mode="telephone", answered_at=at))
    page = signed_in(app, "viewer").get(f"/staff/cel/{cell_id}").text
    part = page[page.index("Waar mensen stoppen") : page.index("Wie hierna")]
    assert re.findall(r'<th scope="row">([^<]+)</th><td class="n">(\d+)', part) == [
        ("ANTW", "2"),
        ("vóór de eerste vraag", "1"),
    ]
    assert "geheim_antwoord" not in page


def test_a_cells_page_shows_reach_by_part_of_the_day_in_amsterdam(app: Flask, sqlite_database: Database) -> None:
    cell_id = add_cell(house_of(app), "Eerste Hulp", people=1)
    # 10.30 UTC is half past eleven in the morning in March; 11.30 UTC is the afternoon. 14 March 2026 is a Saturday.
    moments = [MIDDAY - timedelta(minutes=30), MIDDAY + timedelta(minutes=30), MIDDAY + timedelta(days=4)]
    with sqlite_database.write() as session:
        for number, moment in enumerate(moments, 1):
            call = {"id": f"a{number}", "case_id": 1, "cell_id": cell_id, "number_in_case": number, "state": "closed"}
            times = {"planned_at": moment, "not_before": moment, "not_after": moment, "placed_at": moment}
            answered = moment if number == 1 else None
            outcome = "complete" if answered else "no_answer"
            session.execute(attempts.insert().values(**call, **times, answered_at=answered, outcome=outcome))
    page = signed_in(app, "viewer").get(f"/staff/cel/{cell_id}").text
    part = page[page.index("Bereik per dagdeel") :]
    found = re.findall(r'<th scope="row">(\w+)</th><td class="n">(\d+)</td><td class="n">(\d+) %', part)
    assert found[:3] == [("ochtend", "1", "100"), ("middag", "1", "0"), ("zaterdag", "1", "0")]


def test_who_may_only_look_gets_no_buttons(app: Flask, sqlite_database: Database) -> None:
    cell_id = add_cell(house_of(app), "Eerste Hulp")
    assert "Pauzeren" not in signed_in(app, "viewer").get(f"/staff/cel/{cell_id}").text
    assert "Pauzeren" in signed_in(app, "fieldwork").get(f"/staff/cel/{cell_id}").text
    with sqlite_database.read() as session:
        assert session.execute(cases.select()).first() is not None
