"""Host names in words, and which of them the evidence holds."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from fnmatch import fnmatchcase

from sqlglot import exp

from affidavit.check.engine import Engine
from affidavit.check.figures import Figure

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(
    rf"(?<![\w.@/%-])(?:\*\.)?(?:{_LABEL}\.){{1,20}}[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])(?![\w@-])"
)
_PATTERN = re.compile(r"[A-Za-z0-9_%.*-]*\.[A-Za-z0-9_%.-]+")
MAX_NAMES = 2000
TYPO = 0.85
"""How alike two names are of which one is taken for a slip of the pen."""


def find_hosts(text: str) -> list[Figure]:
    """What has the form of a host name in a text (a file's name has it, too), lower case."""
    return [Figure("host", match[0], match.start(), match[0].lower()) for match in _HOST.finditer(text)]


def hosts_in(text: str, *, patterns: bool = False) -> list[str]:
    """The host names that a stated value is, or with ``patterns`` the pattern of some (``%.example.com``)."""
    bare = text.strip().lower()
    if _HOST.fullmatch(bare) or (patterns and "%" in bare and _PATTERN.fullmatch(bare)):
        return [bare]
    return [str(host.value) for host in find_hosts(text)] if " " in bare else []


def host_fits(host: str, stated: str) -> bool:
    """Whether a host name is a stated one, or fits a stated pattern."""
    if "%" not in stated:
        return host == stated
    return fnmatchcase(host, stated.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]").replace("%", "*"))


def is_typo(host: str, stated: Iterable[str]) -> bool:
    """Whether a host name differs from a stated one by no more than a slip of the pen."""
    return any(SequenceMatcher(None, host, one, autojunk=False).ratio() >= TYPO for one in stated if host != one)


def known_hosts(engine: Engine, texts: Iterable[str]) -> frozenset[str]:
    """Those of the host names in some texts that certificates of the evidence hold, as dNSName or common name."""
    named = sorted({str(host.value) for text in texts for host in find_hosts(text)})[:MAX_NAMES]
    if not named:
        return frozenset()

    def query() -> exp.Query:
        names = exp.select(exp.alias_(exp.Unnest(expressions=[exp.column("dns_names")]), "name")).from_("certificates")
        common = exp.select(exp.alias_(exp.column("subject_cn"), "name")).from_("certificates")
        lower = exp.func("lower", exp.column("name"))
        both = exp.select(exp.alias_(lower, "name")).distinct()
        both = both.from_(exp.union(names, common, distinct=False).subquery("named"))
        return both.where(exp.In(this=lower.copy(), expressions=[exp.Literal.string(name) for name in named]))

    return frozenset(str(row["name"]) for row in engine.ask(["hosts", *named], query, MAX_NAMES))
