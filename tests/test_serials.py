"""Serial numbers are compared as numbers and shown in whole octets."""

import pytest

from affidavit.serials import clean_hex, parse_serial, show_serial, written_short


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "00"),
        (1, "01"),
        (255, "FF"),
        (256, "0100"),
        (-1, "-01"),
        (-256, "-0100"),
        (0x056D1570DA645BF6B44C0A7077CC6769, "056D1570DA645BF6B44C0A7077CC6769"),
        (1 << 160, "01" + "00" * 20),
    ],
)
def test_shown_in_whole_octets(number: int, shown: str) -> None:
    assert show_serial(number) == shown
    assert parse_serial(shown) == number


@pytest.mark.parametrize(
    "text",
    [
        "056D1570DA645BF6B44C0A7077CC6769",
        "56D1570DA645BF6B44C0A7077CC6769",
        "056d1570da645bf6b44c0a7077cc6769",
        "05:6D:15:70:DA:64:5B:F6:B4:4C:0A:70:77:CC:67:69",
        "05 6D 15 70 DA 64 5B F6 B4 4C 0A 70 77 CC 67 69",
        "0x056D1570DA645BF6B44C0A7077CC6769",
        "0X56d1570da645bf6b44c0a7077cc6769",
        "  00056D1570DA645BF6B44C0A7077CC6769\n",
    ],
)
def test_one_number_in_every_dress(text: str) -> None:
    assert parse_serial(text) == 0x056D1570DA645BF6B44C0A7077CC6769


def test_one_nibble_changed_is_another_number() -> None:
    assert parse_serial("056D1570DA645BF6B44C0A7077CC6768") != parse_serial("056D1570DA645BF6B44C0A7077CC6769")


@pytest.mark.parametrize(("text", "number"), [("-01", -1), ("-0x80", -128), ("-8:0", -128)])
def test_negative_numbers(text: str, number: int) -> None:
    assert parse_serial(text) == number


@pytest.mark.parametrize("text", ["", "-", "0x", "--1", "12G4", "1.5", "+5", "٣", "\ufb00", "5-5", "0x0x5"])
def test_what_is_no_serial_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no serial number"):
        parse_serial(text)


def test_half_octets_are_noticed() -> None:
    assert written_short("56D1570DA645BF6B44C0A7077CC6769")
    assert not written_short("056D1570DA645BF6B44C0A7077CC6769")
    assert written_short("-0x5")
    assert not written_short("-05")


def test_fingerprints_are_cleaned_alike() -> None:
    assert clean_hex("AA:bb cc\t0d") == "AABBCC0D"
