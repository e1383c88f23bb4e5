"""Nulls in expressions: what passes them over without a word is made to leave a row undecided."""

from sqlglot import exp

from affidavit.check.conditions import disjunction

#: Nodes that take a null for an answer without a word: they pass it over, or fall through to another branch.
_QUIET = (exp.Case, exp.If, exp.Concat, exp.Greatest, exp.Least)


def strict(tree: exp.Expr) -> exp.Expr:
    """The expression, null wherever a construct that passes nulls over meets a column that has none.

    ``CASE WHEN signature_hash = 'sha1' THEN ...`` would call an unknown hash "not SHA-1". Who means that
    writes ``IS NULL`` or ``coalesce``.
    """
    needed: dict[str, exp.Column] = {}
    named = {
        column.name
        for asked in tree.find_all(exp.Is, exp.Coalesce, exp.NullSafeEQ, exp.NullSafeNEQ)
        for column in asked.find_all(exp.Column)
    }
    for quiet in tree.find_all(*_QUIET):
        needed.update({c.name: c for c in quiet.find_all(exp.Column) if c.name not in named})
    if not needed:
        return tree
    missing = disjunction([exp.Is(this=c.copy(), expression=exp.Null()) for c in needed.values()])
    return exp.Paren(this=exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=tree))


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
        if not isinstance(node, (*_PLAIN, exp.DataType)):
            return None
    return frozenset(node.name for node in tree.find_all(exp.Column))
