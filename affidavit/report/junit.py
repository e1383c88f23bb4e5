"""JUnit XML: a report is a suite, a claim a case. Refuted and unproven are failures, faults of the input errors."""

import re
import xml.etree.ElementTree as ET

from affidavit.report.items import FAULTS, Item, Said
from affidavit.run import Run
from affidavit.shown import visible
from affidavit.types import Outcome

_WORDS = "the report's words"
#: What XML 1.0 (2.2) has no place for, even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(said: Said) -> bytes:
    """The XML of a check; times are left out, so that the same check gives the same bytes."""
    root = ET.Element("testsuites", name="affidavit")
    faults = [item for item in said.items if item.report == FAULTS]
    if faults:
        suite = ET.SubElement(root, "testsuite", name=FAULTS)
        for number, item in enumerate(faults, 1):
            case = ET.SubElement(
                suite, "testcase", name=f"{number}: {item.diagnostic.code}", classname=FAULTS, time="0"
            )
            _add(case, "error", item.diagnostic.code, [item])
        _count(suite)
    for run in said.checked.runs:
        _suite(root, run, [item for item in said.items if item.report == run.slug])
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root, " ")
    content: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + content + b"\n"


def _suite(root: ET.Element, run: Run, items: list[Item]) -> None:
    suite = ET.SubElement(root, "testsuite", name=_plain(run.slug))
    for name, verdict in run.verdicts.items():
        case = ET.SubElement(suite, "testcase", name=_plain(name), classname=_plain(run.slug), time="0")
        own = [item for item in items if item.diagnostic.claim == name and item.is_error]
        if own or not verdict.passes:
            _add(case, "failure", str(verdict.outcome) if not verdict.passes else own[0].diagnostic.code, own)
        elif verdict.outcome is Outcome.UNCHECKED:
            ET.SubElement(case, "skipped", message="no certificate can settle it")
    case = ET.SubElement(suite, "testcase", name=_WORDS, classname=_plain(run.slug), time="0")
    loose = [item for item in items if item.is_error and item.diagnostic.claim not in run.verdicts]
    if loose:
        _add(case, "failure", loose[0].diagnostic.code, loose)
    _count(suite)


def _add(case: ET.Element, tag: str, kind: str, items: list[Item]) -> None:
    first = items[0].words if items else kind
    element = ET.SubElement(case, tag, message=_plain(first), type=_plain(kind))
    element.text = "\n".join(_plain(f"{visible(str(item.diagnostic.pos))}: {item.words}") for item in items)


def _count(suite: ET.Element) -> None:
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("time", "0")


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", visible(text))
