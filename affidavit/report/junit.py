"""JUnit XML: a report is a suite, a claim a case. Refuted and unproven are failures, faults of the input errors."""

import re
import xml.etree.ElementTree as ET

from affidavit.report.items import FAULTS, Item, Said
from affidavit.run import Run
from affidavit.shown import visible
from affidavit.types import Outcome

_WORDS = "the report's words"
MAX_MESSAGES = 100
"""So many messages stand in one case: a text of some 10 MB is no longer read by GitLab."""
MAX_ELEMENTS = 200_000
"""GitLab refused files of more than 250,000 elements (17.6, 2024)."""
#: What XML 1.0 (2.2) has no place for, even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(said: Said) -> bytes:
    """The XML of a check; times are left out, so that the same check gives the same bytes.

    Of claims beyond what hosts take, those that pass are left out first, and it is said how many.
    """
    root = ET.Element("testsuites", name="affidavit")
    faults = [item for item in said.items if item.report == FAULTS and item.is_error]
    if faults:
        suite = ET.SubElement(root, "testsuite", name=FAULTS)
        for number, item in enumerate(faults, 1):
            case = ET.SubElement(
                suite, "testcase", name=f"{number}: {item.diagnostic.code}", classname=FAULTS, time="0"
            )
            _add(case, "error", item.diagnostic.code, [item])
        _count(suite)
    left = MAX_ELEMENTS - 3 * len(said.checked.runs) - 3 * len(faults)
    for run in said.checked.runs:
        left -= _suite(root, run, [item for item in said.items if item.report == run.slug], left)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root, " ")
    content: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + content + b"\n"


def _suite(root: ET.Element, run: Run, items: list[Item], left: int) -> int:
    """Add a report's suite of at most ``left`` elements; how many it has."""
    suite = ET.SubElement(root, "testsuite", name=_plain(run.slug))
    by_claim: dict[str, list[Item]] = {}
    for item in items:
        if item.is_error:
            by_claim.setdefault(item.diagnostic.claim, []).append(item)
    fine = {name for name, verdict in run.verdicts.items() if verdict.passes and name not in by_claim}
    ordered = list(run.verdicts)
    if 2 * len(ordered) > left:
        ordered = sorted(ordered, key=lambda name: name in fine)[: max(0, left // 2)]
    for name in ordered:
        verdict = run.verdicts[name]
        case = ET.SubElement(suite, "testcase", name=_plain(name), classname=_plain(run.slug), time="0")
        own = by_claim.get(name, [])
        if own or not verdict.passes:
            _add(case, "failure", str(verdict.outcome) if not verdict.passes else own[0].diagnostic.code, own)
        elif verdict.outcome is Outcome.UNCHECKED:
            ET.SubElement(case, "skipped", message="no certificate can settle it")
    case = ET.SubElement(suite, "testcase", name=_WORDS, classname=_plain(run.slug), time="0")
    loose = [item for item in items if item.is_error and item.diagnostic.claim not in run.verdicts]
    if loose:
        _add(case, "failure", loose[0].diagnostic.code, loose)
    told = [f"changed: {change.words}" for change in run.changes]
    told += [f"set aside: {one.words}" for one in run.suppressed]
    if len(ordered) < len(run.verdicts):
        cut = len(run.verdicts) - len(ordered)
        told.insert(0, f"{cut:,} of {len(run.verdicts):,} claims are left out here: the file would be too large")
    if told:
        ET.SubElement(case, "system-out").text = "\n".join(_plain(words) for words in _first(told, "lines"))
    _count(suite)
    return 2 * len(ordered)


def _add(case: ET.Element, tag: str, kind: str, items: list[Item]) -> None:
    first = items[0].words if items else kind
    element = ET.SubElement(case, tag, message=_plain(first), type=_plain(kind))
    told = [f"{visible(str(item.diagnostic.pos))}: {item.words}" for item in items[: MAX_MESSAGES + 1]]
    more = len(items) - len(told)
    element.text = "\n".join(_plain(words) for words in _first(told, "messages", more))


def _first(told: list[str], what: str, more: int = 0) -> list[str]:
    """The first of what is told, and how much more there is."""
    rest = len(told) + more - MAX_MESSAGES
    return told if rest <= 0 else [*told[:MAX_MESSAGES], f"... and {rest:,} more {what}"]


def _count(suite: ET.Element) -> None:
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("time", "0")


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", visible(text))
