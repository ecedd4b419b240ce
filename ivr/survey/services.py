"""The services of a provider (*diensten*), known by their code.

Decides how a delivered cell is matched: on the code, also when a label stands behind it, else on the label as the
tables spell it, in any case, spacing or accent. The labels themselves are configuration (`config/services.toml`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ivr.survey.names import fold

INBURGERING = 11
OBSOLETE = 12
"""Duurzame inzetbaarheid: no longer exists, but old lists carry it."""

_CODE = re.compile(r"(\d{1,3})(?:[.,]0+)?")
_CODE_AND_LABEL = re.compile(r"(\d{1,2})\s*[-–.:)]?\s*([^\d]{3,})")


def read_service(text: str, services: Mapping[int, str]) -> int | None:
    """The code that `text` names, or None. `services` is code → label."""
    if found := (_CODE.fullmatch(text) or _CODE_AND_LABEL.fullmatch(text)):
        code = int(found[1])
        return code if code in services else None
    wanted = _key(text)
    for code, label in services.items():
        # Lists leave out what stands between brackets: "Verzuimbegeleiding (wet poortwachter)".
        if wanted in (_key(label), _key(re.sub(r"\([^)]*\)", "", label))):
            return code
    return None


def _key(label: str) -> str:
    return fold(label).replace(" ", "")
