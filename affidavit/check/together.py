"""Many claims over the same few rows measured in one query: each aggregate filtered by its claim's own ``where``.

Over few rows a query costs more than what it looks at; over many rows it is the other way round, and one query of many
filtered aggregates is slower than a query for each claim. So only small scopes are measured together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlglot import exp

from affidavit.check.base import SCOPE, count_where
from affidavit.check.compile import CompiledClaim
from affidavit.check.queries import SAMPLE, sampled, sampling, with_scope
from affidavit.check.scope import Scope

MAX_ROWS = 20_000
LEAST, MOST = 3, 24
"""So many claims are measured in one query, at least and at most."""


def batches(claims: Iterable[CompiledClaim]) -> Iterator[list[CompiledClaim]]:
    """Claims that look at the same rows before ``where``, some at a time."""
    groups: dict[Scope, list[CompiledClaim]] = {}
    for claim in claims:
        if isinstance(claim.scope, Scope):
            groups.setdefault(claim.scope.base, []).append(claim)
    for group in groups.values():
        for start in range(0, len(group), MOST):
            if len(batch := group[start : start + MOST]) >= LEAST:
                yield batch


def query_of(batch: Sequence[CompiledClaim]) -> exp.Query:
    """One SELECT with all measures of some claims, which share the rows before ``where``."""
    columns: list[exp.Expr] = []
    base = None
    first: dict[Scope, int] = {}
    for index, claim in enumerate(batch):
        scope = claim.scope
        assert isinstance(scope, Scope)
        base = scope.base
        where = scope.where.expression if scope.where else None
        measures: dict[str, exp.Expr] = {}
        if first.setdefault(scope, index) == index:
            measures["n"] = count_where()
            if sampled(scope):
                measures[SAMPLE] = sampling().unalias()
        for check in claim.checks:
            measures |= {f"{check.key}_{name}": node for name, node in check.measures().items()}
        for name, node in measures.items():
            alias = exp.to_identifier(f"{index}:{name}", quoted=True)
            columns.append(exp.alias_(_held_to(node, where), alias, copy=False))
    assert base is not None
    # All at once: each further call to `select` would go through those before it again.
    query = exp.Select(expressions=columns).from_(exp.Table(this=exp.to_identifier(SCOPE)), copy=False)
    return with_scope(query, base)


def rows_of(batch: Sequence[CompiledClaim], row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The measures of each claim by its name, from the row of their common query."""
    found: list[dict[str, Any]] = [{} for _ in batch]
    for name, value in row.items():
        index, _, measure = name.partition(":")
        found[int(index)][measure] = value
    first: dict[object, dict[str, Any]] = {}
    for claim, measured in zip(batch, found, strict=True):
        of_scope = first.setdefault(claim.scope, measured)
        measured |= {name: of_scope[name] for name in ("n", SAMPLE) if name in of_scope}
    return {claim.name: measured for claim, measured in zip(batch, found, strict=True)}


def _held_to(node: exp.Expr, where: exp.Expr | None) -> exp.Expr:
    """An expression of aggregates over those rows alone for which ``where`` is true."""
    if where is None:
        return node

    def change(one: exp.Expr) -> exp.Expr:
        if isinstance(one, exp.Filter):
            inner = exp.And(this=exp.Paren(this=where.copy()), expression=exp.Paren(this=one.expression.this))
            return exp.Filter(this=one.this, expression=exp.Where(this=inner))
        if isinstance(one, exp.AggFunc):
            return exp.Filter(this=one, expression=exp.Where(this=where.copy()))
        return one

    return node.transform(change)
