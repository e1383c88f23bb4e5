"""Expressions from the incident file: parsed, held to an allow-list, their literals typed.

The engine's makers say that untrusted SQL must not reach it. So only nodes, functions, columns and
tables that are named here pass; everything else is an error with the place and, for names, the
nearest known one. What passes runs on a locked connection with limits (engine.py).
"""

import logging
import re
from collections.abc import Iterable
from unicodedata import normalize

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from affidavit.check.conditions import (
    PLACED,
    Condition,
    ValueProblem,
    condition,
    find_column,
    literal,
)
from affidavit.check.costly import check_pattern, check_words
from affidavit.check.instants import counts_days, instant
from affidavit.check.lists import entry_of, folded, two_lists
from affidavit.check.nulls import strict
from affidavit.check.renamed import add_own_names
from affidavit.check.truths import check_nulls, check_truth
from affidavit.tables import TABLES, Column, Kind, Table
from affidavit.types import did_you_mean

MAX_LENGTH = 8_000
MAX_NODES = 2_000
MAX_NESTING = 60
MAX_DEPTH = 250
# The parser tells its log what it takes for a command; here that is an error with a message of its own.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

#: Functions that an expression may call: pure, without access to files, settings or the clock.
FUNCTIONS = frozenset(
    """abs array_contains array_length array_overlaps bit_length cast ceil coalesce concat contains date_diff date_part
    date_trunc day dayofweek ends_with extract floor greatest hour ilike isodow least left len length
    list_contains list_distinct list_has_all list_sort list_unique lower ltrim minute
    month nullif prefix regexp_full_match regexp_matches regexp_like right round rtrim second
    starts_with strip_accents strlen strpos substr substring suffix timestamp_trunc trim upper weekday
    year if case""".split()
)
#: What the parser calls some of them.
_AS_WRITTEN = {
    "array_distinct": "list_distinct", "array_sort": "list_sort",
    "percentile_cont": "quantile_cont", "str_position": "strpos",
}  # fmt: skip
#: Functions over many rows: in ``sql:`` only.
AGGREGATES = frozenset("avg bool_and bool_or count count_if max median min quantile_cont sum".split())
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
_CAST_TYPES = {"BIGINT", "INT", "DOUBLE", "TEXT", "VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPNTZ"}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_SAME_OR_NOT = {exp.NullSafeEQ: False, exp.NullSafeNEQ: True}
#: Functions that cut a UTC time into parts of a calendar.
_CALENDAR = (exp.Extract, exp.TimestampTrunc, exp.DateTrunc, exp.Day, exp.Month, exp.Year, exp.DayOfWeek)
_CALENDAR_NAMES = frozenset("date_part date_trunc day dayofweek extract hour isodow minute month weekday year".split())
#: The parser takes those that it does not know before JOIN for the name of the table to the left.
_JOIN_WORDS = frozenset("POSITIONAL ASOF SEMI ANTI NATURAL LATERAL ANY ALL".split())
_BARE_DAY = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}([ T][^Z+]*)?\s*")
_CATALOG = re.compile(r"(duckdb|pg|sqlite|pragma|information|temp|main|system|memory)(_|$)")
#: Inside these, text beside a serial number or hash is no value of that column, or is looked at on its own.
_OWN_WAY = (
    exp.Length, exp.Trim, exp.Like, exp.Subquery, exp.Select, *_COMPARISONS, exp.Count, exp.Anonymous,
    exp.Substring, exp.Left, exp.Right, exp.StartsWith, exp.RegexpLike,
)  # fmt: skip
_FLIPPED = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}


def _parse(text: str) -> exp.Expr:
    if len(text) > MAX_LENGTH:
        raise ValueProblem(f"the expression is longer than {MAX_LENGTH:,} characters")
    nesting = deepest = 0
    for character in text:
        nesting += (character in "([{") - (character in ")]}")
        deepest = max(deepest, nesting)
    if deepest > MAX_NESTING:
        raise ValueProblem(f"the expression nests deeper than {MAX_NESTING} levels")
    try:
        check_words(text)
        statements = sqlglot.parse(text, read="duckdb")
    except (SqlglotError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else "too deeply nested"
        plain = first.replace("\x1b[4m", "").replace("\x1b[0m", "")
        raise ValueProblem(f"the expression cannot be parsed: {plain}") from None
    if len(statements) != 1 or statements[0] is None:
        raise ValueProblem("one expression is wanted, not several")
    tree = statements[0]
    if not isinstance(tree, exp.Expr):
        raise ValueProblem("the expression cannot be parsed")
    if sum(1 for _ in tree.walk()) > MAX_NODES:
        raise ValueProblem(f"the expression has more than {MAX_NODES:,} parts")
    if _depth(tree) > MAX_DEPTH:
        raise ValueProblem(f"the expression nests deeper than {MAX_DEPTH} levels")
    return tree


def _depth(tree: exp.Expr) -> int:
    """Levels of a tree, counted without recursion."""
    deepest, todo = 0, [(tree, 1)]
    while todo:
        node, level = todo.pop()
        deepest = max(deepest, level)
        todo += [(child, level + 1) for child in node.iter_expressions()]
    return deepest


def _function_name(node: exp.Func) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    return node.sql_name().lower()


def _check_nodes(tree: exp.Expr, allowed: tuple[type[exp.Expr], ...], functions: frozenset[str]) -> None:
    for node in tree.walk():
        if node.comments:
            node.comments = None
        check_pattern(node)
        if isinstance(node, exp.TryCast):
            raise ValueProblem("TRY_CAST would take a value that does not fit for none at all", "write CAST")
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
            if {_AS_WRITTEN.get(one, one) for one in names} & functions:
                continue
            name = _function_name(node)
            raise ValueProblem(f"the function {name} is not allowed here", did_you_mean(name, functions))
        what = type(node).__name__.upper()
        raise ValueProblem(f"{what} is not allowed in an expression: {node.sql(dialect='duckdb')[:80]}")


def _literal_value(node: exp.Expr) -> str | None:
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
    node: exp.Binary, column: Column, operator: type[exp.Expr], text: str, zone: str, found: list[Condition]
) -> exp.Expr:
    keys: dict[type[exp.Expr], str] = {exp.GT: "after", exp.GTE: "from", exp.LT: "before", exp.LTE: "until"}
    if operator in (exp.EQ, exp.NEQ):
        stated: object = text
    elif column.kind in (Kind.TIME, Kind.INTEGER, Kind.SECONDS):
        stated = {keys[operator]: text}
    elif column.kind in (Kind.SERIAL, Kind.HEX):
        raise ValueProblem(f"{column.name} is told apart, not put in order, here", "compare it with = or <>")
    else:
        return node
    if text in ("absent", "present"):
        raise ValueProblem(f"write {column.name} IS NULL or IS NOT NULL in an expression")
    if column.kind is Kind.TEXTS:
        raise ValueProblem(f"{column.name} is a list", f"write list_contains({column.name}, '...')")
    typed = condition(column, stated, zone)
    found.append(typed)
    # The column keeps the table's name before it, where there is one.
    place = node.left if isinstance(node.left, exp.Column) else node.right
    made = typed.test(place)
    return exp.Not(this=exp.Paren(this=made)) if operator is exp.NEQ else exp.Paren(this=made)


def _type_literals(tree: exp.Expr, columns: dict[str, Column], zone: str, found: list[Condition]) -> exp.Expr:
    """Type each literal that is compared with a column, as a stated value of that column is typed.

    So a serial number is compared as a number, and a bare day in a time column is that day in ``zone``.
    ``found`` receives the conditions.
    """

    def column_of(node: exp.Expr | None) -> Column | None:
        return columns.get(node.name.lower()) if isinstance(node, exp.Column) else None

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, _COMPARISONS):
            operator = type(node)
            left, right = node.left, node.right
            if (column := column_of(left)) and (text := _literal_value(right)) is not None:
                return _typed_comparison(node, column, operator, text, zone, found)
            if (column := column_of(right)) and (text := _literal_value(left)) is not None:
                return _typed_comparison(node, column, _FLIPPED.get(operator, operator), text, zone, found)
        if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)):
            return distinct(node)
        if isinstance(node, (exp.Like, exp.ILike)) and (column := column_of(node.this)):
            pattern = _literal_value(node.expression)
            if column.kind in (Kind.SERIAL, Kind.HEX) and pattern is not None:
                if isinstance(node.parent, exp.Escape):
                    raise ValueProblem(f"{column.name} holds hex digits: ESCAPE has nothing to escape there")
                made = condition(column, {"like": pattern}, zone)
                like = exp.Paren(this=made.test(node.this))
                return exp.Not(this=like) if node.args.get("negate") else like
            if column.kind is Kind.TEXT and pattern is not None and not pattern.isascii():
                node.this.replace(exp.func("nfc_normalize", node.this.copy()))
                node.expression.replace(literal(normalize("NFC", pattern)))
        if isinstance(node, (exp.ArrayContains, exp.Contains)) and (column := column_of(node.this)):
            entry = _literal_value(node.expression)
            if column.kind is Kind.TEXTS and entry is not None:
                made = condition(column, {"contains": entry}, zone)
                found.append(made)
                return exp.Paren(this=made.test(node.this))
        if (sides := two_lists(node)) and (column := column_of(sides[0])) and column.kind is Kind.TEXTS:
            entries = [_literal_value(one) for one in sides[1].expressions]
            if isinstance(sides[1], exp.Array) and None not in entries:
                sides[0].replace(folded(column, sides[0]))
                sides[1].set("expressions", [literal(entry_of(column, str(entry))) for entry in entries])
        if isinstance(node, exp.Between) and (column := column_of(node.this)):
            low, high = _literal_value(node.args["low"]), _literal_value(node.args["high"])
            if low is not None and high is not None and column.kind in (Kind.TIME, Kind.INTEGER, Kind.SECONDS):
                made = condition(column, {"from": low, "until": high}, zone)
                found.append(made)
                return exp.Paren(this=made.test(node.this))
        if isinstance(node, exp.In) and (column := column_of(node.this)) and node.expressions:
            texts = [_literal_value(item) for item in node.expressions]
            if all(text is not None for text in texts) and column.kind is not Kind.TEXTS:
                made = condition(column, texts, zone)
                found.append(made)
                return exp.Paren(this=made.test(node.this))
        return node

    def distinct(node: exp.NullSafeEQ | exp.NullSafeNEQ) -> exp.Expr:
        """``IS [NOT] DISTINCT FROM``: typed as equality is, with null a value like any other."""
        for one, other in ((node.left, node.right), (node.right, node.left)):
            text = _literal_value(other)
            if (column := column_of(one)) and text is not None:
                if column.kind is Kind.TEXTS:
                    raise ValueProblem(f"{column.name} is a list", f"write list_contains({column.name}, '...')")
                made = condition(column, text, zone)
                found.append(made)
                equal: exp.Expr = exp.func("coalesce", exp.Paren(this=made.test(one)), exp.false())
                return exp.Not(this=equal) if _SAME_OR_NOT[type(node)] else equal
        return node

    def marked(node: exp.Expr) -> exp.Expr:
        made = change(node)
        if made is not node:
            made.meta[PLACED] = True
        return made

    typed = tree.transform(marked).transform(instant)
    _untyped_literals(typed, columns, zone)
    return typed


def _untyped_literals(tree: exp.Expr, columns: dict[str, Column], zone: str) -> None:
    """ValueProblem for what compares otherwise than it reads: hex as bare text, a day of no zone."""

    def kinds(node: exp.Expr) -> set[Kind]:
        names = (column.name.lower() for column in node.find_all(exp.Column))
        return {columns[name].kind for name in names if name in columns}

    for node in tree.walk(prune=lambda n: bool(n.meta.get(PLACED))):
        if node.meta.get(PLACED):
            continue
        if zone != "UTC":
            parts = isinstance(node, _CALENDAR) or (
                isinstance(node, exp.Func) and not isinstance(node, exp.Cast) and _names(node) & _CALENDAR_NAMES
            )
            parts = parts or counts_days(node)
            to_day = isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.DATE
            to_text = isinstance(node, exp.Cast) and node.to.this in exp.DataType.TEXT_TYPES
            to_text = to_text or isinstance(node, (exp.Concat, exp.DPipe))
            if (parts or to_day or to_text) and Kind.TIME in kinds(node):
                raise ValueProblem(
                    f"{node.sql(dialect='duckdb')[:60]} counts in UTC, and this claim's days are those of {zone}",
                    "compare the column itself with a day, or write `timezone: UTC`",
                )
            if isinstance(node, exp.Literal) and node.is_string and _BARE_DAY.fullmatch(node.this):
                raise ValueProblem(
                    f"'{node.this}' is compared with no column, so its zone is open",
                    "compare the column itself with a day, or write an instant with Z",
                )
        if isinstance(node, (*_COMPARISONS, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In, exp.Case,
                             exp.ArrayContains, exp.Nullif, exp.Anonymous)):  # fmt: skip
            _hex_as_text(node, columns)


def _hex_as_text(node: exp.Expr, columns: dict[str, Column]) -> None:
    """ValueProblem where a hexadecimal column meets a literal past the typing that equality gives it.

    The table's upper or lower case and leading zeros would decide then. Tests and cuts of text
    (``length``, ``ltrim``, ``starts_with``) are meant as such and pass.
    """
    if isinstance(node, exp.Anonymous) and _function_name(node) not in (
        "list_contains", "list_has_all", "contains", "coalesce", "greatest", "least",
    ):  # fmt: skip
        return
    stack, hexes, texts = list(node.iter_expressions()), [], []
    while stack:
        one = stack.pop()
        if isinstance(one, exp.Column):
            column = columns.get(one.name.lower())
            if column and column.kind in (Kind.SERIAL, Kind.HEX):
                hexes.append(column.name)
        elif isinstance(one, exp.Literal) and one.is_string:
            texts.append(one)
        elif isinstance(one, _OWN_WAY):
            continue
        else:
            stack += list(one.iter_expressions())
    if hexes and texts:
        hint = f"write {hexes[0]} = '...', <> or IN"
        raise ValueProblem(f"{hexes[0]} is compared as bare text here", hint)


def _names(node: exp.Func) -> set[str]:
    if isinstance(node, exp.Anonymous):
        return {_function_name(node)}
    return {_function_name(node), *(name.lower() for name in getattr(node, "sql_names", list)())}


def boolean_expression(text: str, table: Table, zone: str, found: list[Condition] | None = None) -> exp.Expr:
    """A ``where`` expression over one table, checked and typed; ValueProblem says what is wrong.

    ``found`` receives the conditions on single columns in it.
    """
    tree = _parse(text)
    if isinstance(tree, (exp.Query, exp.Command, exp.DDL, exp.DML)):
        raise ValueProblem("a condition is wanted here, not a statement", "use `sql:` for a query")
    _check_nodes(tree, _OPERATORS, FUNCTIONS)
    for node in list(tree.find_all(exp.Column)):
        if node.table:
            raise ValueProblem(f"{node.sql()}: write the column's name alone")
        column = find_column(table, node.name)
        node.set("this", exp.to_identifier(column.name))
    if tree.find(exp.Column) is None:
        raise ValueProblem("the expression names no column, so it says nothing about the evidence")
    for joint in tree.find_all(exp.And, exp.Or):
        for side in (joint.left, joint.right):
            if side.find(exp.Column) is None:
                shown = side.sql(dialect="duckdb")[:60]
                raise ValueProblem(f"{shown} names no column: it says nothing about the evidence", "leave it out")
    columns = {column.name: column for column in table.columns}
    check_truth(tree, columns)
    check_nulls(tree)
    return _type_literals(strict(tree), columns, zone, found if found is not None else [])


def query_expression(text: str, tables: Iterable[str], zone: str) -> exp.Query:
    """A ``sql:`` query over the facts tables, checked and typed; ValueProblem says what is wrong."""
    tree = _parse(text)
    if not isinstance(tree, exp.Query):
        raise ValueProblem("`sql` takes one SELECT", "it may read " + ", ".join(sorted(tables)))
    _check_nodes(tree, (*_OPERATORS, *_QUERY), FUNCTIONS | AGGREGATES)
    own = _own_tables(tree)
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
    counts = any(isinstance(node.this, exp.Star) for node in tree.find_all(exp.Count))
    if not counts and not any(node.name.lower() in columns for node in tree.find_all(exp.Column)):
        raise ValueProblem("the query reads no column, so it says nothing about the evidence")
    for join in tree.find_all(exp.Join):
        before = [str(join.args.get(key) or "") for key in ("method", "hint", "global_")]
        before += [] if (join.kind or "").upper() in ("", "INNER", "OUTER", "CROSS") else [join.kind]
        if any(before):
            raise ValueProblem(f"a {' '.join(filter(None, before))} join is not allowed here", "say ON which rows")
    for alias in tree.find_all(exp.TableAlias):
        if alias.name.upper() in _JOIN_WORDS:
            raise ValueProblem(f"a table of yours cannot be called {alias.name!r}", "choose another name")
    for select in tree.find_all(exp.Query):
        if select.args.get("limit") and not select.args.get("order"):
            raise ValueProblem("LIMIT without ORDER BY takes any row there is", "say which rows with ORDER BY")
    check_nulls(tree)
    add_own_names(tree, columns)
    typed = _type_literals(tree, columns, zone, [])
    assert isinstance(typed, exp.Query)
    return typed


def _own_tables(tree: exp.Query) -> set[str]:
    """The names that the query's own WITH gives; ValueProblem where one could let a table of the engine in.

    A name holds only after its definition, so it must not be used before, or outside of, its WITH: there the
    engine would look for a table of its own.
    """
    own: set[str] = set()
    top = tree.args.get("with_") or tree.args.get("with")
    for clause in tree.find_all(exp.With):
        if clause is not top:
            raise ValueProblem("WITH stands at the head of the query only")
        if clause.args.get("recursive"):
            raise ValueProblem("WITH RECURSIVE is not allowed in an expression")
        for cte in clause.expressions:
            name = cte.alias.lower()
            if _CATALOG.match(name) or not name.isascii():
                raise ValueProblem(f"a table of yours cannot be called {name!r}", "choose another name")
            for used in cte.find_all(exp.Table):
                if used.name.lower() not in own | set(TABLES):
                    hint = did_you_mean(used.name, own | set(TABLES))
                    raise ValueProblem(f"{used.name[:80]} is not a table that a query may read here", hint)
            own.add(name)
    return own
