"""Columns that a query names anew: what their literals are compared with is what they were before."""

from sqlglot import exp

from affidavit.check.conditions import ValueProblem
from affidavit.tables import Column


def add_own_names(tree: exp.Query, columns: dict[str, Column]) -> None:
    """Add the query's own names of columns to ``columns``: by another name a serial number is one all the same."""
    if any(alias.args.get("columns") for alias in tree.find_all(exp.TableAlias)):
        raise ValueProblem("columns are named where they are selected", "write SELECT ... AS ...")
    own = [(node.alias.lower(), node.this) for node in tree.find_all(exp.Alias)]
    known = len(columns) - 1
    while known < len(columns):
        known = len(columns)
        for name, node in own:
            while isinstance(node, (exp.Paren, exp.Min, exp.Max)):
                node = node.this
            column = columns.get(node.name.lower()) if isinstance(node, exp.Column) else None
            if column is not None and columns.setdefault(name, column).kind is not column.kind:
                hint = "choose another name"
                raise ValueProblem(f"{node.name} cannot be called {name!r} here: that is another column", hint)
