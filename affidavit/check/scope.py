"""The rows that a claim is about: which table, which collections, which kind, which condition.

Rows that are left out are counted, never dropped unseen: ``counts`` says how many and why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from affidavit.check.base import Statement, count_where, is_null
from affidavit.check.conditions import conjunction, disjunction, literal
from affidavit.tables import TABLES, Table


def _one_of(column: str, values: Sequence[str]) -> exp.Expr:
    return exp.In(this=exp.column(column), expressions=[literal(v) for v in values])


def _first(table: Table, marker: str) -> exp.Qualify:
    """Keeps, of the rows that are one and the same, those of the first collection (or part) that has any.

    All of that one's are kept: a CRL may list a serial number twice, and neither entry may go unseen.
    """
    window = exp.Window(
        this=exp.Min(this=exp.column(marker)), partition_by=[exp.column(name) for name in table.identity]
    )
    return exp.Qualify(this=exp.EQ(this=exp.column(marker), expression=window))


@dataclass(frozen=True)
class Scope:
    """The rows of one table in some collections, of one kind, for which ``where`` is true."""

    table: Table
    over: tuple[str, ...]
    untrusted: frozenset[str]
    kind: str = "certificate"
    where: Statement | None = None

    def _in_collections(self) -> exp.Expr:
        return _one_of("collection", self.over)

    def _authentic(self) -> exp.Expr | None:
        if self.table.column("authentic") is None:
            return None
        free = [name for name in self.over if name in self.untrusted]
        column = exp.column("authentic")
        if len(free) == len(self.over):
            return None
        return exp.Paren(this=disjunction([column, _one_of("collection", free)])) if free else column

    def _kind(self) -> exp.Expr | None:
        if self.kind == "any" or self.table.column("kind") is None:
            return None
        return exp.EQ(this=exp.column("kind"), expression=literal(self.kind))

    def _tests(self) -> list[exp.Expr]:
        return [t for t in (self._in_collections(), self._authentic(), self._kind()) if t is not None]

    def considered(self, table: str | None = None) -> exp.Select:
        """The rows looked at, before ``where``; one for each certificate, whatever collections hold it."""
        query = exp.select(exp.Star()).from_(exp.Table(this=exp.to_identifier(table or self.table.name)), copy=False)
        query.where(conjunction(self._tests()), copy=False)
        if len(self.over) > 1:
            query.set("qualify", _first(self.table, "collection"))
        return query

    @property
    def parts(self) -> tuple["Scope", ...]:
        """One scope for each collection: each must have rows that were looked at."""
        return tuple(replace(self, over=(name,)) for name in self.over)

    def half_read(self, certificates: Sequence[str], columns: Iterable[str], *, before_where: bool) -> exp.Select:
        """How many rows of half-read certificates lack a value of the columns: there it is no absence."""
        name = "sha256" if self.table.column("sha256") else "certificate"
        missing = disjunction([is_null(exp.column(column)) for column in columns])
        rows = self.considered() if before_where else self.select()
        return (
            exp.select(exp.alias_(count_where(), "half_read"))
            .from_(rows.subquery("rows"))
            .where(conjunction([_one_of(name, certificates), exp.Paren(this=missing)]))
        )

    def select(self) -> exp.Select:
        """The rows that the claim is about."""
        query = self.considered()
        return query.where(self.where.expression.copy(), copy=False) if self.where else query

    def counts(self) -> exp.Select:
        """One row: how many rows there are, how many were looked at, and why others were not."""
        base = exp.select("*").from_(self.table.name).where(self._in_collections())
        authentic, kind = self._authentic(), self._kind()
        certain = authentic if authentic is not None else exp.true()
        right = kind if kind is not None else exp.true()
        inside = conjunction([exp.Paren(this=certain), exp.Paren(this=right)])
        query = exp.select(
            exp.alias_(count_where(), "all_rows"),
            exp.alias_(
                count_where(exp.Not(this=exp.func("coalesce", exp.Paren(this=certain.copy()), exp.false()))),
                "not_authentic",
            ),
            exp.alias_(
                count_where(conjunction([exp.Paren(this=certain.copy()), exp.Not(this=exp.Paren(this=right.copy()))])),
                "other_kind",
            ),
        ).from_(base.subquery("everything"))
        if self.table.column("copies") is not None:
            extra = exp.Sub(this=exp.column("copies"), expression=exp.Literal.number(1))
            total = exp.Filter(this=exp.Sum(this=extra), expression=exp.Where(this=inside.copy()))
            query = query.select(exp.alias_(total, "copies"))
        looked = exp.select(exp.alias_(count_where(), "considered")).from_(self.considered().subquery("c"))
        query = query.select(exp.alias_(looked.subquery(), "considered"))
        if kind is not None:
            unknown = conjunction([exp.Paren(this=certain.copy()), is_null(exp.column("kind"))])
            query = query.select(exp.alias_(count_where(unknown), "unknown_kind"))
        return query

    def undecided(self) -> exp.Select | None:
        """One row: for how many of the rows looked at ``where`` is null. None where nothing is asked of rows."""
        if self.where is None:
            return None
        rows = self.considered().subquery("c")
        return exp.select(exp.alias_(count_where(), "undecided")).from_(rows).where(is_null(self.where.expression))

    @property
    def base(self) -> "Scope":
        """The same rows before ``where``: equal for all claims that look at the same rows."""
        return replace(self, where=None)

    def empties(self, columns: Sequence[str]) -> exp.Select:
        """One row: of how many of the rows looked at each of some columns has no value."""
        counts = [exp.alias_(count_where(is_null(exp.column(name))), name) for name in columns]
        return exp.select(*counts).from_(self.considered().subquery("c"))


PART = "part_of_total"


@dataclass(frozen=True)
class Union:
    """The rows of several scopes together, each row once."""

    parts: tuple[Scope, ...]

    @property
    def table(self) -> Table:
        """The table that all parts read."""
        return self.parts[0].table

    @property
    def over(self) -> tuple[str, ...]:
        """Collections of all parts."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.over))

    def _together(self, queries: list[exp.Select]) -> exp.Select:
        numbered = [query.select(exp.alias_(exp.Literal.number(index), PART)) for index, query in enumerate(queries)]
        whole: exp.Query = numbered[0]
        for query in numbered[1:]:
            whole = exp.union(whole, query, distinct=False)
        # `_first` must see the part's number, which is no column of the table and must not stay.
        star = exp.Star(except_=[exp.to_identifier(PART)])
        return exp.Select(expressions=[star], qualify=_first(self.table, PART)).from_(
            exp.Subquery(this=whole, alias=exp.TableAlias(this=exp.to_identifier("parts")))
        )

    def select(self) -> exp.Select:
        """The rows of all parts, each once."""
        return self._together([part.select() for part in self.parts])

    def considered(self) -> exp.Select:
        """The rows that the parts looked at, each once."""
        return self._together([part.considered() for part in self.parts])

    def rows_of_parts(self) -> exp.Select:
        """One row: the sum of the parts' counts."""
        sums = [
            exp.select(count_where()).from_(part.select().subquery(f"p{index}")).subquery()
            for index, part in enumerate(self.parts)
        ]
        total: exp.Expr = sums[0]
        for one in sums[1:]:
            total = exp.Add(this=total, expression=one)
        return exp.select(exp.alias_(total, "rows_of_parts"))


def scoped_tables(over: tuple[str, ...], untrusted: frozenset[str], kind: str) -> dict[str, exp.Select]:
    """Each facts table, held to the claim's collections: what ``sql:`` reads under the tables' names."""
    return {name: Scope(table, over, untrusted, kind).considered() for name, table in TABLES.items()}
