"""What claims need of the evidence: the costly columns and tables that they name."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from sqlglot import exp

from affidavit.check.assertions.sql import Sql
from affidavit.check.assertions.violates import Violates
from affidavit.check.compile import CompiledClaim
from affidavit.check.scope import Scope, Union
from affidavit.columns import Made
from affidavit.evidence.corpus import Lint, Wanted
from affidavit.tables import TABLES

_FREE = (Made.READ, Made.LINKED)
_MADE = ("pairs", "names", "extensions")
"""Tables that are made on demand."""


def needs_nothing(claim: CompiledClaim, text: str) -> bool:
    """Whether a claim surely needs nothing costly: quickly told, for most do not.

    ``text``: the claim as it is written. It names no column that is costly, nor any that is called so in part, and its
    assertions read no others.
    """
    scope = claim.scope
    if not isinstance(scope, Scope) or scope.table.name in _MADE or not all(check.as_named for check in claim.checks):
        return False
    return _costly().search(text) is None


@cache
def _costly() -> re.Pattern[str]:
    columns = {column.name for table in TABLES.values() for column in table.columns if column.made not in _FREE}
    return re.compile("|".join(map(re.escape, sorted(columns))), re.IGNORECASE)


def wanted_by(claims: Iterable[CompiledClaim]) -> Wanted:
    """What must be computed for some claims to be judged."""
    found = Wanted()
    for claim in claims:
        if claim.scope is None:
            continue
        trees: list[exp.Expr] = [node for check in claim.checks for node in check.measures().values()]
        trees += [query for check in claim.checks if (query := check.query()) is not None]
        trees += [test for check in claim.checks if (test := check.contrary()) is not None]
        parts = claim.scope.parts if isinstance(claim.scope, Union) else (claim.scope,)
        trees += [part.where.expression for part in parts if part.where is not None]
        named = [node for tree in trees for node in tree.find_all(exp.Table, exp.Column)]
        tables = {claim.scope.table.name, *(node.name for node in named if isinstance(node, exp.Table))}
        columns = {node.name for node in named if isinstance(node, exp.Column)}
        found = found | Wanted.by(tables, columns) | Wanted(lints=tuple(_lints(claim, claim.scope)))
        if any(isinstance(check, Sql) and _takes_all(check) for check in claim.checks):
            found = found | Wanted.everything()
    return found


def _lints(claim: CompiledClaim, scope: Scope | Union) -> Iterator[Lint]:
    """The rules that pkilint is to hold against the claim's certificates."""
    for check in claim.checks:
        if isinstance(check, Violates) and check.linter == "pkilint" and check.profile is not None:
            for part in scope.parts:
                for one in part.parts:
                    yield Lint(one.over[0], one.kind, check.profile, check.rule)


def _takes_all(check: Sql) -> bool:
    """Whether a query asks for all columns, whatever they are."""
    return any(not isinstance(star.parent, exp.Count) for star in check.query().find_all(exp.Star))
