"""Quoted words found in a text, and the nearest passage where they are not."""

from time import monotonic

import pytest

from affidavit.passages import MAX_LEFT_OUT, Words, quote_parts

MAIL = """\
Dear all,
> > the \u201cfirst 313 certificate
> > serial\u201d is **056D** \u2013 and 1,313 others (27), -5, 5%, SHA-256.
The serial number -- we did not see it -- was don\u2019t reused...
\u517131\u5f20\u8bc1\u4e66\u3002
Cafe\u0301 S\u00adoft 1.5 ~~40~~
"""


@pytest.mark.parametrize(
    ("quote", "lines"),
    [
        ("Dear all", (1, 1)),
        ('the "first 313 certificate serial" is', (2, 3)),  # mail quoting, a line break, quotation marks
        ("\u2018first\n  313  certificate\u2019", (2, 2)),  # the quoting sentence's own marks
        ("313 \u2018certificate\u2019", None),  # marks inside of the quote count
        ("serial' is 056D \u2014 and 1,313 others", (3, 3)),  # emphasis, dashes
        ("27", (3, 3)),
        ("(27), -5", (3, 3)),
        ("The serial number \u2014 we did not see it", (4, 4)),
        ("was don't reused", (4, 4)),
        ("was don't reused.", (4, 4)),  # the full stop of the quoting sentence
        ("SHA\u2010256", (3, 3)),
        ("31\u5f20\u8bc1\u4e66", (5, 5)),
        ("Caf\u00e9 Soft", (6, 6)),
        # Words and numbers are whole, and capitals, signs and digits count.
        ("13 certificate", None), ("313 others", None), ("5", None), ("1\u5f20", None), ("256", None), ("40", None),
        ("dear all", None), ("056d", None), ("all the first", None),
    ],
)  # fmt: skip
def test_found_as_it_stands(quote: str, lines: tuple[int, int] | None) -> None:
    passage = Words(MAIL).find(quote)
    assert (passage and (passage.line, passage.last_line)) == lines


@pytest.mark.parametrize("blank", ["\u00a0", "\u2009", "\u202f"])
def test_a_blank_within_a_number_parts_no_words(blank: str) -> None:
    words = Words(f"We found 1{blank}313{blank}certificates.")
    assert words.find("313 certificates") is None
    assert words.find("found 1 313 certificates")
    assert Words(f"in 2016{blank}313{blank}certificates").find("313 certificates")
    assert Words(f"of 1{blank}3134{blank}certificates").find("3134 certificates")
    assert Words(f"No.{blank}313{blank}certificates").find("313 certificates")


@pytest.mark.parametrize("dots", ["...", "\u2026", "[...]", "[\u2026]", "(...)", ". . ."])
def test_an_ellipsis_stands_for_words_in_between(dots: str) -> None:
    passage = Words(MAIL).find(f"The serial number {dots} reused")
    assert passage is not None
    assert (passage.line, passage.left_out) == (4, ("-- we did not see it -- was don\u2019t",))
    assert passage.denial_left_out
    assert Words(MAIL).find(f"reused {dots} The serial number") is None


def test_an_ellipsis_is_bounded() -> None:
    near, far = "word " * MAX_LEFT_OUT, "word " * (MAX_LEFT_OUT + 1)
    assert Words(f"begin {near} end").find("begin ... end")
    assert not Words(f"begin {far} end").find("begin ... end")
    # The place that fits is taken, not the first; and the shortest way to the end.
    passage = Words(f"begin {far} begin a end b end").find("begin ... end")
    assert passage is not None
    assert passage.text == "begin a end"
    # A part that stands twice: the second is near enough to the third part.
    assert Words(f"one x two {far} one y two z three").find("one ... two ... three")


def test_an_ellipsis_at_an_end_says_nothing() -> None:
    assert quote_parts("... the first ...") == [["the", "first"]]
    assert quote_parts("... . \u201c\u201d") == []


def test_lines_are_counted_as_editors_do() -> None:
    passage = Words("a\r\nb\rc\u2028d\x0ce\nfind me\n").find("find me")
    assert passage is not None
    assert passage.line == 4


@pytest.mark.parametrize(
    ("quote", "line", "difference"),
    [
        ("331 certificate serial", 2, "the document has '313', the quote '331'"),
        ("we did see it", 4, "the quote leaves out 'not'"),
        ("The very serial number", 4, "the document does not have 'very'"),
        ("313 others", 3, "only as part of a longer word or number"),
        ("reused ... Dear all", 4, "not in this order"),
    ],
)
def test_the_nearest_passage_is_told(quote: str, line: int, difference: str) -> None:
    near = Words(MAIL).nearest(quote)
    assert near is not None
    assert near.line == line
    assert difference in "; ".join(near.differences)


def test_nothing_near() -> None:
    assert Words(MAIL).nearest("entirely unrelated words are these") is None
    assert Words("").nearest("x") is None
    assert Words("").find("x") is None


def test_a_large_text_takes_no_long_time() -> None:
    words = Words("the quick brown 313 certificates of the CA fox.\n" * 20_000)
    start = monotonic()
    assert words.find("the ... the ... the ... certificates of no") is None
    assert words.nearest("the slow brown 331 certificates of the CA fox") is not None
    assert monotonic() - start < 5
