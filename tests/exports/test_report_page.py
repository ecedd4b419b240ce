"""The report as a page: whole, alone, and silent about groups that are too small."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ivr.errors import NotFoundError
from ivr.exports.report_page import render
from ivr.store import Database
from tests.exports.exporting import PERIOD, Room, a_catalogue

ASPECTS = ("LD_C_AANDACHT", "LD_C_INFO", "LD_K_SNEL1", "LD_B_STAP")
SCORING = {
    "figuren": [
        {"hoofdstuk": 3, "titel": "Gemiddeld rapportcijfer", "vragen": ["LD_CIJFER"], "gemiddelde": True},
        {"hoofdstuk": 3, "titel": "Verdeling van de rapportcijfers", "vragen": ["LD_CIJFER"]},
        {"hoofdstuk": 3, "titel": "Tevredenheid", "vragen": list(ASPECTS)},
        {"hoofdstuk": 3, "titel": "Vraag voor vraag", "vragen": ["LD_AANGERADEN"], "elk_apart": True},
        {"hoofdstuk": 4, "titel": "Cijfers van opdrachtgevers", "vragen": ["OG_CIJFER"], "gemiddelde": True},
    ],
    "relatief_goed": {"medewerker": ["LD_C_AANDACHT", "LD_C_INFO"], "overig": ["LD_K_SNEL1", "LD_B_STAP"]},
    "teksten": {"voorbehoud": "Aan deze cijfers kunnen geen rechten worden ontleend."},
}


def people(room: Room, provider: str, count: int, grade: int, satisfied: int, **values: object) -> int:
    sample = room.sample(provider)
    for nth in range(count):
        answers = dict.fromkeys(ASPECTS, "zeer_tevreden" if nth < satisfied else "ontevreden")
        room.interview(room.case(sample, **values), {**answers, "LD_CIJFER": str(grade)})
    return sample


def make(database: Database) -> None:
    with database.write() as session:
        room = Room(session)
        sample = people(room, "Jansen & <Zonen>", 16, 8, 12)
        room.case(sample, exclusion="not_sampled")
        people(room, "Ander", 20, 6, 5)


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.S)))


@pytest.fixture
def page(sqlite_database: Database) -> str:
    make(sqlite_database)
    return render(sqlite_database, a_catalogue(**SCORING), "jansen & <zonen>", PERIOD)


def test_the_page_tells_what_the_tables_tell(page: str) -> None:
    text = text_of(page)
    assert "Rapportcijfer 8,0 16 van 16 cliënten, respons 100,0%" in text
    assert "Jobcoaching 16 16 100,0 8,0 ja" in text
    assert "75% zeer tevreden, 0% tevreden, 25% ontevreden" in text
    assert "Norm 6,5: gehaald." in text
    assert "Buiten de netto steekproef: niet in de steekproef getrokken 1" in text
    assert "Uitgenodigde opdrachtgevers: geen. Respons: 0%." in text
    assert text.count("geen rechten worden ontleend") == 2


def test_relatively_good_points_are_called_by_their_names(page: str) -> None:
    points = page[page.index("Scoort relatief goed op") :].split("</ul>")[0]
    assert re.findall(r"<li>(.*?)</li>", points) == ["Aandacht", "Wachttijd", "Volgende stap"]


def test_figures_carry_their_numbers_in_a_table(page: str) -> None:
    assert re.findall(r"<figcaption>Figuur ([\d.]+) ", page) == ["3.1", "3.2", "3.3"]
    assert "75 (47)" in page, "own share, and that of all 36 answers of both providers that may be counted together"
    for chart in re.findall(r"<svg.*?</svg>", page):
        ElementTree.fromstring(chart)
        assert 'aria-hidden="true"' in chart
    assert page.count("<table") == page.count("<caption>") + page.count("<table><thead")


def test_a_name_cannot_write_into_the_page_and_nothing_is_loaded(page: str) -> None:
    assert "<Zonen>" not in page
    assert "Jansen &amp; &lt;Zonen&gt;" in page
    assert not re.search(r"(src|href)=|@import|url\(|<script", page)


def test_one_client_is_not_told(sqlite_database: Database) -> None:
    with sqlite_database.write() as session:
        people(Room(session), "Eenling", 1, 3, 0)
    page = render(sqlite_database, a_catalogue(**SCORING), "Eenling", None)
    text = text_of(page)
    assert "Rapportcijfer * " in text
    assert "te weinig antwoorden om te tonen (n = 1)" in text
    assert "3,0" not in text
    assert "Te weinig antwoorden om te tonen." in text


def test_a_provider_without_a_list_is_refused(sqlite_database: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="sample import"):
        render(sqlite_database, a_catalogue(), "Niemand", None)
