"""Documents pinned by their hash, and claims that quote them."""

from hashlib import sha256
from typing import Any

import pytest

from affidavit.project import Checked
from affidavit.report.text import Styler, check_text, explain_text
from affidavit.run import Run
from affidavit.types import InputError, Outcome, Severity
from tests.check.case import certificate, run

TEXT = "Hello,\n\n> the first 313 certificate\n> serial is 056D1570DA645BF6\n\nand an e-mail set December 30, 2015.\n"
PIN = sha256(TEXT.encode()).hexdigest()
ROWS = [certificate(n) for n in range(3)]


def document(**odd: Any) -> dict[str, Any]:
    whole = {"file": "answers.txt", "title": "The answers", "by": "The CA", "date": "2016-09-21", "sha256": PIN} | odd
    return {key: value for key, value in whole.items() if value is not None}


def quoted(claim: dict[str, Any], text: str = TEXT, **odd: Any) -> Run:
    """Check one claim that quotes a document."""
    return run({"one": claim}, ROWS, top={"documents": {"answers": document(**odd)}}, files={"answers.txt": text})


def quote(text: str) -> dict[str, str]:
    return {"document": "answers", "text": text}


def faults(claim: dict[str, Any], text: str = TEXT, **odd: Any) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        quoted(claim, text, **odd)
    return [(d.code, f"{d.message} {d.hint}") for d in caught.value.diagnostics]


COUNTED = {"over": "a", "count": "3"}
UNCHECKED = {"unchecked": "no certificate records e-mails"}


def test_a_quote_that_stands_there_is_a_finding_with_its_line() -> None:
    found = quoted(COUNTED | {"quote": quote("certificate serial is 056D1570DA645BF6")})
    verdict = found.verdicts["one"]
    assert verdict.outcome is Outcome.VERIFIED
    (finding,) = [f for f in verdict.findings if f.assertion == "quote"]
    assert (finding.outcome, finding.observed) == (Outcome.VERIFIED, "lines 3 to 4 of answers.txt")
    assert verdict.quoted is not None
    assert (verdict.quoted.found, verdict.quoted.line, verdict.quoted.by) == (True, 3, "The CA")


def test_a_quote_verifies_nothing_by_itself() -> None:
    found = quoted({"over": "a", "count": "4", "quote": quote("Hello")})
    assert found.verdicts["one"].outcome is Outcome.REFUTED
    ((code, words),) = faults({"over": "a", "quote": quote("Hello")})
    assert code == "no-assertion"
    assert "unchecked" in words
    # No row to look at: the quote does not help.
    none = run(
        {"one": COUNTED | {"quote": quote("Hello")}},
        top={"documents": {"answers": document()}},
        files={"answers.txt": TEXT},
    )
    assert none.verdicts["one"].outcome is Outcome.UNPROVEN


@pytest.mark.parametrize("stands", ["true", "false", "unproven"])
def test_a_misquote_never_passes(stands: str) -> None:
    """Whatever the report holds of the claim, and whatever the certificates say."""
    for count in ("3", "4"):
        claim = {"over": "a", "count": count, "stands": stands, "quote": quote("the first 331 certificate serial")}
        found = quoted(claim)
        assert found.verdicts["one"].outcome is not Outcome.VERIFIED
        assert not found.passes
        assert any(d.severity is Severity.ERROR for d in found.diagnostics)


def test_a_misquote_shows_what_stands_there() -> None:
    found = quoted(COUNTED | {"quote": quote("the first 331 certificate serial")})
    verdict = found.verdicts["one"]
    assert (verdict.outcome, verdict.code) == (Outcome.UNPROVEN, "quote-not-found")
    (error,) = [d for d in found.diagnostics if d.code == "quote-not-found"]
    assert "line 3 of answers.txt" in error.message
    assert "the document has '313', the quote '331'" in error.message
    assert error.pos.line > 1


def test_an_unchecked_claim_stays_so_and_is_shown_apart() -> None:
    found = quoted(UNCHECKED | {"quote": quote("an e-mail set December 30, 2015")})
    verdict = found.verdicts["one"]
    assert (verdict.outcome, verdict.documented, found.passes) == (Outcome.UNCHECKED, True, True)
    assert found.tally.documented == 1
    plain = quoted(UNCHECKED)
    assert (plain.verdicts["one"].documented, plain.tally.documented) == (False, 0)
    missing = quoted(UNCHECKED | {"quote": quote("an e-mail set December 31, 2015")})
    assert missing.verdicts["one"].outcome is Outcome.UNPROVEN
    assert not missing.passes


def test_the_figures_of_an_unchecked_claim_are_held_to_its_quote() -> None:
    claim = UNCHECKED | {"quote": quote("an e-mail set December 30, 2015")}
    assert quoted(claim | {"says": "An e-mail set 30 December 2015 as the last day."}).passes
    wrong = quoted(claim | {"says": "An e-mail set 31 December 2015 as the last day."})
    assert [(d.code, d.severity) for d in wrong.diagnostics] == [("figure-not-stated", Severity.ERROR)]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("the first 3 certificates, in 2 batches", []),
        ("the first 4 certificates", ["quote-differs"]),
        ("the first 4 certificates, and 5", ["quote-differs"]),
        ("the first four certificates", ["quote-differs"]),
        ("no figure at all", []),
        ("they number 3 of 2016", []),
    ],
)
def test_a_quote_with_other_figures_than_the_claim_is_reported(text: str, codes: list[str]) -> None:
    found = quoted(COUNTED | {"quote": quote(text)}, text, sha256=sha256(text.encode()).hexdigest())
    assert [d.code for d in found.diagnostics] == codes


def test_words_left_out_that_deny_are_pointed_at() -> None:
    text = "We did not issue these."
    claim = COUNTED | {"quote": quote("We did ... issue these")}
    found = quoted(claim, text, sha256=sha256(text.encode()).hexdigest())
    (finding,) = [f for f in found.verdicts["one"].findings if f.assertion == "quote"]
    assert "deny" in finding.hint
    assert "We did not issue these" in finding.observed


def test_a_document_that_changed_or_is_not_pinned() -> None:
    ((code, words),) = faults(COUNTED, TEXT + " ")
    assert code == "document-changed"
    assert sha256((TEXT + " ").encode()).hexdigest() in words
    ((code, words),) = faults(COUNTED, sha256=None)
    assert (code, f"write `sha256: {PIN}`" in words) == ("not-pinned", True)
    ((code, words),) = faults(COUNTED, sha256=PIN[:-1])
    assert (code, PIN in words) == ("bad-value", True)
    # Upper case and colons are the same hash.
    assert quoted(COUNTED, sha256=":".join(PIN.upper()[i : i + 2] for i in range(0, 64, 2))).passes


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ({"file": "../case/answers.txt"}, "path-leaves-folder"), ({"file": "/etc/hostname"}, "path-leaves-folder"),
        ({"file": "reply.txt"}, "no-files"), ({"date": "2016-02-30"}, "bad-time"),
        ({"date": "Sunday 2016-09-21"}, "bad-time"), ({"title": None}, "missing-key"),
    ],
)  # fmt: skip
def test_a_faulty_document(odd: dict[str, Any], code: str) -> None:
    assert [found for found, _ in faults(COUNTED, **odd)] == [code]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfeh\0i\0", b"caf\xe9", b"a\0b", b"<!DOCTYPE html><p>hi", b"<html><body>hi",
        b"From: x\r\nContent-Transfer-Encoding: base64\r\n\r\naGk=\r\n",
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        run(
            {"one": COUNTED},
            ROWS,
            top={"documents": {"answers": document(sha256=sha256(content).hexdigest())}},
            files={"answers.txt": content},
        )
    assert [d.code for d in caught.value.diagnostics] == ["not-a-text"]


def test_a_quote_of_nothing() -> None:
    assert faults(COUNTED | {"quote": {"document": "answer", "text": "Hello"}})[0][0] == "unknown-document"
    assert faults(COUNTED | {"quote": quote("...")})[0][0] == "empty-quote"
    assert faults(COUNTED | {"quote": {"document": "answers"}})[0][0] == "missing-key"


def test_a_document_dates_what_it_holds() -> None:
    """What is said in it cannot be of later days, nor be first said later."""
    early = COUNTED | {"every": {"not_before": "2016-01-04"}, "quote": quote("Hello")}
    assert quoted(early).verdicts["one"].outcome is Outcome.VERIFIED
    before = quoted(early, date="2016-01-03").verdicts["one"]
    assert (before.outcome, before.code) == (Outcome.REFUTED, "impossible-date")
    assert quoted(COUNTED | {"made": "2016-09-21", "quote": quote("Hello")}).passes
    assert faults(COUNTED | {"made": "2016-09-22", "quote": quote("Hello")})[0][0] == "made-after-document"


def test_the_terminal_shows_quote_document_and_line() -> None:
    found = quoted(UNCHECKED | {"quote": quote("an e-mail set December 30, 2015")})
    text = explain_text(found, "one", [], 10)
    assert "stands in The answers" in text
    assert "line 6 of answers.txt" in text
    assert "1 unchecked (1 of them quoted)" in check_text(Checked((found,), ()), Styler())
