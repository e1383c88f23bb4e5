"""Nulls in expressions: what passes them over without a word is made to leave a row undecided."""

from sqlglot import exp

from affidavit.check.conditions import disjunction
from affidavit.tables import TABLES

#: Nodes that take a null for an answer without a word: they pass it over, or fall through to another branch.
_QUIET = (exp.Case, exp.If, exp.Concat, exp.Greatest, exp.Least, exp.Is)
_ASKED = (exp.Is, exp.Coalesce, exp.NullSafeEQ, exp.NullSafeNEQ)


def strict(tree: exp.Expr) -> exp.Expr:
    """The expression, null wherever a construct that passes nulls over meets a column that has none.

    ``CASE WHEN signature_hash = 'sha1' THEN ...`` would call an unknown hash "not SHA-1". Who means that
    writes ``IS NULL`` or ``coalesce``.
    """
    needed: dict[str, exp.Column] = {}
    named = {
        column.name for asked in tree.find_all(*_ASKED) if not _is_truth(asked) for column in asked.find_all(exp.Column)
    }
    for quiet in tree.find_all(*_QUIET):
        if isinstance(quiet, exp.Is) and not _is_truth(quiet):
            continue
        needed.update({c.name: c for c in quiet.find_all(exp.Column) if c.name not in named})
    if not needed:
        return tree
    missing = disjunction([exp.Is(this=c.copy(), expression=exp.Null()) for c in needed.values()])
    return exp.Paren(this=exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=tree))


def _is_truth(node: exp.Expr) -> bool:
    """Whether a node is ``IS TRUE`` or ``IS FALSE``, which take what is unknown for the contrary."""
    return isinstance(node, exp.Is) and not isinstance(node.expression, exp.Null)


def unasked(tree: exp.Expr) -> frozenset[str]:
    """The columns that a query compares or adds up without a word on those of their values that are missing.

    ``IS [NOT] NULL``, ``coalesce``, ``IS DISTINCT FROM`` and ``count(column)`` are such words.
    """
    told = {
        column.name.lower()
        for asked in tree.find_all(*_ASKED)
        if not _is_truth(asked)
        for column in asked.find_all(exp.Column)
    }
    told |= {c.this.name.lower() for c in tree.find_all(exp.Count) if isinstance(c.this, exp.Column)}
    return frozenset(column.name.lower() for column in tree.find_all(exp.Column)) - told


def of_outer_joins(tree: exp.Expr) -> list[str]:
    """The columns of outer joins' optional sides of whose absence a query says no word, as it writes them.

    ``LEFT JOIN scts s ... WHERE s.signature <> 'valid'`` passes over just those that have no SCT at all.
    """
    silent = unasked(tree)
    found: dict[str, None] = {}
    for join in tree.find_all(exp.Join):
        select = join.parent
        if not join.side or not isinstance(select, exp.Select):
            continue
        first = select.args.get("from_") or select.args.get("from")
        joins = select.args.get("joins") or []
        before = [first.this, *(one.this for one in joins[: joins.index(join)])] if first is not None else []
        sides = {"LEFT": [join.this], "RIGHT": before, "FULL": [join.this, *before]}[join.side.upper()]
        optional = {side.alias_or_name.lower() for side in sides}
        names = {name for side in sides if side.name.lower() in TABLES for name in TABLES[side.name.lower()].names}
        conditions = {id(node) for one in joins if (on := one.args.get("on")) is not None for node in on.walk()}
        for column in select.find_all(exp.Column):
            theirs = column.table.lower() in optional or (not column.table and column.name.lower() in names)
            if theirs and column.name.lower() in silent and id(column) not in conditions:
                found[column.sql(dialect="duckdb")] = None
    return list(found)


#: Nodes that give a null only where a column in them is null.
_PLAIN = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In,
    exp.Is, exp.Null, exp.Column, exp.Identifier, exp.Literal, exp.Boolean,
)  # fmt: skip


def null_only_with(tree: exp.Expr) -> frozenset[str] | None:
    """The columns of which one must be null for the expression to be; None where that cannot be told."""
    for node in tree.walk():
        if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
            continue
        if isinstance(node, exp.Null) and not isinstance(node.parent, exp.Is):
            return None
        if not isinstance(node, (*_PLAIN, exp.DataType)):
            return None
    return frozenset(node.name for node in tree.find_all(exp.Column))
