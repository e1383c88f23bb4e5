"""Earlier editions of a report: a published ``verdicts.json``, or the incident file at a revision in git.

Git is called with fixed arguments and no shell; what a repository's own settings would run (hooks, monitors, filters)
is switched off, since the repository may be a stranger's pull request.
"""

import json
import os
import re
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from affidavit.check.assertions import BY_KEY
from affidavit.check.compile import compile_claims
from affidavit.check.corrections import SAYS, STANDS, Edition, edition_of
from affidavit.incident import nodes
from affidavit.incident.load import Report
from affidavit.incident.schema import Incident
from affidavit.project import Project
from affidavit.types import Diagnostic, InputError, Pos

SECONDS = 30
MAX_OCTETS = 64 << 20
_REVISION = re.compile(r"[A-Za-z0-9_./@{}^~+-]{1,200}")


def since_file(path: Path) -> dict[str, Edition]:
    """The edition in a ``verdicts.json``, or those in the output of ``check --format json``, by report."""
    place = path.as_posix()
    try:
        if path.stat().st_size > MAX_OCTETS:
            raise _refusal(place, f"the file is larger than {MAX_OCTETS >> 20} MiB")
        whole = json.loads(path.read_bytes())
    except OSError as error:
        raise _refusal(place, f"cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _refusal(place, "is no JSON") from None
    listed: Any = whole.get("reports") if isinstance(whole, dict) and "reports" in whole else [whole]
    found = {}
    for one in listed if isinstance(listed, list) else [{}]:
        try:
            report = one["report"]
            edition = Edition(f"{place} of {report['date']}", str(report["date"]), str(report["timezone"]),
                              {str(claim["id"]): _stated(claim) for claim in one["claims"]})  # fmt: skip
            found[str(report["slug"])] = edition
        except (KeyError, TypeError, AttributeError):
            raise _refusal(place, "is no verdicts.json of a report") from None
    return found


def _stated(claim: Mapping[str, Any]) -> dict[str, str]:
    found = {str(f["assertion"]): str(f["stated"]) for f in claim["findings"] if f["assertion"] in BY_KEY}
    return {SAYS: str(claim["says"]), STANDS: str(claim["stands"]), **found}


class Revision:
    """A revision of the repository that a project lies in. InputError where there is none of that name."""

    def __init__(self, project: Project, name: str) -> None:
        self.name = name
        self._root = project.root.resolve()
        self._filters: dict[str, str] = {}
        named = _split(self._git("config", "--name-only", "-z", "--get-regexp", r"^filter\.") or b"")
        # A filter that does nothing is none; one that is required would make the comparison fail.
        self._filters = {name: "false" if name.endswith(".required") else "" for name in named}
        if not _REVISION.fullmatch(name) or name.startswith("-"):
            raise _refusal(name, "is no name of a revision", "for instance: main, HEAD~1, v1.2, a commit's hash")
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found is None:
            raise _refusal(name, "there is neither such a file nor such a revision", self._why_not())
        self._commit = found.decode("ascii", "replace").strip()
        listed = self._certainly("ls-tree", "-r", "--name-only", "-z", self._commit, "--", "reports")
        self._there = frozenset(_split(listed))
        self._renamed = self._renames()

    def _why_not(self) -> str:
        if self._git("rev-parse", "--git-dir") is None:
            return f"{self._root.name!r} lies in no git repository: give an earlier verdicts.json instead"
        if (self._git("rev-parse", "--is-shallow-repository") or b"").strip() == b"true":
            return "this checkout is shallow: check out with history (`fetch-depth: 0`, `GIT_DEPTH: 0`)"
        return "git log shows what there is"

    def _certainly(self, *arguments: str) -> bytes:
        """What git prints; InputError where it fails: what cannot be compared has not stayed as it was."""
        found = self._git(*arguments)
        if found is None:
            message = f"git cannot read what has to be compared with it (`git {arguments[0]}` fails)"
            raise _refusal(self.name, message, "check out with whole history, without a filter")
        return found

    def _renames(self) -> dict[str, str]:
        """The reports that have another name than at the revision, each with its old one."""
        words = _split(self._certainly("diff", "--no-ext-diff", "--no-textconv", "--relative", "--find-renames",
                                       "--diff-filter=R", "--name-status", "-z", self._commit, "--",
                                       ":(glob)reports/*/incident.yaml"))  # fmt: skip
        pairs = zip(words[1::3], words[2::3], strict=False)
        return {new.split("/")[1]: old.split("/")[1] for old, new in pairs}

    def _git(self, *arguments: str) -> bytes | None:
        """What git prints; None where it fails."""
        settings = {
            "core.fsmonitor": "false",
            "core.hooksPath": "/dev/null",
            "diff.external": "",
            "core.attributesFile": "/dev/null",
            **self._filters,
        }
        command = ["git", "-C", str(self._root), *arguments]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
        environment = {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1",
                       "LC_ALL": "C", "GIT_CONFIG_COUNT": str(len(settings))}  # fmt: skip
        for number, (name, value) in enumerate(settings.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS, env=environment)
        except FileNotFoundError:
            raise _refusal("git", "is not installed", "give an earlier verdicts.json instead") from None
        except subprocess.TimeoutExpired:
            raise _refusal(self.name, f"git takes longer than {SECONDS} s") from None
        return done.stdout if done.returncode == 0 else None

    def touched(self) -> list[str]:
        """The reports whose files or evidence differ from the revision's, in the working folder as it is."""
        names = set()
        for arguments in (
            # A file that was moved away is missed where it was.
            ("diff", "--no-ext-diff", "--no-textconv", "--relative", "--no-renames", "--name-only", "-z", self._commit,
             "--", "reports", "evidence"),
            ("ls-files", "--others", "--exclude-standard", "-z", "--", "reports", "evidence"),
        ):  # fmt: skip
            for path in _split(self._certainly(*arguments)):
                parts = path.split("/")
                if len(parts) > 2:
                    names.add(parts[1])
        return sorted(names)

    def gone(self, slugs: Collection[str]) -> list[str]:
        """The reports of the revision that are none of those that there are now, under no other name."""
        there = {path.split("/")[1] for path in self._there if re.fullmatch("reports/[^/]+/incident.yaml", path)}
        return sorted(there - set(slugs) - set(self._renamed.values()))

    def edition(self, report: Report) -> Edition | None:
        """What a report stated at the revision, under whatever name; None where it was not there."""
        path = report.path.resolve().relative_to(self._root).as_posix()
        if path not in self._there and report.slug in self._renamed:
            path = f"reports/{self._renamed[report.slug]}/incident.yaml"
        if path not in self._there:
            return None
        size = self._certainly("cat-file", "-s", f"{self._commit}:./{path}")
        if int(size) > nodes.MAX_BYTES:
            raise _refusal(f"{self.name}:{path}", "the file is larger than is read")
        text = self._certainly("cat-file", "blob", f"{self._commit}:./{path}").decode("utf-8-sig", "replace")
        shown = f"{self.name}:{path}"
        tree = nodes.parse(text, shown)
        plain = tree.plain()
        for claim in plain.get("claims", {}).values() if isinstance(plain, dict) else ():
            if isinstance(claim, dict):
                claim.pop("quote", None)  # its document need not be at hand
        try:
            incident = Incident.model_validate(plain)
        except ValidationError:
            raise _refusal(shown, "cannot be read by this version of the program",
                         "give the verdicts.json that was published instead") from None  # fmt: skip
        old = Report(report.slug, report.path, shown, report.evidence_dir, incident, tree, text=text)
        return edition_of(old, compile_claims(old), self.name)


def _split(listed: bytes) -> list[str]:
    return [path for path in listed.decode("utf-8", "replace").split("\0") if path]


def _refusal(place: str, message: str, hint: str = "") -> InputError:
    return InputError(Diagnostic(Pos.whole(place), "bad-edition", message, hint))
