"""Scoring: from counts of answers to the figures that are printed. The front door; each rule has its own module.

    scoring_rules        what is ours to choose (config/scoring.toml)
    scoring_rounding     exact fractions, half up at the very end                     rules 13-15
    scoring_table        net sample, response, grade, publication: table 1.1          rules 12-14, 18-20
    scoring_norm         the norm and its correction in small samples                 rules 16, 17, 23
    scoring_figures      distributions, promotor score, benchmark, relatively good    rules 21, 22
    scoring_suppression  which groups are too small to show
    scoring_rates        AAPOR
    scoring_provinces    postcode to province

Nothing here depends on the order of rows: everything works on counts.
"""

from __future__ import annotations

from ivr.survey.scoring_figures import (
    PROVINCE,
    Distribution,
    NumberedFigure,
    distribution,
    mean_of,
    numbered,
    numbers,
    promotor_score,
    relatively_good,
)
from ivr.survey.scoring_norm import NormRow, corrected_mean, norm_outcome, norm_row
from ivr.survey.scoring_provinces import Provinces
from ivr.survey.scoring_rates import per_success, rates
from ivr.survey.scoring_rounding import comma, half_up, percentage, printed_mean
from ivr.survey.scoring_rules import Rules, rules_from_mapping
from ivr.survey.scoring_suppression import hidden_groups, hides_total
from ivr.survey.scoring_table import Record, TableRow, add, client_rows, commissioner_row, left_out

__all__ = [
    "PROVINCE",
    "Distribution",
    "NormRow",
    "NumberedFigure",
    "Provinces",
    "Record",
    "Rules",
    "TableRow",
    "add",
    "client_rows",
    "comma",
    "commissioner_row",
    "corrected_mean",
    "distribution",
    "half_up",
    "hidden_groups",
    "hides_total",
    "left_out",
    "mean_of",
    "norm_outcome",
    "norm_row",
    "numbered",
    "numbers",
    "per_success",
    "percentage",
    "printed_mean",
    "promotor_score",
    "rates",
    "relatively_good",
    "rules_from_mapping",
]
