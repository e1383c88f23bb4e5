"""List columns in expressions: compared as sets, DNS names without regard to case."""

from sqlglot import exp

from affidavit.tables import Column


def folded(column: Column, node: exp.Expr) -> exp.Expr:
    """A list column with the case of DNS names folded (RFC 4343); other lists as they are."""
    if column.name != "dns_names":
        return node.copy()
    each = exp.Lambda(this=exp.func("lower", exp.Var(this="x")), expressions=[exp.to_identifier("x")])
    return exp.func("list_transform", node.copy(), each, dialect="duckdb")


def as_set(column: Column, node: exp.Expr) -> exp.Expr:
    """A list column in a form in which lists with the same entries are equal."""
    return exp.func("list_sort", exp.func("list_distinct", folded(column, node)))


def entry_of(column: Column, text: str) -> str:
    """A stated entry of a list column in the form of `folded`."""
    return text.lower() if column.name == "dns_names" else text
