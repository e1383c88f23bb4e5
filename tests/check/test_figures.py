# ruff: noqa: E501 (tables of cases)
"""Figures found in text, and figures that a claim states."""

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from affidavit.check import figures, numerals
from affidavit.check.base import Figures
from affidavit.check.figures import find_figures
from affidavit.check.stated import Stated
from affidavit.times import day_span, parse_time


def texts(text: str, *names: str) -> list[str]:
    return [figure.text for figure in find_figures(text, names)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("313 certificates and 1,234,567 more", [313, 1234567]),
        ("(313), 27; 40. 3.5", [313, 27, 40, 3.5]),
        ("six of twenty, and Nine", [6, 20, 9]),
        ("one certificate; one may say so", [1]),
        ("on 2015-12-20", [date(2015, 12, 20)]),
        ("4 January 2016 and Jan 4, 2016, and 4th Jan", [("2016", 1, 4), ("2016", 1, 4), (None, 1, 4)]),
        ("May 8 and 8 May", [(None, 5, 8), (None, 5, 8)]),
        ("in January 2016", [("2016", 1, None)]),
        ("Sunday 2015-12-20", ["Sunday", date(2015, 12, 20)]),
        ("22 on the 19th, 40 on the 20th", [22, 19, 40, 20]),
        ("at 16:00 and 16:00:01", ["16:00", "16:00:01"]),
        ("2016-01-04T12:00Z", ["2016-01-04T12:00Z"]),
        ("056D1570DA645BF6B44C0A7077CC6769", ["056D1570DA645BF6B44C0A7077CC6769"]),
        ("12:34:56:78:9a:bc:de:f0", ["123456789ABCDEF0"]),
        ("0x1D9D58A78AFF02", ["1D9D58A78AFF02"]),
        ("15 days 4 h", [(1_310_400, 0)]),
        ("2 hours and 24 hours", [(7200, 0), (86_400, 0)]),
        ("SHA-1, SHA-256, MD5 and RSA-2048", ["SHA-1", "SHA-256", "MD5", "RSA-2048"]),
        ("a 2048-bit key", [2048]),
        ("40%", [40]),
        ("Issue 314 certificates more; Issue H, Question 5, Table 12.", [314]),
    ],
)
def test_found(text: str, values: list[object]) -> None:
    assert [figure.value for figure in find_figures(text)] == values
    for figure in find_figures(text):
        assert text[figure.start : figure.end] == figure.text


@pytest.mark.parametrize(
    "text",
    [
        "RFC 6962 and RFC 5280, section 4.1.2.5", "X.509", "UTC+8", "DigiCert G2",
        "`313` in code", "https://example.com/313", "Question 5", "Category 1", "2.23.140.1.2.2", "BR 7.1.6.1",
        "certifi 2016.9.26", "v1.2.3", "10.0.20.16", "in the 1990s", "as in may", "a march", "X.312",
        "somebody, someone, none and once", "May they", "the second", "x86 and v3",
    ],
)  # fmt: skip
def test_no_figures(text: str) -> None:
    assert texts(text) == []


def test_digits_in_names_are_no_figures_but_durations_hide_none() -> None:
    assert texts("WoSign CA 3 issued 3", "WoSign CA 3") == ["3"]
    assert texts("CA 12 and CA 1", "CA 1") == ["12"]
    assert texts("1 s and 21 s and 313", "1 s") == ["1 s", "21 s", "313"]
    assert texts("on 2015-12-20", "2015-12-20") == ["2015-12-20"]
    assert texts("313 in all", "313") == ["313"]


def covered(text: str, figures: Figures, zone: str = "UTC") -> list[bool]:
    stated = Stated.of(figures, zone)
    return [stated.covers(figure, text) for figure in find_figures(text)]


SHANGHAI = day_span(date(2015, 12, 20), "Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "figures", "zone", "expected"),
    [
        ("313, three", Figures(frozenset({313})), "UTC", [True, False]),
        ("314", Figures(frozenset({313})), "UTC", [False]),
        ("1,313", Figures(frozenset({1313})), "UTC", [True]),
        ("six", Figures(frozenset({6})), "UTC", [True]),
        ("2015-12-20", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [True]),
        # In UTC that day begins on the 19th; only words that say so may say the 19th.
        ("2015-12-19", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [False]),
        ("2015-12-19 UTC", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [True]),
        ("Sunday, 20 December 2015", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [True, True]),
        ("Saturday", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [False]),
        ("20 December 2016", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [False]),
        ("the 20th, the 21st", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [True, False]),
        ("December 2015, January 2016", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [True, False]),
        ("in 2015, not 2016", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [True, False]),
        ("16:00 and 16:01", Figures(spans=(parse_time("2015-12-19T16:00Z", "UTC"),)), "UTC", [True, False]),
        ("00:00", Figures(spans=(parse_time("2015-12-19T16:00Z", "UTC"),)), "Asia/Shanghai", [True]),
        # A zone behind a time of day says whose it is: 16:00 in London is no 16:00 in Shanghai.
        ("16:00Z, 00:00Z", Figures(spans=(parse_time("2015-12-19T16:00Z", "UTC"),)), "Asia/Shanghai", [True, False]),
        ("16:00 UTC, 16:00 CST", Figures(spans=(parse_time("2015-12-19T16:00Z", "UTC"),)), "Asia/Shanghai", [True, False]),
        ("00:00 CST, 00:00 UTC", Figures(spans=(parse_time("2015-12-19T16:00Z", "UTC"),)), "Asia/Shanghai", [True, False]),
        ("16:00 CST", Figures(spans=(parse_time("2015-12-19T16:00Z", "UTC"),)), "UTC", [False]),
        ("00:00 Beijing time, 16:00 Beijing time", Figures(spans=(parse_time("2015-12-19T16:00Z", "UTC"),)), "Asia/Shanghai",
         [True, False]),
        ("00:00 +08:00, 16:00 +08:00", Figures(spans=(parse_time("2015-12-19T16:00Z", "UTC"),)), "UTC", [True, False]),
        ("in December, in January", Figures(spans=(SHANGHAI,)), "Asia/Shanghai", [True, False]),
        ("within 24h, 25h", Figures(lengths=frozenset({86_400})), "UTC", [True, False]),
        # A number of hex digits is none of certificates.
        ("Of hex digits it has 15.", Figures(texts=("56D1570DA645BF6",)), "UTC", [True]),
        ("In all they are 15.", Figures(texts=("56D1570DA645BF6",)), "UTC", [False]),
        # The other day is a Monday: a weekday is that of the date behind it.
        ("Sunday, 20 December 2015, Monday 2015-12-21, Monday, 20 December 2015, Sunday", Figures(spans=(SHANGHAI, day_span(date(2015, 12, 21), "Asia/Shanghai"))), "Asia/Shanghai",
         [True, True, True, True, False, True, True]),
        ("nearly 313, 313", Figures(frozenset({313})), "UTC", [False, True]),
        ("056D1570DA645BF6", Figures(texts=("56D1570DA645BF6",)), "UTC", [True]),
        ("056D1570DA645BF7", Figures(texts=("56D1570DA645BF6",)), "UTC", [False]),
        ("15 days", Figures(texts=("15 days",)), "UTC", [True]),
        ("16 days", Figures(texts=("15 days",)), "UTC", [False]),
    ],
)  # fmt: skip
def test_covered(text: str, figures: Figures, zone: str, expected: list[bool]) -> None:
    assert covered(text, figures, zone) == expected


@given(
    st.text(
        "aAbFfkKsSxzT SHA-12 0359:.,-/%`\u00a7_\u017f\u212a\u0660\u00a0\u2019'\n(May1stndhoursixhttps://", max_size=60
    )
)
@example("at 2016-01-02T03:04:05Zx2016-01-02T03:04:05Z")
@example("xhttps://a.example/1 ninety-five \u017fix 12k")
def test_what_a_figure_can_begin_with_leaves_none_out(text: str) -> None:
    whole = re.compile(figures._KINDS, re.IGNORECASE)
    assert [m.span() for m in figures._patterns().finditer(text)] == [m.span() for m in whole.finditer(text)]


@pytest.mark.parametrize("text", ["", "true", "two true", "half", "half two", "a", "and", "-", "RSA"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert numerals.parse_number(text) is None


def test_half_a_dozen_is_six() -> None:
    assert numerals.parse_number("half a dozen") == 6
