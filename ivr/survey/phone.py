"""Telephone numbers as lists carry them, mended to E.164 or refused with the reason.

Decides what can be mended without guessing (separators, `0031`, `+31 (0)6`, a leading zero that Excel took, a
number stored as a float) and what a survey never dials (112, 0900, 0800, 18xx, 14 0xx, and foreign numbers of
the same kinds). Whether a number exists is asked of the `phonenumbers` library. A valid foreign number is valid:
people move; whether the carrier's account may call that country is the carrier's matter. Whether the person may
be called is decided in `eligibility.py`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberType

PhoneCode = Literal["bad_phone", "not_diallable"]

_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+")
_FLOAT_TAIL = re.compile(r"(\d{7,})[.,]0{1,2}")
_SEPARATORS = re.compile(r"[\s.,()\[\]/\\_\-‐‑‒–—―−·•]+")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_APOSTROPHES = "'’‘`´\""

_SERVICE_NUMBER = re.compile(r"0?(?:800|900|906|909)\d*")
_SHORT_NUMBER = re.compile(r"112|113|144|116\d{3}|18\d\d|140\d{2,3}")

_NEVER_DIALLED = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.TOLL_FREE, PhoneNumberType.SHARED_COST, PhoneNumberType.VOICEMAIL}
)

_FIX_IN_EXCEL = (
    "Excel heeft dit telefoonnummer afgerond (zoals 6,12E+08): de laatste cijfers zijn weg. "
    "Maak van de kolom de opmaak Tekst en vul het nummer opnieuw in."
)


@dataclass(frozen=True, slots=True)
class PhoneFault:
    """Why a number cannot be used. `message` is Dutch, for the provider, and does not repeat the number."""

    code: PhoneCode
    message: str


def read_phone(cell: str | float) -> str | PhoneFault:
    """The number of a cell as E.164 (`+31612345678`), or why it cannot be used. An empty cell is `bad_phone`."""
    text = _as_text(cell)
    if _SCIENTIFIC.fullmatch(text):
        return PhoneFault("bad_phone", _FIX_IN_EXCEL)
    squeezed = _squeeze(text)
    if _is_never_dialled(squeezed):
        return _not_diallable()
    number = _international(squeezed)
    if number is None:
        return PhoneFault("bad_phone", "Dit is geen volledig telefoonnummer. Vul het in zoals 06 12345678.")
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return PhoneFault("bad_phone", "Dit telefoonnummer bestaat niet. Vul het in zoals 06 12345678.")
    if not phonenumbers.is_valid_number(parsed):
        return PhoneFault("bad_phone", "Dit telefoonnummer bestaat niet. Vul het in zoals 06 12345678.")
    if phonenumbers.number_type(parsed) in _NEVER_DIALLED:
        return _not_diallable()
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _not_diallable() -> PhoneFault:
    return PhoneFault(
        "not_diallable",
        "Dit nummer bellen wij nooit (112, 0800, 0900, 18xx of 14 0xx). Geef het eigen nummer van de cliënt.",
    )


def _as_text(cell: str | float) -> str:
    if isinstance(cell, (int, float)):
        # A spreadsheet keeps 0612345678 as the number 612345678.0; anything with a fraction is no number of a phone.
        return str(int(cell)) if float(cell).is_integer() and abs(cell) < 1e16 else repr(cell)
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", cell)).strip()
    return text.lstrip(_APOSTROPHES).rstrip(_APOSTROPHES).strip()


def _squeeze(text: str) -> str:
    """Without separators, and without the tail of a float (`612345678.0`)."""
    if tail := _FLOAT_TAIL.fullmatch(text):
        return tail[1]
    return _SEPARATORS.sub("", text)


def _is_never_dialled(squeezed: str) -> bool:
    national = squeezed
    for prefix in ("+31", "0031", "+0031"):
        if squeezed.startswith(prefix):
            national = squeezed.removeprefix(prefix)
    if _SHORT_NUMBER.fullmatch(national):
        return True
    # Without its zero a service number (900 1234) is shorter or longer than a subscriber's nine digits.
    return bool(_SERVICE_NUMBER.fullmatch(national)) and (national.startswith("0") or len(national) != 9)


def _international(squeezed: str) -> str | None:
    """`+` and digits, or None when the text is no number that can be mended without guessing."""
    if squeezed.startswith("+"):
        digits = "+" + squeezed[1:].removeprefix("00")
    elif squeezed.startswith("00"):
        digits = "+" + squeezed[2:]
    else:
        digits = squeezed
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return None
    if digits.startswith("+0"):
        digits = digits[1:]
    if digits.startswith("+"):
        return "+31" + digits[4:] if digits.startswith("+310") else digits
    if digits.startswith("0"):
        return "+31" + digits[1:]
    if len(digits) == 9:
        return "+31" + digits
    if digits.startswith("310") and len(digits) == 12:
        return "+31" + digits[3:]
    if digits.startswith("31") and len(digits) == 11:
        return "+" + digits
    return None
