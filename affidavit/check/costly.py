"""What an expression may cost: type names that the parser would try twice a level, patterns that unfold without end."""

import re

import sqlglot
from sqlglot import exp
from sqlglot.dialects import DuckDB

from affidavit.check.conditions import ValueProblem

MAX_PATTERN = 300
MAX_REPEATS = 200
"""How many copies of its parts a pattern's counted repetitions may unfold to."""

#: Words that begin a type: before a parenthesis the parser tries them as one, and again for each level below.
_TYPE_WORDS = {
    word for word, kind in DuckDB.Tokenizer.KEYWORDS.items() if kind in DuckDB.Parser.TYPE_TOKENS
} | {"ROW", "STRUCT"}  # fmt: skip
_PATTERNED = (exp.RegexpLike, exp.RegexpFullMatch, exp.Like, exp.ILike)
_REPEATED = re.compile(r"\{\s*(\d+)\s*(?:,\s*(\d*)\s*)?\}")


def check_words(text: str) -> None:
    """ValueProblem for a type with parentheses: nested, each doubles the time that the parser takes."""
    before = ""
    for token in sqlglot.tokenize(text, read="duckdb"):
        if token.text == "(" and before in _TYPE_WORDS:
            raise ValueProblem(f"{before.lower()} does not take anything in parentheses here")
        before = token.text.upper()


def check_pattern(node: exp.Expr) -> None:
    """ValueProblem for a pattern that is not written out, or that a matcher would unfold without end."""
    if not isinstance(node, _PATTERNED):
        return
    pattern = node.args.get("expression")
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        raise ValueProblem("a pattern is written out, in quotes", "'CN=%' or '^CN='")
    text = str(pattern.this)
    if len(text) > MAX_PATTERN:
        raise ValueProblem(f"the pattern is longer than {MAX_PATTERN} characters")
    if isinstance(node, (exp.RegexpLike, exp.RegexpFullMatch)) and _unfolded(text) > MAX_REPEATS:
        raise ValueProblem(f"the pattern's repetitions come to more than {MAX_REPEATS:,}")


def _unfolded(pattern: str) -> int:
    """How many copies a matcher makes at most: counts of single characters add up, those of groups multiply."""
    singles, groups = 0, 1
    for found in _REPEATED.finditer(pattern):
        count = max(1, int(found[1][:9]), int((found[2] or "1")[:9]))
        if pattern[: found.start()].endswith(")"):
            groups *= count
        else:
            singles += count
    return max(1, singles) * groups
