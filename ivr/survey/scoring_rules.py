"""The rules of scoring that are ours to choose, as data: read from `config/scoring.toml`, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from ivr.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the report: its chapter, its questions, and whether it prints means or distributions.

    `is_series`: every question is a figure of its own. A question that ends in `*` stands for all that begin so.
    """

    chapter: int
    title: str
    questions: tuple[str, ...]
    is_mean: bool = False
    is_series: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """Every assumption of domain rules 12 and 16 to 22; the defaults are those of the file."""

    publication: tuple[tuple[int | None, Decimal], ...] = ((None, Decimal(30)),)
    norm_total: Decimal = Decimal("6.5")
    norm_service: Decimal = Decimal("5.5")
    insufficient_below: Decimal = Decimal("5.5")
    insufficient_counts_as: Decimal = Decimal(5)
    guard_from: Decimal = Decimal(7)
    correction_max_n: int | None = None
    undeliverable: frozenset[str] = frozenset({"not_in_service", "wrong_person", "moved"})
    gives_way: frozenset[str] = frozenset({"undeliverable"})
    minimum_n: int = 5
    minimum_providers: int = 2
    staff_aspects: tuple[str, ...] = ()
    other_aspects: tuple[str, ...] = ()
    staff_points: int = 1
    other_points: int = 4
    satisfied: frozenset[str] = frozenset({"zeer_tevreden", "tevreden"})
    figures: tuple[Figure, ...] = ()
    disclaimer: str = ""


def rules_from_mapping(data: Mapping[str, Any]) -> Rules:
    """The rules in a parsed scoring.toml; absent parts keep their defaults. ConfigurationError names the part."""
    norm, net = data.get("norm", {}), data.get("netto", {})
    hiding, points = data.get("onderdrukking", {}), data.get("relatief_goed", {})
    default = Rules()
    limit = norm.get("correctie_max_n")
    table = data.get("publicatie", {}).get("tabel", [{"min_respons_pct": "30"}])
    publication = tuple((row.get("netto_tot"), _decimal(row, "min_respons_pct", Decimal(30))) for row in table)
    if not publication or publication[-1][0] is not None:
        raise ConfigurationError("scoring.toml [publicatie]: the last row must have no netto_tot, so that it fits all.")
    return Rules(
        publication=publication,
        norm_total=_decimal(norm, "totaal", default.norm_total),
        norm_service=_decimal(norm, "dienst", default.norm_service),
        insufficient_below=_decimal(norm, "onvoldoende_onder", default.insufficient_below),
        insufficient_counts_as=_decimal(norm, "telt_als", default.insufficient_counts_as),
        guard_from=_decimal(norm, "ruim_voldoende_vanaf", default.guard_from),
        correction_max_n=None if limit is None else int(limit),
        undeliverable=frozenset(net.get("onbestelbaar", default.undeliverable)),
        gives_way=frozenset(net.get("wijkt_voor_antwoord", default.gives_way)),
        minimum_n=int(hiding.get("minimum_n", default.minimum_n)),
        minimum_providers=int(data.get("vergelijking", {}).get("min_dienstverleners", default.minimum_providers)),
        staff_aspects=tuple(points.get("medewerker", ())),
        other_aspects=tuple(points.get("overig", ())),
        staff_points=int(points.get("aantal_medewerker", default.staff_points)),
        other_points=int(points.get("aantal_overig", default.other_points)),
        satisfied=frozenset(points.get("tevreden", default.satisfied)),
        figures=tuple(_figure(row) for row in data.get("figuren", ())),
        disclaimer=str(data.get("teksten", {}).get("voorbehoud", "")),
    )


def _figure(row: Mapping[str, Any]) -> Figure:
    try:
        return Figure(
            chapter=int(row["hoofdstuk"]),
            title=str(row["titel"]),
            questions=tuple(row["vragen"]),
            is_mean=bool(row.get("gemiddelde", False)),
            is_series=bool(row.get("elk_apart", False)),
        )
    except KeyError as error:
        raise ConfigurationError(f"scoring.toml [[figuren]]: a figure lacks {error}.") from error


def _decimal(part: Mapping[str, Any], key: str, default: Decimal) -> Decimal:
    try:
        return Decimal(str(part[key])) if key in part else default
    except InvalidOperation as error:
        raise ConfigurationError(f'scoring.toml: {key} must be a number such as "6.5", not {part[key]!r}.') from error
