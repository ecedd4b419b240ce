"""Numbers as Excel breaks them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.survey.phone import PhoneFault, read_phone


@pytest.mark.parametrize(
    "cell",
    [
        "0612345678",
        "06-12345678",
        "06-12 34 56 78",
        "06 – 12345678",
        "06.12.34.56.78",
        "(06) 12345678",
        "06/12345678",
        "06\u00a012345678",
        "\u200b06 1234\u20095678 ",
        "'0612345678",
        "’0612345678",
        "612345678",
        "6 12 34 56 78",
        612345678.0,
        612345678,
        "612345678.0",
        "612345678,0",
        "0612345678,00",
        31612345678.0,
        "31612345678",
        "+31612345678",
        "+31 6 12345678",
        "+31 (0)6 12345678",
        "+31(0)6-12345678",
        "+310612345678",
        "310612345678",
        "0031612345678",
        "0031 (0)6 12 34 56 78",
        "00 31 6 12345678",
        "+0031612345678",
        "+0612345678",
        "０６１２３４５６７８",
    ],
)
def test_a_broken_mobile_number_is_mended(cell: str | float) -> None:
    assert read_phone(cell) == "+31612345678"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("020-1234567", "+31201234567"),
        ("0182 512345", "+31182512345"),
        (201234567.0, "+31201234567"),
        ("088 123 45 67", "+31881234567"),
        ("085-1234567", "+31851234567"),
        ("+32 475 12 34 56", "+32475123456"),
        ("0032475123456", "+32475123456"),
        ("+49 1512 3456789", "+4915123456789"),
    ],
)
def test_geographic_and_foreign_numbers_are_valid(cell: str | float, number: str) -> None:
    assert read_phone(cell) == number


@pytest.mark.parametrize(
    "cell",
    [
        "112", 112.0, "0900-1234", "0900 8844", 9008844.0, "0800-0432", "8000432", "0906-1234567", "0909 1234",
        "1888", "1850", 1888.0, "14 020", "14020", 14020.0, "14 0182", "+31 900 8844", "0031 800 1234",
        "+31 (0)900 8844", "+3114020", "+44 909 8790000", "+1 800 234 5678",
    ],
)  # fmt: skip
def test_a_service_number_is_not_diallable(cell: str | float) -> None:
    fault = read_phone(cell)
    assert isinstance(fault, PhoneFault)
    assert fault.code == "not_diallable"


@pytest.mark.parametrize(
    "cell",
    [
        "", "-", "abc", "onbekend", "06", "061234567", "06123456789", "0112345678x", "12345678", "1234567890",
        "06 12345678 / 06 87654321", "06-12345678 (moeder)", "+31 6 1234567", "+999 123456789", "0000000000",
        "0600000000", 6123.45, 61234567.0, "tel", "+", "++31612345678", "1e400",
    ],
)  # fmt: skip
def test_what_cannot_be_mended_without_guessing_is_refused(cell: str | float) -> None:
    fault = read_phone(cell)
    assert isinstance(fault, PhoneFault)
    assert fault.code == "bad_phone"


@pytest.mark.parametrize("cell", ["6,12E+08", "6.12345678E+8", "6,12345678e8", "3,16E+10", " 6,12E+08 ", "'6,12E+08"])
def test_scientific_notation_is_refused_and_says_how_to_repair_it_in_excel(cell: str) -> None:
    fault = read_phone(cell)
    assert isinstance(fault, PhoneFault)
    assert fault.code == "bad_phone"
    assert "Excel" in fault.message
    assert "Tekst" in fault.message


NUMBERS = st.one_of(
    st.integers(10_000_000, 59_999_999).map(lambda n: f"6{n}"),
    st.sampled_from(["20", "10", "30", "40", "50", "70", "24", "13"]).flatmap(
        lambda area: st.integers(2_000_000, 7_999_999).map(lambda n: f"{area}{n}")
    ),
)
SEPARATOR = st.sampled_from(["", " ", "-", ".", "\u00a0", "  ", " - ", "\u2011", "/"])
PREFIX = st.sampled_from(
    ["0", "(0)", "+31", "+31 ", "+31 (0)", "+31(0)", "+310", "0031", "0031 (0)", "00 31 ", "31", ""]
)
WRAPPER = st.sampled_from(["{}", " {} ", "'{}", "\u00a0{}", "\ufeff{}", "{}\t", "{}\u200b"])


@given(number=NUMBERS, prefix=PREFIX, wrapper=WRAPPER, data=st.data())
def test_mending_undoes_mangling(number: str, prefix: str, wrapper: str, data: st.DataObject) -> None:
    spread = number[0] + "".join(data.draw(SEPARATOR) + digit for digit in number[1:])
    assert read_phone(wrapper.format(prefix + data.draw(SEPARATOR) + spread)) == f"+31{number}"


@given(NUMBERS, st.sampled_from(["", "31"]), st.sampled_from([float, int, lambda n: f"{n}.0", lambda n: f"{n},0"]))
def test_mending_undoes_what_a_spreadsheet_makes_of_a_number(number: str, prefix: str, spoil) -> None:
    assert read_phone(spoil(int(prefix + number))) == f"+31{number}"


@given(st.text(max_size=40) | st.floats() | st.integers())
def test_any_cell_gives_a_number_or_a_reason(cell: str | float) -> None:
    result = read_phone(cell)
    assert isinstance(result, PhoneFault) or (result.startswith("+") and result[1:].isdigit())


@given(NUMBERS)
def test_mending_a_mended_number_changes_nothing(number: str) -> None:
    once = read_phone(f"0{number}")
    assert isinstance(once, str)
    assert read_phone(once) == once
