"""The tables of the published reports, from answers made to fit them, through the commands that the pipeline uses."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.exports.exporting import people
from tests.exports.reporting import HEADER, Report, Run, write

VECTORS = Path(__file__).parents[1] / "vectors"
CODES = {
    "Inburgeringscursussen en duale trajecten": 11,
    "Sociale activering en participatie": 10,
    "Jobcoaching": 5,
    "Toeleiden naar werk vanuit situatie geen werk": 9,
}
SUMS = {("UPGRADE", 11): 65, ("Interbeek Support", 10): 137, ("JOP COACHING", 9): 177}
INTERBEEK = ("Interbeek Support", "2020-01-01", "2020-12-31")
Key = tuple[str, str, str]


def published() -> dict[tuple[str, str, str], list[dict[str, str]]]:
    tables: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    with (VECTORS / "tabel_1_1.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter=";"):
            key = (row["provider"], row["meetperiode_van"], row["meetperiode_tot"])
            tables.setdefault(key, []).append(row)
    return tables


def made_to_fit(key: Key, table: list[dict[str, str]]) -> Report:
    """A list with the published net samples, and answers with the published grades."""
    provider, first, last = key
    report = Report(provider, (first, last))
    for row in table:
        if row["dienst"].startswith("Totaal"):
            continue
        code, filled = CODES[row["dienst"]], int(row["ingevuld"])
        total = SUMS.get((provider, code)) or int(float(row["rapportcijfer"].replace(",", ".")) * filled)
        low, extra = divmod(total, filled)
        grades = [low + (nth < extra) for nth in range(filled)]
        report.add(code, int(row["netto_steekproef"]), grades, vary=None if code == 11 else published_split)
    if any(row["groep"] == "opdrachtgevers" for row in table):
        report.commissioner()
    return report


def published_split(nth: int) -> dict[str, str]:
    """Interbeek Support: 5 very satisfied, 10 satisfied, 1 dissatisfied; 14 of 16 recommend."""
    satisfied = "zeer_tevreden" if nth < 5 else "tevreden" if nth < 15 else "ontevreden"
    return {"LD_C_INFO": satisfied, "LD_AANGERADEN": "ja" if nth < 14 else "nee"}


def test_every_published_row_comes_out_of_answers_made_to_fit_it(run: Run, tmp_path: Path) -> None:
    tables = published()
    for key, table in tables.items():
        made_to_fit(key, table).deliver(run, tmp_path)
    run("export", tmp_path / "out")

    printed = people(tmp_path / "out" / "tabel_1_1.csv")
    assert list(printed[0]) == [
        "provider", "meetperiode_van", "meetperiode_tot", "groep", "dienst", "netto_steekproef", "ingevuld",
        "respons_pct", "rapportcijfer", "publicatie",
    ]  # fmt: skip
    for key, table in tables.items():
        mine = [row for row in printed if (row["provider"], row["meetperiode_van"], row["meetperiode_tot"]) == key]
        assert mine == [{column: row[column] for column in printed[0]} for row in table]

    promotor = {row["provider"]: row for row in people(tmp_path / "out" / "promotorscore.csv")}
    assert "UPGRADE" not in promotor
    assert (promotor["Interbeek Support"]["aangeraden"], promotor["Interbeek Support"]["promotorscore"]) == (
        "14",
        "87,5",
    )

    aspects = [
        row
        for row in people(tmp_path / "out" / "aspecten.csv")
        if row["provider"] == "Interbeek Support" and row["aspect"] == "LD_C_INFO"
    ]
    assert [(row["antwoord"], row["pct"], row["n"]) for row in aspects] == [
        ("zeer_tevreden", "31", "16"),
        ("tevreden", "63", "16"),
        ("ontevreden", "6", "16"),
        ("zeer_ontevreden", "0", "16"),
        ("geen_mening", "0", "16"),
    ]
    norm = {(row["provider"], row["dienst"]): row for row in people(tmp_path / "out" / "norm.csv")}
    assert norm["JOP COACHING", "Totaal"]["uitkomst"] == "gehaald"
    assert "geen rechten" in norm["JOP COACHING", "Totaal"]["voorbehoud"]
    few = [row for row in people(tmp_path / "out" / "figuren.csv") if row["n"] and int(row["n"]) < 5]
    assert few
    assert all(row["aantal"] == row["pct"] == row["gemiddelde"] == "" for row in few)


def test_the_same_file_of_answers_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    report = made_to_fit(INTERBEEK, published()[INTERBEEK])
    report.deliver(run, tmp_path)
    run("export", tmp_path / "one")
    again = run("responses", "import", write(tmp_path / "answers.csv", HEADER, report.answers))
    lines = len(report.answers)
    assert (again["accepted"], again["unchanged"], again["updated"]) == (lines, lines, 0)
    run("export", tmp_path / "two")
    first = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}


def test_what_the_mailing_tool_learnt_changes_the_net_sample(run: Run, tmp_path: Path) -> None:
    made_to_fit(INTERBEEK, published()[INTERBEEK]).deliver(run, tmp_path)
    unreached = [(*INTERBEEK[:2], str(number), "undeliverable") for number in range(17, 21)]
    header = ("provider", "period_from", "respondent", "outcome")
    run("sample", "outcomes", write(tmp_path / "outcomes.csv", header, unreached))
    run("export", tmp_path / "out")
    total = next(row for row in people(tmp_path / "out" / "tabel_1_1.csv") if row["dienst"] == "Totaal")
    assert (total["netto_steekproef"], total["ingevuld"], total["respons_pct"]) == ("28", "16", "57,1")
