"""Expressions from the incident file: parsed, held to an allow-list, their literals typed.

The engine's makers say that untrusted SQL must not reach it. So only nodes, functions, columns and
tables that are named here pass; everything else is an error with the place and, for names, the
nearest known one. What passes runs on a locked connection with limits (engine.py).
"""

from collections.abc import Iterable

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from affidavit.check.conditions import ValueProblem, condition, conjunction, find_column
from affidavit.tables import TABLES, Column, Kind, Table
from affidavit.types import did_you_mean

MAX_LENGTH = 8_000
MAX_NODES = 2_000
MAX_NESTING = 60

#: Functions that an expression may call: pure, without access to files, settings or the clock.
FUNCTIONS = frozenset(
    """abs array_contains array_length bit_length cast ceil coalesce concat contains date_diff date_part
    date_trunc day dayofweek ends_with extract floor greatest hour ilike isodow least left len length
    list_contains list_distinct list_has_all list_has_any list_sort list_unique lower lpad ltrim minute
    month nullif prefix regexp_full_match regexp_matches regexp_like replace right round rtrim second
    starts_with strip_accents strlen strpos substr substring suffix trim upper weekday year if case""".split()
)
#: Functions over many rows: in ``sql:`` only.
AGGREGATES = frozenset(
    "any_value avg bool_and bool_or count count_if max median min quantile_cont sum".split()
)
_OPERATORS = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between,
    exp.In, exp.Is, exp.Null, exp.Like, exp.ILike, exp.Column, exp.Identifier, exp.Literal, exp.Boolean,
    exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe, exp.Case, exp.If, exp.Cast, exp.DataType,
    exp.Interval, exp.Var, exp.Tuple, exp.Array, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Distinct, exp.Escape,
)  # fmt: skip
_QUERY = (
    exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit,
    exp.With, exp.CTE, exp.Subquery, exp.Table, exp.TableAlias, exp.Alias, exp.Star, exp.Exists, exp.Union,
    exp.Intersect, exp.Except, exp.Filter, exp.Distinct, exp.Literal,
)  # fmt: skip
_CAST_TYPES = {"BIGINT", "INT", "DOUBLE", "TEXT", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP"}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_FLIPPED = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}


def _parse(text: str) -> exp.Expression:
    if len(text) > MAX_LENGTH:
        raise ValueProblem(f"the expression is longer than {MAX_LENGTH:,} characters")
    nesting = deepest = 0
    for character in text:
        nesting += (character in "([{") - (character in ")]}")
        deepest = max(deepest, nesting)
    if deepest > MAX_NESTING:
        raise ValueProblem(f"the expression nests deeper than {MAX_NESTING} levels")
    try:
        statements = sqlglot.parse(text, read="duckdb")
    except (SqlglotError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else "too deeply nested"
        plain = first.replace("\x1b[4m", "").replace("\x1b[0m", "")
        raise ValueProblem(f"the expression cannot be parsed: {plain}") from None
    if len(statements) != 1 or statements[0] is None:
        raise ValueProblem("one expression is wanted, not several")
    tree = statements[0]
    if not isinstance(tree, exp.Expression):
        raise ValueProblem("the expression cannot be parsed")
    if sum(1 for _ in tree.walk()) > MAX_NODES:
        raise ValueProblem(f"the expression has more than {MAX_NODES:,} parts")
    return tree


def _function_name(node: exp.Func) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    return node.sql_name().lower()


def _check_nodes(
    tree: exp.Expression, allowed: tuple[type[exp.Expression], ...], functions: frozenset[str]
) -> None:
    for node in tree.walk():
        if node.comments:
            node.comments = None
        if isinstance(node, exp.Cast):
            target = node.to.this
            if getattr(target, "value", str(target)) not in _CAST_TYPES:
                raise ValueProblem(f"a cast to {node.to.sql()} is not allowed here")
        if isinstance(node, allowed):
            continue
        if isinstance(node, exp.Func):
            names = {_function_name(node), *(name.lower() for name in getattr(node, "sql_names", list)())}
            if isinstance(node, exp.Anonymous):
                names = {_function_name(node)}
            if names & functions:
                continue
            name = _function_name(node)
            raise ValueProblem(f"the function {name} is not allowed here", did_you_mean(name, functions))
        what = type(node).__name__.upper()
        raise ValueProblem(f"{what} is not allowed in an expression: {node.sql(dialect='duckdb')[:80]}")


def _literal_value(node: exp.Expression) -> str | None:
    """The text of a literal, also of ``TIMESTAMP '...'``, a negative number or a boolean; None else."""
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, exp.Boolean):
        return "true" if node.this else "false"
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return f"-{node.this.this}"
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        return str(node.this.this)
    return None


def _typed_comparison(
    node: exp.Expression, column: Column, operator: type, text: str, zone: str
) -> exp.Expression:
    keys = {exp.GT: "after", exp.GTE: "from", exp.LT: "before", exp.LTE: "until"}
    if operator in (exp.EQ, exp.NEQ):
        stated: object = text
    elif column.kind in (Kind.TIME, Kind.INTEGER, Kind.SECONDS):
        stated = {keys[operator]: text}
    else:
        return node
    if text in ("absent", "present"):
        raise ValueProblem(f"write {column.name} IS NULL or IS NOT NULL in an expression")
    if column.kind is Kind.TEXTS:
        raise ValueProblem(f"{column.name} is a list", f"write list_contains({column.name}, '...')")
    made = condition(column, stated, zone).expression()
    return exp.Not(this=exp.Paren(this=made)) if operator is exp.NEQ else exp.Paren(this=made)


def _type_literals(tree: exp.Expression, columns: dict[str, Column], zone: str) -> exp.Expression:
    """Type each literal that is compared with a column, as a stated value of that column is typed.

    So a serial number is compared as a number, and a bare day in a time column is that day in ``zone``.
    """

    def column_of(node: exp.Expression | None) -> Column | None:
        return columns.get(node.name.lower()) if isinstance(node, exp.Column) else None

    def change(node: exp.Expression) -> exp.Expression:
        if isinstance(node, _COMPARISONS):
            operator = type(node)
            left, right = node.left, node.right
            if (column := column_of(left)) and (text := _literal_value(right)) is not None:
                return _typed_comparison(node, column, operator, text, zone)
            if (column := column_of(right)) and (text := _literal_value(left)) is not None:
                return _typed_comparison(node, column, _FLIPPED.get(operator, operator), text, zone)
        if isinstance(node, exp.Between) and (column := column_of(node.this)):
            low, high = _literal_value(node.args["low"]), _literal_value(node.args["high"])
            if (
                low is not None
                and high is not None
                and column.kind in (Kind.TIME, Kind.INTEGER, Kind.SECONDS)
            ):
                return exp.Paren(this=condition(column, {"from": low, "until": high}, zone).expression())
        if isinstance(node, exp.In) and (column := column_of(node.this)) and node.expressions:
            texts = [_literal_value(item) for item in node.expressions]
            if all(text is not None for text in texts) and column.kind is not Kind.TEXTS:
                return exp.Paren(this=condition(column, texts, zone).expression())
        return node

    return tree.transform(change)


def boolean_expression(text: str, table: Table, zone: str) -> exp.Expression:
    """A ``where`` expression over one table, checked and typed; ValueProblem says what is wrong."""
    tree = _parse(text)
    if isinstance(tree, (exp.Query, exp.Command, exp.DDL, exp.DML)):
        raise ValueProblem("a condition is wanted here, not a statement", "use `sql:` for a query")
    _check_nodes(tree, _OPERATORS, FUNCTIONS)
    for node in list(tree.find_all(exp.Column)):
        if node.table:
            raise ValueProblem(f"{node.sql()}: write the column's name alone")
        column = find_column(table, node.name)
        node.set("this", exp.to_identifier(column.name))
    return _type_literals(tree, {column.name: column for column in table.columns}, zone)


def query_expression(text: str, tables: Iterable[str], zone: str) -> exp.Query:
    """A ``sql:`` query over the facts tables, checked and typed; ValueProblem says what is wrong."""
    tree = _parse(text)
    if not isinstance(tree, exp.Query):
        raise ValueProblem("`sql` takes one SELECT", "it may read " + ", ".join(sorted(tables)))
    _check_nodes(tree, (*_OPERATORS, *_QUERY), FUNCTIONS | AGGREGATES)
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    known = set(tables)
    columns: dict[str, Column] = {}
    if own & set(TABLES):
        raise ValueProblem(f"{sorted(own & set(TABLES))[0]} is a facts table; name your own differently")
    for node in tree.find_all(exp.Table):
        name = node.name.lower()
        if not isinstance(node.this, exp.Identifier) or node.db or node.catalog or name not in known | own:
            shown = node.sql(dialect="duckdb")[:80]
            raise ValueProblem(f"{shown} is not a table that a query may read", did_you_mean(name, known))
        if name in TABLES:
            columns.update({c.name: c for c in TABLES[name].columns})
    if not any(node.name.lower() in known for node in tree.find_all(exp.Table)):
        raise ValueProblem("the query reads no facts table, so it says nothing about the evidence")
    typed = _type_literals(tree, columns, zone)
    assert isinstance(typed, exp.Query)
    return typed


__all__ = ["boolean_expression", "conjunction", "query_expression"]
