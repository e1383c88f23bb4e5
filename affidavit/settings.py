"""A project's settings: ``affidavit.toml`` in its root, or ``[tool.affidavit]`` of its ``pyproject.toml``.

They are what the command line says as well, for all reports and for single ones; the command line goes first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from affidavit.types import Diagnostic, InputError, Pos, did_you_mean

FILE = "affidavit.toml"
FAIL_ON = ("refuted", "unproven", "rules", "loose")
"""What can make a check fail: claims refuted, or unproven, that the report holds true; broken rules about words and
the report as a whole; loose facts, which are tied to no claim."""
USUAL = frozenset(("refuted", "unproven", "rules"))
MAX_OCTETS = 1 << 20


@dataclass(frozen=True, slots=True)
class Policy:
    """How strictly a report is held: each setting None where nobody has said anything."""

    strict: bool | None = None
    fail_on: frozenset[str] | None = None
    baseline: str | None = None

    def over(self, other: "Policy") -> "Policy":
        """This policy, with another's settings where it says nothing."""
        mine = {one.name: getattr(self, one.name) for one in fields(self)}
        return Policy(**{name: getattr(other, name) if value is None else value for name, value in mine.items()})

    @property
    def fails_on(self) -> frozenset[str]:
        """What makes a check fail."""
        kinds = USUAL if self.fail_on is None else self.fail_on
        return kinds | {"loose"} if self.strict else kinds


@dataclass(frozen=True, slots=True)
class Settings:
    """A project's policy, those of single reports, and where the site will stand."""

    policy: Policy = Policy()
    reports: Mapping[str, Policy] = field(default_factory=dict)
    site_url: str = ""

    def of(self, slug: str) -> Policy:
        """The policy of a report."""
        return self.reports.get(slug, Policy()).over(self.policy)


def read_settings(root: Path) -> Settings:
    """The settings of a project; InputError names the file, the key and what it may be."""
    for name, path in ((FILE, ()), ("pyproject.toml", ("tool", "affidavit"))):
        file = root / name
        if not file.is_file():
            continue
        import tomllib

        try:
            if file.stat().st_size > MAX_OCTETS:
                raise ValueError(f"it is larger than {MAX_OCTETS:,} octets")
            text = file.read_text("utf-8-sig")
            stated: Any = tomllib.loads(text)
        except (OSError, ValueError, RecursionError) as error:
            reason = (error.strerror or "") if isinstance(error, OSError) else str(error)
            line = re.search(r"at line (\d+), column (\d+)", reason)
            pos = Pos(name, int(line[1]), int(line[2])) if line else Pos(name)
            raise InputError(Diagnostic(pos, "bad-settings", f"the settings cannot be read: {reason}")) from None
        for step in path:
            stated = stated.get(step, {}) if isinstance(stated, dict) else {}
        reader = _Reader(name, text, root)
        if not isinstance(stated, dict):
            raise reader.wrong("affidavit", "a table is wanted", "write [tool.affidavit]")
        if stated or not path:
            return reader.settings(stated)
    return Settings()


@dataclass(frozen=True)
class _Reader:
    """Settings of one file, with its text for the places of what is wrong."""

    name: str
    text: str
    root: Path

    def settings(self, stated: Mapping[str, Any]) -> Settings:
        rest = dict(stated)
        reports = rest.pop("reports", {})
        url = rest.pop("site-url", "")
        if not isinstance(reports, dict) or not all(isinstance(one, dict) for one in reports.values()):
            raise self.wrong("reports", "a table for each report is wanted", "write [reports.NAME]")
        if not isinstance(url, str) or (url and not re.fullmatch(r"https?://[^\s<>\"']+", url)):
            raise self.wrong("site-url", f"{url!r} is no address of a site", "write https://HOST/PATH")
        known = sorted(path.parent.name for path in (self.root / "reports").glob("*/incident.yaml"))
        for slug in reports:
            if slug not in known:
                raise self.wrong(slug, f"there is no report {slug!r}", did_you_mean(slug, known))
        made = {slug: self.policy(one) for slug, one in reports.items()}
        return Settings(self.policy(rest), made, url.rstrip("/"))

    def policy(self, stated: Mapping[str, Any]) -> Policy:
        names = {one.name.replace("_", "-") for one in fields(Policy)}
        for key in stated:
            if key not in names:
                hint = did_you_mean(key, names | {"reports", "site-url"})
                raise self.wrong(key, f"there is no setting {key!r}", hint)
        strict, listed, baseline = stated.get("strict"), stated.get("fail-on"), stated.get("baseline")
        if strict is not None and not isinstance(strict, bool):
            raise self.wrong("strict", f"{strict!r} is neither true nor false")
        if baseline is not None and (not isinstance(baseline, str) or not baseline or "\0" in baseline):
            raise self.wrong("baseline", f"{baseline!r} is no file's name")
        if listed is not None:
            if not isinstance(listed, list) or not listed:
                raise self.wrong("fail-on", "a list of words is wanted", "known: " + ", ".join(FAIL_ON))
            for word in listed:
                if word not in FAIL_ON:
                    hint = did_you_mean(str(word), FAIL_ON)
                    raise self.wrong("fail-on", f"nothing that a check can fail on is called {word!r}", hint)
        return Policy(strict, frozenset(listed) if listed is not None else None, baseline)

    def wrong(self, key: str, message: str, hint: str = "") -> InputError:
        """The error about a key: at the first line that begins with it."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if match := re.search(rf"(?<![\w-])[\"']?{re.escape(key)}[\"']?(?![\w-])", line.split("#")[0]):
                return InputError(Diagnostic(Pos(self.name, number, match.start() + 1), "bad-settings", message, hint))
        return InputError(Diagnostic(Pos(self.name), "bad-settings", message, hint))
