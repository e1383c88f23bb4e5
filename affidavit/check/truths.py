"""That a condition is one: true or false of a row, where the engine would take any number but nought for true."""

from sqlglot import exp

from affidavit.check.conditions import ValueProblem
from affidavit.tables import Column, Kind

_NUMBERS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.Literal, exp.Array, exp.Interval)
_COUNTING = frozenset(
    """abs array_length bit_length ceil date_diff date_part datediff day dayofweek extract floor hour isodow len length
    minute month round second str_position strlen strpos weekday year""".split()
)


def check_truth(tree: exp.Expr, columns: dict[str, Column]) -> None:
    """ValueProblem for a condition, or a part of one between AND, OR and NOT, that is a value and states nothing."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, (exp.And, exp.Or)):
            stack += [node.this, node.expression]
        elif isinstance(node, (exp.Not, exp.Paren)):
            stack.append(node.this)
        elif isinstance(node, exp.Case):
            stack += [branch.args["true"] for branch in node.args["ifs"]]
            stack += [node.args["default"]] if node.args.get("default") else []
        elif isinstance(node, exp.If):
            stack += [branch for branch in (node.args["true"], node.args.get("false")) if branch is not None]
        elif isinstance(node, exp.Column):
            column = columns.get(node.name.lower())
            if column is not None and column.kind is not Kind.BOOLEAN:
                raise _no_condition(column.name)
        elif isinstance(node, exp.Coalesce):
            stack += [node.this, *node.expressions]
        elif isinstance(node, _NUMBERS) or _called(node) & _COUNTING:
            raise _no_condition(node.sql(dialect="duckdb")[:80])


_COMPARING = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like, exp.ILike, exp.Not, exp.And,
    exp.Or,
)  # fmt: skip


def check_nulls(tree: exp.Expr) -> None:
    """ValueProblem for a comparison with NULL, which is neither true nor false whatever the evidence holds."""
    for node in tree.find_all(exp.Null):
        around = node.parent
        while isinstance(around, (exp.Paren, exp.Tuple)):
            around = around.parent
        if isinstance(around, _COMPARING):
            shown = around.sql(dialect="duckdb")[:80]
            raise ValueProblem(f"{shown}: what is compared with NULL is neither true nor false", "write IS [NOT] NULL")


def _called(node: exp.Expr) -> set[str]:
    """The names of a function; empty for anything else."""
    if isinstance(node, exp.Anonymous):
        return {str(node.this).lower()}
    return {node.sql_name().lower(), *map(str.lower, node.sql_names())} if isinstance(node, exp.Func) else set()


def _no_condition(shown: str) -> ValueProblem:
    return ValueProblem(f"{shown} is a value, and no condition", f"compare it: {shown} = ...")
