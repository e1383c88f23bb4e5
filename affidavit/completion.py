"""Completion in shells: the script that switches it on, and the words that complete reports and claims.

Words are read from the incident files as text, without the parser, so that a key press is answered at once.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "zsh", "fish")
MAX_OCTETS = 4 << 20
_CLAIM = re.compile(r"(?P<indent> +)(?P<name>[a-z0-9][a-z0-9-]{0,79}):(?:\s|$)")


def script(shell: str) -> str:
    """What a shell has to run once for completion to work; ValueError for a shell that is not known."""
    made = get_completion_class(shell)
    if made is None:
        raise ValueError(f"there is no completion for {shell!r}; known: {', '.join(SHELLS)}")
    from affidavit.cli import cli

    source = made(cli, {}, "affidavit", "_AFFIDAVIT_COMPLETE").source() + "\n"
    # In fish a comma in a word, or in what is said of it, would end it: only the first one parts two fields.
    return source.replace('(string split ","', '(string split --max 1 ","')


def _root(ctx: click.Context) -> Path:
    from affidavit.places import find_root

    stated = ctx.find_root().params.get("root")
    return Path(stated) if stated else find_root(Path.cwd())


def reports(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """The reports' names that begin so."""
    slugs = sorted(path.parent.name for path in (_root(ctx) / "reports").glob("*/incident.yaml"))
    return [CompletionItem(slug) for slug in slugs if slug.startswith(begun)]


def words(parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The words that an option takes: formats, and after commas what to fail on."""
    from affidavit.checking import FORMATS
    from affidavit.settings import FAIL_ON

    before, comma, last = begun.rpartition(",") if parameter.name == "fail_on" else ("", "", begun)
    known = FAIL_ON if parameter.name == "fail_on" else FORMATS
    return [CompletionItem(f"{before}{comma}{word}") for word in known if word.startswith(last)]


def claims(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """The claims' names that begin so, of the report that is named before."""
    report: Any = ctx.params.get("report") or ""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", report):
        return []
    try:
        with (_root(ctx) / "reports" / report / "incident.yaml").open("rb") as stream:
            text = stream.read(MAX_OCTETS).decode("utf-8", "replace")
    except OSError:
        return []
    return [CompletionItem(name) for name in _names(text) if name.startswith(begun)]


def _names(text: str) -> Iterator[str]:
    """The keys one level below ``claims:``."""
    inside, indent = False, ""
    for line in text.splitlines():
        if line[:1] not in ("", " ", "#"):
            inside, indent = line.startswith("claims:"), ""
        elif inside and (match := _CLAIM.match(line)):
            indent = indent or match["indent"]
            if match["indent"] == indent:
                yield match["name"]
