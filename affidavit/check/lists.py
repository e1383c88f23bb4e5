"""List columns in expressions: compared as sets, DNS names without regard to case, IP addresses however written."""

from contextlib import suppress
from ipaddress import ip_address

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
    if column.name == "ip_addresses":
        with suppress(ValueError):
            return str(ip_address(text.strip()))
    return text.lower() if column.name == "dns_names" else text


def two_lists(node: exp.Expr) -> list[exp.Expr]:
    """The two lists that a node compares, as ``list_has_any(a, b)`` does; none of any other."""
    if isinstance(node, (exp.ArrayOverlaps, exp.ArrayContainsAll)):
        return [node.this, node.expression]
    named = isinstance(node, exp.Anonymous) and str(node.this).lower() == "list_has_all" and len(node.expressions) == 2
    return list(node.expressions) if named else []
