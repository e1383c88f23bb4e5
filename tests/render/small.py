"""A small report with all that a page has to cope with: every verdict, hostile names, unreadable evidence."""

import hashlib
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

from affidavit.render.pages import report_pages, site_pages
from affidavit.run import Run, check_report
from testpki import Authority, Log, Revoked, bundle, log_list

HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m\u200bgro.elpmaxe"
LONG = "x" * 1_200_000
NOTE = "Made for a test; these are not certificates of anybody."

INCIDENT = """
title: A small report & <b>its</b> title
kind: analysis
ca_owner: Example CA
authors: [A. Writer, B. Writer]
date: 2024-05-06
timezone: Asia/Shanghai
evidence_note: Made for a test; these are not certificates of anybody.
trust: [root.pem]
ct_logs: [logs.json]
evidence:
  main:
    files: [leaves.pem, pair.pem, intermediate.pem, list.crl]
    title: Main collection
    note: Words about it, with [two](claim:two).
    complete: {scope: all there is, from: 2024-01-01, until: 2024-03-31, basis: an export, by: the CA}
  broken:
    files: broken.pem
  many:
    files: many.pem
claims:
  two:
    says: 2 certificates are hostile.
    by: WoSign
    made: 2024-04-01
    over: main
    where: subject_cn LIKE '%script%' OR subject LIKE '%xxx%'
    count: 2
    note: A *note* with <img src=x onerror=alert(1)>.
  three:
    says: There are 3 of them.
    stands: false
    over: main
    where: subject_cn LIKE '%script%' OR subject LIKE '%xxx%'
    count: 3
    every: {is_ca: true}
  unknowable:
    says: No more exist from 2024-04-01 to 2024-04-30.
    stands: unproven
    over: main
    only: {from: 2024-04-01, until: 2024-04-30}
  unreadable:
    says: 1 certificate is there.
    stands: unproven
    over: broken
    count: 1
  letter:
    says: A letter was sent.
    unchecked: No certificate records letters.
  contested:
    says: 31 certificates are there.
    over: many
    count: 31
summary: |
  There are [two](claim:two), not [3](claim:three). [No more](claim:unknowable), [a letter](claim:letter),
  and [31](claim:contested). <script>alert(2)</script> [bad](javascript:alert(3)) [good](https://example.org/)

  | a | b |
  |---|---|
  | 1 | 2 |
sections:
  - title: "Heading <i>one</i>"
    text: |
      # Jumps in
      ### and down
      [to the section](#section-1) and [to nowhere](#nowhere) and [to a file](../../etc/passwd)
questions:
  - {asked: How many?, by: a reviewer, answered: Few., answered_by: the CA, finding: "[2](claim:two)."}
timeline:
  - {at: 2024-01-02, text: "A day: [two](claim:two)."}
  - {at: 2024-01-01T00:00:30Z, text: An instant.}
"""


def write(root: Path) -> Path:
    """The report and its evidence below a folder; the incident file's path."""
    evidence, report = root / "evidence" / "small", root / "reports" / "small"
    evidence.mkdir(parents=True)
    report.mkdir(parents=True)
    authority = Authority.root()
    intermediate = authority.intermediate("Small Intermediate")
    log = Log("Small Log")
    hostile = intermediate.issue("hostile.example", subject=[("CN", HOSTILE)], serial=0x1234)
    long = intermediate.issue("long.example", subject=[("O", LONG)])
    precertificate, certificate = intermediate.pair(
        "paired.example", not_before="2024-01-01T00:00:00Z", days=90, scts=[log.sct("2024-01-01T01:00:00Z")]
    )
    many = [intermediate.issue(f"m{number:02}.example") for number in range(30)]
    files = {
        "root.pem": authority.certificate.pem(),
        "leaves.pem": bundle([hostile, long]),
        "pair.pem": bundle([precertificate, certificate]),
        "intermediate.pem": intermediate.certificate.pem(),
        "list.crl": intermediate.crl(
            [Revoked(0x1234, "2024-02-01T00:00:00Z", "keyCompromise")], this_update="2024-02-02T00:00:00Z"
        ).pem(),
        "logs.json": log_list([log]),
        "broken.pem": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "many.pem": bundle(many),
    }
    for name, text in files.items():
        (evidence / name).write_text(text)
    path = report / "incident.yaml"
    path.write_text(textwrap.dedent(INCIDENT))
    return path


def small_run(root: Path) -> Run:
    """The small report, checked."""
    return check_report(write(root), root / "evidence", root)


class Page(HTMLParser):
    """What tests ask of a page: its elements in order with attributes, and the text below each element."""

    VOID = frozenset({"meta", "link", "br", "hr", "col", "wbr", "img", "input"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.html = html
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {[e.tag for e in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs}, list(self._open))
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.parts.append(data)

    def all(self, tag: str = "", kind: str = "") -> "Iterator[Element]":
        """Elements of a tag and of a class, in order."""
        return (e for e in self.elements if (not tag or e.tag == tag) and (not kind or kind in e.classes))

    def one(self, tag: str = "", kind: str = "", id: str = "") -> "Element":
        """The only element of its sort."""
        found = [e for e in self.all(tag, kind) if not id or e.attributes.get("id") == id]
        assert len(found) == 1, f"{len(found)} of {tag}.{kind}#{id}"
        return found[0]

    @cached_property
    def text(self) -> str:
        """All text below ``html``."""
        return self.elements[0].text


@dataclass
class Element:
    """An element: its tag, attributes, those that it lies in, and its text."""

    tag: str
    attributes: Mapping[str, str]
    ancestors: "list[Element]"
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, blanks collapsed."""
        return " ".join("".join(self.parts).split())

    @property
    def classes(self) -> list[str]:
        """Its classes."""
        return self.attributes.get("class", "").split()


def site(run: Run) -> dict[str, bytes]:
    """All files of a site of one report."""
    pages = [*site_pages([run]), *report_pages(run)]
    names = [name for name, _ in pages]
    assert len(names) == len(set(names))
    return dict(pages)


def main() -> None:
    """Print a hash of all files: the same in every process."""
    with TemporaryDirectory() as folder:
        files = site(small_run(Path(folder)))
    whole = hashlib.sha256()
    for name, content in files.items():
        whole.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    print(whole.hexdigest())


__all__ = ["HOSTILE", "LONG", "NOTE", "Element", "Page", "site", "small_run", "write"]

if __name__ == "__main__":
    main()
