"""``python -m benchmarks.mutations [SHARE [SEED]]``: each figure of the shipped reports changed in turn.

What goes wrong in real write-ups: a count off by one, a day off by one, a nibble of a serial number, another hash,
another weekday. Every figure in the text of an incident file is such a slip once, wherever it stands: in a claim, its
sentence, a link, the prose, a note, a bound, a declaration. With one changed the report must not pass a strict check.
Prints one line, each change that goes unnoticed before it; the exit status is 1 where there is one.

Left out is what states no fact of the certificates: labels (Category 1, RFC 5280, Class 3), hash functions named in
prose that no claim is tied to, titles and reasons, what the author declares of the evidence itself. Counted apart are
slips that leave a statement true or that nobody could tell from what was meant: a bound moved outwards, a value of a
list of allowed ones, another figure of the same claim, words of a claim that is unchecked.

The figures are found by patterns of this module, not by those of the program under test.
"""

import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from affidavit.check.compile import compile_claims
from affidavit.evidence.extract import extract
from affidavit.incident.load import load
from affidavit.run import How, Run, check_facts, check_report
from affidavit.settings import Policy
from affidavit.times import MONTHS, WEEKDAYS
from affidavit.types import InputError, Severity

ROOT = Path(__file__).resolve().parent.parent
SLUGS = ("real-faults", "wosign-2016")

_WORDS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
_MONTHS = "|".join(MONTHS)
_TOKENS = re.compile(
    r"(?P<hash>(?i:\bSHA-?(?:1|224|256|384|512)\b|\bMD[245]\b))"
    r"|(?P<hex>\b(?:[0-9A-Fa-f]{2}:){7,}[0-9A-Fa-f]{2}\b|\b(?=[0-9A-Fa-f]*\d)[0-9A-Fa-f]{12,}\b)"
    r"|(?P<day>\b\d{4}-\d\d-\d\d)"
    rf"|(?P<written>\b\d{{1,2}} (?:{_MONTHS})(?: \d{{4}})?\b)"
    rf"|(?P<weekday>\b(?:{'|'.join(WEEKDAYS)})\b)"
    r"|(?P<clock>(?<=T)\d\d:\d\d)"
    rf"|(?P<word>(?i:\b(?:{'|'.join(_WORDS)})\b))"
    r"|(?P<number>(?<![\w.,/#:-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,/#:+-])\d+(?:\.\d+)?(?!\w|[.,]\d|-\d))"
)
_KEY = re.compile(r"\s*(?:- )?[\w-]+:(?= |$)")
_LINK = re.compile(r"(?<=\])\([^)]*\)")
#: The first line of each of these is about the report and no fact of it.
_NO_FACT = re.compile(
    r"\s*(?:#|date: |sql: |SELECT |WHERE |AND |- \{text: |- text: |reason: |title: |scope: |made: |by: )"
    r"|.*\bsha256: [0-9a-f]{64}|\s+\S+\.(?:pem|der|crl): "
)
_LABEL = re.compile(r"\b(?:Category|Class|RFC|Question|question) \d+")
_CLAIM_LINK = re.compile(r"\[[^\]]*\]\(claim:[^)]*\)")


@dataclass(frozen=True)
class Mutation:
    """One figure of an incident file and what stands there instead; lines and columns count from 1."""

    slug: str
    line: int
    column: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.slug}:{self.line}:{self.column}:{self.old[:24]}->{self.new[:24]}".replace(" ", "_")

    def apply(self, text: str) -> str:
        """The incident file with the slip in it."""
        lines = text.splitlines(keepends=True)
        line, at = lines[self.line - 1], self.column - 1
        assert line[at:].startswith(self.old)
        lines[self.line - 1] = line[:at] + self.new + line[at + len(self.old) :]
        return "".join(lines)


def slip(kind: str, text: str) -> str:
    """A figure as a slip of the pen leaves it."""
    match kind:
        case "hash":
            if text.upper().startswith("MD"):
                return text[:-1] + ("4" if text.endswith("5") else "5")
            return re.sub(r"256|512|384|224|1", lambda m: "1" if m[0] == "256" else "256", text, count=1)
        case "hex":
            middle = len(text) // 2
            middle += text[middle] == ":"
            return text[:middle] + ("3" if text[middle] != "3" else "4") + text[middle + 1 :]
        case "day":
            return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
        case "written":
            day, month, *year = text.split()
            one = date(int(year[0]) if year else 2015, MONTHS.index(month) + 1, int(day)) + timedelta(days=1)
            return " ".join([str(one.day), MONTHS[one.month - 1], *([str(one.year)] if year else [])])
        case "weekday":
            return WEEKDAYS[(WEEKDAYS.index(text) + 1) % 7]
        case "clock":
            return f"{text[:3]}{(int(text[3:]) + 1) % 60:02}"
        case "word":
            at = (*_WORDS, "twenty-one").index(text.lower()) + 1
            new = (*_WORDS, "twenty-one")[at]
            return new.capitalize() if text[0].isupper() else new
        case _:
            plain = text.replace(",", "")
            if "." in plain:
                return f"{float(plain) + 1:g}"
            new = str(int(plain) + 1)
            return f"{int(new):,}" if "," in text else new


def blocks(lines: list[str]) -> dict[int, str]:
    """The claim that each line of the claims' part belongs to, by the line's number."""
    found: dict[int, str] = {}
    part = name = ""
    for number, line in enumerate(lines, 1):
        if match := re.match(r"(\w+):", line):
            part = match[1]
        elif part == "claims" and (match := re.match(r"  ([\w-]+):", line)):
            name = match[1]
        elif part == "claims" and not re.match(r"    note:|      ", line):
            found[number] = name
    return found


def excuse(mutation: Mutation, lines: list[str]) -> str:
    """Why a slip leaves no false statement that could be told; empty where it does leave one."""
    line, inside = lines[mutation.line - 1], blocks(lines)
    before = line[: mutation.column - 1]
    claims = {inside.get(mutation.line, "")} - {""}
    if match := next((m for m in _CLAIM_LINK.finditer(line) if m.start() < mutation.column <= m.end()), None):
        claims = {match[0].rpartition("claim:")[2][:-1]}
    elif not claims:
        # A link that goes on in the next line, or the claims that an event of the timeline names.
        following = line[mutation.column - 1 :] + "".join(lines[mutation.line : mutation.line + 2])
        claims = set(re.findall(r"\(claim:([\w-]+)\)", following)[: 1 if "at: " not in line else None])
    text = "\n".join(lines[number - 1] for number, name in inside.items() if name in claims)
    if re.search(r"(?:from|until|after|before|at_least|at_most): ['\"]?\Z|none: .*", before):
        return "bound"
    if re.search(r"\[[^\]]*\Z", before) and mutation.line in inside and "says:" not in line:
        return "one of several"
    if "unchecked:" in text:
        return "unchecked"
    return "other figure" if re.search(rf"(?<![\w.]){re.escape(_plain(mutation.new))}(?!\w)", _plain(text)) else ""


def _plain(text: str) -> str:
    """A text with numbers in words as digits, and days as they are written in figures."""
    for index, word in enumerate(_WORDS, 2):
        text = re.sub(rf"\b{word}\b", str(index), text, flags=re.IGNORECASE)
    return re.sub(rf"(\d{{1,2}}) ({_MONTHS}) (\d{{4}})",
                  lambda m: f"{m[3]}-{MONTHS.index(m[2]) + 1:02}-{int(m[1]):02}", text)  # fmt: skip


def mutations(slug: str, root: Path = ROOT) -> Iterator[Mutation]:
    """All figures of an incident file, each with its slip."""
    lines = (root / "reports" / slug / "incident.yaml").read_text("utf-8").splitlines()
    inside = blocks(lines)
    for number, line in enumerate(lines, 1):
        if _NO_FACT.match(line):
            continue
        # Names are no figures: a key, the claim that a link names, a file.
        masked = line
        for pattern in (_KEY, _LINK, re.compile(r"\S+\.(?:pem|der|crl|csv|json|py)\b"), re.compile(r"`[^`]*`")):
            masked = pattern.sub(lambda match: "\0" * len(match[0]), masked)
        masked = _LABEL.sub(lambda match: "\0" * len(match[0]), masked)
        links = [(link.start(), link.end()) for link in _CLAIM_LINK.finditer(line)]
        for match in _TOKENS.finditer(masked):
            tied = any(start <= match.start() < end for start, end in links)
            if match.lastgroup == "hash" and not tied and number not in inside:
                continue
            yield Mutation(slug, number, match.start() + 1, match[0], slip(match.lastgroup or "", match[0]))


class Bench:
    """A copy of one report with one slip at a time; its evidence is read once as long as it stays what it is."""

    def __init__(self, slug: str, folder: Path, root: Path = ROOT) -> None:
        self.slug, self.root, self.folder = slug, root, folder
        self.path = folder / "reports" / slug / "incident.yaml"
        self.text = (root / "reports" / slug / "incident.yaml").read_text("utf-8")
        shutil.copytree(root / "reports" / slug, self.path.parent)
        whole = load(self.path, root / "evidence", folder)
        self.facts = extract(whole)
        self.evidence = whole.incident.model_dump_json(include={"evidence", "trust", "logs", "timezone"})

    def run(self) -> Run:
        """A strict check of the copy; InputError as check_report."""
        report = load(self.path, self.root / "evidence", self.folder)
        about = report.incident.model_dump_json(include={"evidence", "trust", "logs", "timezone"})
        if about != self.evidence:
            return check_report(self.path, self.root / "evidence", self.folder, How(policy=Policy(strict=True)))
        return check_facts(report, compile_claims(report), self.facts, Policy(strict=True))

    def noticed(self, mutation: Mutation) -> list[int]:
        """The lines of the errors that a slip gives; none where it goes unnoticed."""
        self.path.write_text(mutation.apply(self.text), "utf-8")
        try:
            found = self.run().diagnostics
        except InputError as error:
            found = tuple(error.diagnostics)
        return sorted({d.pos.line for d in found if d.severity is Severity.ERROR})


def sample(slug: str, share: float, seed: int) -> list[Mutation]:
    """A share of a report's mutations, drawn by a seed; all where the share is 1."""
    every = list(mutations(slug))
    if share >= 1:
        return every
    return random.Random(f"{seed} {slug}").sample(every, max(1, round(share * len(every))))


def main(share: float = 1.0, seed: int = 0) -> int:
    """Make each slip and say which go unnoticed."""
    began, asked, missed = time.monotonic(), 0, 0
    excused: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for slug in SLUGS:
            bench = Bench(slug, Path(folder).resolve())
            for mutation in sample(slug, share, seed):
                asked += 1
                if bench.noticed(mutation):
                    continue
                lines = bench.text.splitlines()
                if reason := excuse(mutation, lines):
                    excused[reason] += 1
                else:
                    missed += 1
                    print(f"unnoticed {mutation}: {lines[mutation.line - 1].strip()[:100]}", flush=True)
    verdict = "SHORT" if missed else "ok"
    spent = time.monotonic() - began
    apart = "".join(f", {number} {reason}" for reason, number in sorted(excused.items()))
    print(f"mutations_unnoticed {missed} of {asked:,}{apart}, {spent:.0f} s (goal 0) {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(float(given[0]), int(given[1])) if len(given) > 1 else main(float(given[0])) if given else main())
