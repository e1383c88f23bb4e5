"""What is wrong with a file that is no YAML, in words for people who have never heard of its grammar."""

from typing import NamedTuple

import yaml


class Words(NamedTuple):
    """Where it is (none: nobody knows), what is wrong, and what to do."""

    mark: yaml.Mark | None
    message: str
    hint: str = ""


#: A part of the parser's own words; whether the place is where the whole thing begins; what it mostly means.
_KNOWN: tuple[tuple[str, bool, str, str], ...] = (
    ("could not find expected ':'", True, "there is no `: ` after the key that begins here",
     "a key, a colon and a space: `count: 3`; text of several lines stands below `|` or `>`"),
    ("mapping values are not allowed", False, "a `: ` where no key can stand",
     "text with `: ` in it stands in quotes; keys of one mapping begin in the same column"),
    ("did not find expected key", False, "this does not continue what stands above",
     "keys of one mapping begin in the same column; a single quote inside single quotes is doubled"),
    ("found unexpected end of stream", True, "the quote that begins here does not end",
     "put the same quote at its end"),
    ("did not find expected ',' or '}'", True, "the `{` here is not closed, or a comma is missing",
     "put `}` at its end, and commas between; text with a comma in it stands in quotes"),
    ("did not find expected ',' or ']'", True, "the `[` here is not closed, or a comma is missing",
     "put `]` at its end, and commas between; text with a comma in it stands in quotes"),
    ("unknown escape character", False, "a backslash in double quotes begins an escape, and this is none",
     "use single quotes, or write the backslash twice"),
    ("block sequence entries are not allowed", False, "a list cannot begin behind its key",
     "put each `- ` on a line of its own, or write [A, B]"),
    ("expected comment or line break", False, "text after `|` or `>`", "it begins on the next line, indented"),
    ("expected '-' indicator", False, "a key among the items of a list",
     "indent it to belong to an item, or begin it with `- `"),
    ("expected node content", False, "a value cannot begin so", "put it in quotes"),
    ("expected <document start>", False, "something stands after the end", "take it away"),
)  # fmt: skip


def words(error: yaml.MarkedYAMLError, text: str) -> Words:
    """A parser's error in other words; in its own where it is none of the usual ones."""
    problem, mark = error.problem or "", error.problem_mark or error.context_mark
    if "cannot start any token" in problem and mark is not None:
        return _character(mark, text)
    for part, begins, message, hint in _KNOWN:
        if part in problem:
            return Words(error.context_mark if begins and error.context_mark else mark, message, hint)
    return Words(mark, " ".join(part for part in (error.context, problem) if part))


def _character(mark: yaml.Mark, text: str) -> Words:
    found = text.split("\n")[mark.line][mark.column : mark.column + 1]
    if found == "\t":
        return Words(mark, "a tab where only spaces can stand", "indent with spaces")
    return Words(mark, f"nothing can begin with {found!r}", "put the text in quotes")
