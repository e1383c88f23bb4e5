"""A claim's queries: what of its rows is measured, in one SELECT and in assertions' own ones."""

from collections.abc import Mapping

from sqlglot import exp

from affidavit.check.assertions.sql import Sql
from affidavit.check.base import SCOPE, Check
from affidavit.check.compile import CompiledClaim
from affidavit.check.scope import Scope, Union, scoped_tables

MAX_SAMPLE = 1000
SAMPLE = "sample of rows"


def with_scope(query: exp.Query, scope: Scope | Union, sql_tables: Mapping[str, exp.Select] | None = None) -> exp.Query:
    """A query with the claim's rows (and, for ``sql:``, the facts tables held to its collections) named in it."""
    named = [(SCOPE, scope.select())] if sql_tables is None else sorted(sql_tables.items())
    for alias, select in named:
        query = query.with_(exp.to_identifier(alias), as_=select, append=True, copy=False)
    return query


def measuring_query(claim: CompiledClaim) -> exp.Select:
    """One SELECT that takes all aggregate measures of a claim; each named ``<assertion>_<measure>``."""
    query = exp.select(exp.alias_(exp.Count(this=exp.Star()), exp.to_identifier("n")))
    query.from_(exp.Table(this=exp.to_identifier(SCOPE)), copy=False)
    for check in claim.checks:
        for name, node in check.measures().items():
            query.select(exp.alias_(node, exp.to_identifier(f"{check.key}_{name}"), copy=False), copy=False)
    return query


def sampled(scope: Scope | Union) -> bool:
    """Whether a sample of the rows can be taken as a measure: whether a SHA-256 identifies them."""
    return scope.table.identity == ("sha256",)


def sampling() -> exp.Expr:
    """A measure: the first of the SHA-256 that identify the rows."""
    return exp.alias_(exp.Min(this=exp.column("sha256"), expressions=[exp.Literal.number(MAX_SAMPLE)]), SAMPLE)


def own_query(check: Check, scope: Scope | Union) -> exp.Query:
    """An assertion's own query, with the rows that it reads named in it."""
    query = check.query()
    assert query is not None
    if isinstance(check, Sql):
        kinds = {part.kind for part in scope.parts}
        tables = scoped_tables(scope.over, scope.parts[0].untrusted, kinds.pop() if len(kinds) == 1 else "any")
        tables = {name: tables[name] for name in check.tables}
        if scope.table.name in tables:
            tables[scope.table.name] = scope.select()
        return with_scope(query, scope, tables)
    return with_scope(query, scope)


def query_text(claim: CompiledClaim) -> str:
    """The claim's queries as people read them: what ``explain`` and 'how this was checked' show."""
    if claim.scope is None:
        return ""
    texts = []
    own = [check for check in claim.checks if check.query() is not None]
    if not own or any(check.measures() or check.key == "count" for check in claim.checks):
        texts.append(with_scope(measuring_query(claim), claim.scope).sql(dialect="duckdb", pretty=True))
    texts += [own_query(check, claim.scope).sql(dialect="duckdb", pretty=True) for check in own]
    return ";\n\n".join(texts)
