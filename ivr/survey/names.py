"""Whether two rows on one number carry the same name in another spelling.

Decides only that; it is asked only of people who share a telephone. It folds what differs between two copies of
one list (case, accents, hyphens, spaces, order of the names, particles, doubled letters, ij/y) and nothing more:
families share a telephone, and `Fatima` and `Fatiha` are two people.
"""

from __future__ import annotations

import re
import unicodedata

_LETTERS = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ħ": "h"}
)
_PARTICLES = frozenset({"van", "de", "den", "der", "het", "t", "ten", "ter", "te", "v", "d", "vd", "vande", "vander"})
_DOUBLED = re.compile(r"(.)\1+")


def fold(text: str) -> str:
    """Lower-case letters and digits without accents; other signs become single spaces."""
    plain = unicodedata.normalize("NFKD", text.replace("İ", "i")).casefold().translate(_LETTERS)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^\w]|_", " ", plain).split())


def name_keys(first: str, last: str) -> frozenset[str]:
    """Keys of a name; two spellings are of one name when they share a key. Empty when there is no name."""
    words = fold(f"{first} {last}").split()
    if not words:
        return frozenset()
    bare = [word for word in words if word not in _PARTICLES] or words
    whole, reversed_whole = "".join(words), "".join([*fold(last).split(), *fold(first).split()])
    return frozenset(_loose(key) for key in ("".join(sorted(bare)), "".join(bare), whole, reversed_whole))


def same_name(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether (voornaam, achternaam) `one` is `other` in another spelling. A missing name is nobody's name."""
    return bool(name_keys(*one) & name_keys(*other))


def _loose(key: str) -> str:
    return _DOUBLED.sub(r"\1", key.replace("ij", "y"))
