"""The report's words held against its claims, each finding at its place."""

from textwrap import dedent

import pytest

from affidavit.check.base import Figures
from affidavit.check.bounds import Bound
from affidavit.check.compile import compile_claims
from affidavit.check.figures import find_figures
from affidavit.check.prose import _Words, check_prose, claim_links
from affidavit.check.stated import Stated
from affidavit.times import parse_time
from affidavit.types import Diagnostic, Severity
from tests.check.case import report_of

HEAD = """\
title: A test
kind: analysis
date: 2026-11-23
trust: [trust.pem]
evidence:
  a: {files: a.pem}
claims:
  same:
    says: 313 certificates begin on 4 January 2016.
    over: a
    count: 313
    every: {not_before: 2016-01-04, issuer_cn: CA 99}
  wordy:
    says: Something is so.
    over: a
    unchecked: nobody can tell
"""


def found(rest: str, head: str = HEAD) -> list[Diagnostic]:
    report = report_of(head + dedent(rest))
    return check_prose(report, compile_claims(report))


def places(rest: str, head: str = HEAD) -> list[tuple[str, int, int]]:
    """Code, line and column, the line counted from the end of ``HEAD``."""
    before = head.count("\n")
    return [(d.code, d.pos.line - before, d.pos.column) for d in found(rest, head)]


def test_words_that_say_what_the_claim_states() -> None:
    assert found("summary: '[313 certificates of CA 99, on 4 January 2016, a Monday](claim:same) and no more.'") == []
    # An unchecked claim states no figures, so nothing can be held against it.
    assert found("summary: '[27](claim:wordy)'") == []


@pytest.mark.parametrize(
    ("words", "figure"),
    [
        ("314 certificates", "314"), ("3,130", "3,130"), ("27 of 313", "27"), ("on 5 January 2016", "5 January 2016"),
        ("2016-01-03", "2016-01-03"), ("a Sunday", "Sunday"), ("six", "six"), ("056D1570DA645BF6", "056D1570DA645BF6"),
        ("in February 2016", "February 2016"), ("on the 5th", "5th"),
        # Marks between digits part no number.
        ("4*313* of them", "4313"), ("**2016**`01`", "201601"),
    ],
)  # fmt: skip
def test_a_link_whose_figure_is_not_stated_is_an_error(words: str, figure: str) -> None:
    (one,) = found(f"summary: '[{words}](claim:same)'")
    assert (one.code, one.severity, one.claim) == ("figure-not-stated", Severity.ERROR, "same")
    assert repr(figure) in one.message


def test_the_sentence_itself_is_held_against_the_claim() -> None:
    head = HEAD.replace("says: 313 certificates", "says: 314 certificates")
    (one,) = found("", head)
    assert (one.code, one.pos.line, one.pos.column) == ("figure-not-stated", 9, 11)
    assert "it states" in one.hint


def test_an_unknown_claim() -> None:
    (one,) = found("summary: see [this](claim:sam)")
    assert (one.code, one.severity) == ("unknown-claim", Severity.ERROR)
    assert "'same'" in one.hint


def test_places_in_a_literal_block() -> None:
    text = """\
    summary: |
      First line,
      then 27 of them.

      [314](claim:same) and [x](claim:none)
    """
    assert sorted(places(text)) == [
        ("figure-not-stated", 5, 4), ("loose-fact", 3, 8), ("unknown-claim", 5, 25),
    ]  # fmt: skip


def test_places_in_plain_and_quoted_scalars() -> None:
    assert places("summary: there are 27 of them\n") == [("loose-fact", 1, 20)]
    assert places("summary: 'there are 27 of them'\n") == [("loose-fact", 1, 21)]
    assert places("sections:\n- title: T\n  text: about 27\n") == [("loose-fact", 3, 15)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("summary: >-\n  there are\n  27 of them\n", 3, 3),
        ("summary: >-\n  there\n\n    are 27\n", 4, 9),
        ("summary: there are\n  some, 27 of them\n", 2, 9),
        ("summary: 'it''s\n\n  27, it''s'\n", 3, 3),
        ('summary: "\\"so\\" \\\\27"\n', 1, 20),
        # What cannot be followed names its beginning.
        ('summary: "\\u0032\\u0037 of them"\n', 1, 10),
        ("summary: &a there are 27\n", 1, 10),
    ],
)
def test_places_in_folded_and_escaped_scalars(text: str, line: int, column: int) -> None:
    assert places(text) == [("loose-fact", line, column)]


def test_two_equal_links_each_have_their_place() -> None:
    text = "summary: |\n  [314](claim:same) [314](claim:same)\n"
    assert places(text) == [("figure-not-stated", 2, 4), ("figure-not-stated", 2, 22)]


def test_loose_facts_are_warnings_and_name_the_claim_that_would_cover_them() -> None:
    (one,) = found("summary: There are 313 of them.\n")
    assert (one.code, one.severity) == ("loose-fact", Severity.WARNING)
    assert "[313](claim:same)" in one.hint
    (other,) = found("summary: There are 27 of them.\n")
    assert "allow" in other.hint


@pytest.mark.parametrize(
    "text",
    [
        "SHA-1 and RFC 6962.", "`27` in code", "See [this](https://example.com/27).", "<https://example.com/27>",
        "issued by CA 99",
    ],
)  # fmt: skip
def test_what_is_no_loose_fact(text: str) -> None:
    assert found(f"summary: '{text}'\n") == []


def test_code_blocks_and_list_numbers_are_no_facts() -> None:
    assert found("summary: |\n  ```\n  27\n  ```\n  1. one\n  2. and\n\n  [x]: https://example.com/27\n") == []


def test_allowed_figures() -> None:
    allowed = "allow:\n- {text: '20', reason: a number of the list}\n"
    assert found(f"summary: No. 20 it is.\n{allowed}") == []
    # Only the figure that is allowed: not another one near it, nor a part of it.
    assert [d.message for d in found(f"summary: No. 20 has 2 parts.\n{allowed}")] == [
        "the loose fact '2' is tied to no claim"
    ]
    assert {d.code for d in found(f"summary: There are 200.\n{allowed}")} == {"loose-fact", "unused-allow"}
    (unused,) = found(f"summary: Nothing.\n{allowed}")
    assert (unused.code, unused.severity) == ("unused-allow", Severity.WARNING)
    assert found("summary: Lot 7 of 20 it is.\nallow:\n- {text: Lot 7 of 20, reason: a name}\n") == []


def test_a_duration_hides_no_other_figure() -> None:
    head = HEAD.replace("every: {not_before: 2016-01-04, issuer_cn: CA 99}", "every: \"validity_seconds >= '1 s'\"")
    head = head.replace("says: 313 certificates begin on 4 January 2016.", "says: 313 certificates last 1 s or more.")
    assert found("", head) == []
    (one,) = found("summary: '[valid for 21 s](claim:same)'\n", head)
    assert "'21 s'" in one.message


def test_a_link_inside_code_is_text() -> None:
    assert [link.claim for link in claim_links('[a](claim:x) [b](claim:y "title") [c](<claim:z>)')] == ["x", "y", "z"]


def test_what_stands_under_one_serial_number_is_no_bound() -> None:
    from affidavit.check.bounds import Says, said_of

    assert Says.BELOW not in said_of("three certificates under ", " serial number")
    assert Says.BELOW in said_of("they are under ", " in all")
    assert Says.BELOW in said_of("fewer than ", " serial numbers")


def test_a_time_of_the_timeline_is_one_that_its_claim_states() -> None:
    right = "timeline: [{at: 2016-01-04, text: '[They](claim:same) begin.'}]"
    assert found(right) == []
    (late,) = found(right.replace("01-04", "01-05"))
    assert (late.code, late.severity, late.pos.column) == ("loose-fact", Severity.WARNING, 17)
    # A claim that states another day, or none, does not bear it out; neither does one that is not named.
    assert [d.code for d in found("timeline: [{at: 2016-01-04, text: 'They begin.'}]")] == ["loose-fact"]
    assert [d.code for d in found("timeline: [{at: 2016-01-04, text: '[They](claim:wordy) begin.'}]")] == ["loose-fact"]
    assert found("timeline: [{at: 2016-01-05, text: 'x'}]\nallow: [{text: 2016-01-05, reason: y}]") == []


@pytest.mark.parametrize(
    ("at", "right"),
    [
        ("2016-01-04T12:00:00Z", True),
        ("2016-01-04T12:00:01Z", False),
        ("2016-01-04T12:01Z", False),
        ("2016-01-04", True),
    ],
)
def test_an_instant_of_the_timeline_is_stated_to_the_second(at: str, right: bool) -> None:
    head = HEAD.replace("not_before: 2016-01-04", "not_before: 2016-01-04T12:00:00Z")
    codes = [d.code for d in found(f"timeline: [{{at: '{at}', text: '[They](claim:same) begin.'}}]", head)]
    assert codes == ([] if right else ["loose-fact"])


def test_a_day_bears_out_no_time_of_day() -> None:
    text = "timeline: [{at: '2016-01-04T12:00:00Z', text: '[They](claim:same) begin.'}]"
    assert [d.code for d in found(text)] == ["loose-fact"]


def test_the_day_on_which_a_claim_was_made_may_stand_in_the_timeline() -> None:
    head = HEAD.replace("    count: 313\n", "    count: 313\n    made: 2016-09-20\n")
    assert found("timeline: [{at: 2016-09-20, text: 'The CA [says so](claim:same).'}]", head) == []
    wrong = found("timeline: [{at: 2016-09-21, text: 'The CA [says so](claim:same).'}]", head)
    assert [d.code for d in wrong] == ["loose-fact"]


@pytest.mark.parametrize(
    ("says", "claim", "unsaid"),
    [
        ("It lists eight names, two of them odd.", "{count: 8, distinct: {serial: 7, issuer: 2}}", "7"),
        ("It carries a path length of 1.", "{count: 1, every: {path_length: 0}}", "0"),
        ("All 62 begin on 2015-12-20.", "{count: 62, every: {not_before: [2015-12-20, 2015-12-21]}}", "2015-12-21"),
        ("From 2016-01-04 to 2016-01-05.", "{between: {not_before: {from: 2016-01-04, until: 2016-01-05}}}", ""),
        ("The certificate has a path length of 0.", "{count: 1, every: {path_length: 0}}", ""),
        ("They all share a key.", "{count: 8, distinct: {spki_sha256: 1}}", ""),
        ("8 of them.", "{where: {key_bits: 2048}, count: 8}", ""),
    ],
)
def test_what_a_claim_states_its_sentence_says(says: str, claim: str, unsaid: str) -> None:
    head = HEAD[: HEAD.index("claims:")] + f"claims:\n  one: {{says: '{says}', over: a, {claim[1:]}\n"
    findings = found("", head)
    assert [d.code for d in findings] == (["figure-not-said"] if unsaid else [])
    assert all(f"states {unsaid}," in d.message and d.severity is Severity.WARNING for d in findings)


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("from 2015-12-19T16:00:00Z on and before 2015-12-20T16:00:00Z", True),
        ("from 2015-12-20T16:00:00Z on and before 2015-12-20T16:00:00Z", False),
        ("from 2015-12-19T16:00:00Z on and before 2015-12-19T16:00:00Z", False),
        ("begin at 2015-12-19T16:00:00Z", True),
        ("begin at 2015-12-20T16:00:00Z", False),
        ("begin at 2015-12-19T16:00:01Z", False),
    ],
)
def test_an_instant_that_ends_a_range_is_said_as_that_end(words: str, right: bool) -> None:
    span = "{from: '2015-12-19T16:00:00Z', before: '2015-12-20T16:00:00Z'}"
    head = HEAD + f"  span: {{says: They begin then., over: a, every: {{not_before: {span}}}}}\n"
    assert [d.code for d in found(f"summary: '[They {words}](claim:span).'", head)] == (
        [] if right else ["figure-not-stated"]
    )


@pytest.mark.parametrize(
    ("stated", "right", "wrong"),
    [
        ("{at_least: 50 %}", "at least 50 %", "50 %"), ("{at_least: 50 %}", "50 % or more", "at most 50 %"),
        ("{at_most: 2.5 %}", "up to 2.5 %", "2.5 %"), ("40 %", "40 %", "more than 40 %"),
        ("{at_least: 10 %, at_most: 20 %}", "between 10 % and 20 %", "10 %"),
    ],
)  # fmt: skip
def test_a_percentage_says_no_more_than_its_bound(stated: str, right: str, wrong: str) -> None:
    head = HEAD.replace("    count: 313\n", f"    count: 313\n    share: {stated}\n")
    assert found(f"summary: '[{right} of them](claim:same)'\n", head) == []
    (one,) = found(f"summary: '[{wrong} of them](claim:same)'\n", head)
    assert one.code == "figure-not-stated"
    assert "%" in one.hint


@pytest.mark.parametrize(
    ("text", "loose"),
    [
        ("Lists:\n\n1. a\nlazy\n2. b\n   more\n\n3. c", []), ("# Head\n1. a", []), ("- x\n\n  1. y", []),
        ("In all there were\n27. No more.", ["27"]), ("Lists:\n\n1. a\n\nSo there are\n27. No more.", ["27"]),
        ("313. That is all.", ["313"]),
        # What stands behind a name in brackets is text, unless it is an address.
        ("[WoSign]: 27 of them.", ["27"]), ("[x]: https://example.com/27 '27'", []), ("[x]: claim:27 27", ["27", "27"]),
    ],
)  # fmt: skip
def test_the_number_of_a_list_is_none_of_a_sentence(text: str, loose: list[str]) -> None:
    block = "".join(f"  {line}\n" for line in text.split("\n"))
    assert [d.message.split("'")[1] for d in found(f"summary: |\n{block}")] == loose


def test_titles_of_collections_are_read_as_well() -> None:
    head = HEAD.replace("a: {files: a.pem}", "a: {files: a.pem, title: The 314}")
    (one,) = found("", head)
    assert (one.code, one.pos.line) == ("loose-fact", 6)
    assert "no link can stand in a title" in one.hint


def test_a_number_is_looked_up_as_each_claim_states_it() -> None:
    """The claims that state a number are found by an index; it leaves out none that says it in another way."""
    days = parse_time("2016-01-04", "UTC")
    stated = {
        "number": Stated.of(Figures(numbers=frozenset((3, 1003, 2016))), "UTC"),
        "unitless": Stated.of(Figures(unitless=frozenset((3, 90))), "UTC"),
        "bound": Stated.of(Figures(bounds=(Bound(3, None), Bound(2_999_000, 3_001_000))), "UTC"),
        "length": Stated.of(Figures(lengths=frozenset((3 * 86400,))), "UTC"),
        "day": Stated.of(Figures(spans=(days,)), "UTC"),
        "serial": Stated.of(Figures(texts=("0123456789", "056D1570DA645BF6B44C0A7077CC6769")), "UTC"),
        "nothing": Stated.of(Figures(), "UTC"),
    }
    words = _Words(stated, dict.fromkeys(stated, ()), frozenset())
    texts = (
        "There are 3.", "There are 3 days.", "at least 3 of them", "more than 2 of them", "1.003 and 1,003", "in 2016",
        "2016 certificates", "32 hex digits", "0123456789", "three", "3 million", "90 minutes", "on the 4th", "17",
    )  # fmt: skip
    met: set[str] = set()
    for text in texts:
        for figure in find_figures(text):
            every = [name for name, one in stated.items() if one.covers(figure, text)]
            assert words.covering(figure, text) == every, text
            met.update(every)
    assert met == set(stated) - {"nothing"}
