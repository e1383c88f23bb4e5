"""Earlier editions of a report: a published ``verdicts.json``, or the incident file at a revision in git.

Git is called with fixed arguments and no shell; what a repository's own settings would run (hooks, monitors, filters)
is switched off, since the repository may be a stranger's pull request.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
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
        if not _REVISION.fullmatch(name) or name.startswith("-"):
            raise _refusal(name, "is no name of a revision", "for instance: main, HEAD~1, v1.2, a commit's hash")
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found is None:
            raise _refusal(name, "there is neither such a file nor such a revision", "git log shows what there is")
        self._commit = found.decode("ascii", "replace").strip()

    def _git(self, *arguments: str) -> bytes | None:
        """What git prints; None where it fails."""
        settings = [
            "core.fsmonitor=false",
            "core.hooksPath=/dev/null",
            "diff.external=",
            "core.attributesFile=/dev/null",
        ]
        command = ["git", "-C", str(self._root), *(part for one in settings for part in ("-c", one)), *arguments]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
        environment = {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1",
                       "LC_ALL": "C"}  # fmt: skip
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
            ("diff", "--no-ext-diff", "--no-textconv", "--relative", "--name-only", "-z", self._commit, "--",
             "reports", "evidence"),
            ("ls-files", "--others", "--exclude-standard", "-z", "--", "reports", "evidence"),
        ):  # fmt: skip
            for path in (self._git(*arguments) or b"").decode("utf-8", "replace").split("\0"):
                parts = path.split("/")
                if len(parts) > 2:
                    names.add(parts[1])
        return sorted(names)

    def edition(self, report: Report) -> Edition | None:
        """What a report stated at the revision; None where it was not there."""
        path = report.path.resolve().relative_to(self._root).as_posix()
        size = self._git("cat-file", "-s", f"{self._commit}:./{path}")
        if size is None:
            return None
        if int(size) > nodes.MAX_BYTES:
            raise _refusal(f"{self.name}:{path}", "the file is larger than is read")
        text = (self._git("cat-file", "blob", f"{self._commit}:./{path}") or b"").decode("utf-8", "replace")
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


def _refusal(place: str, message: str, hint: str = "") -> InputError:
    return InputError(Diagnostic(Pos(place), "bad-edition", message, hint))
