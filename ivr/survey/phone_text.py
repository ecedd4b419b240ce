"""A telephone number as people in the Netherlands write it, for the one file and the few pages that may show it."""

from __future__ import annotations

import phonenumbers


def national(e164: str) -> str:
    """`+31612345678` → `06 12345678`; a foreign number with 00 before it. Never begins with `+`, which a
    spreadsheet would take for a formula, and holds a space, so that it is not taken for a quantity."""
    number = phonenumbers.parse(e164)
    if number.country_code == 31:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return "00" + text.removeprefix("+")
