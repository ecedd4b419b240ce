"""Ids of attempts and interviews: 32 random hex characters that never look like a telephone number.

An id stands in files that outsiders read and search for numbers. A plain uuid4 holds a run of ten digits
in about one of ten ids, so one with a run of seven or more is drawn again; 120 bits of chance remain plenty.
"""

from __future__ import annotations

import re
from uuid import uuid4

_DIGITS = re.compile(r"\d{7}")


def new_id() -> str:
    """32 lower-case hex characters, unguessable, without seven digits in a row."""
    while True:
        text = uuid4().hex
        if not _DIGITS.search(text):
            return text
