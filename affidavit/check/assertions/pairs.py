"""``pairs``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from affidavit.check.amounts import Amount
from affidavit.check.base import SCOPE, Check, Context, Figures, Statement, count_where, statement
from affidavit.check.conditions import ValueProblem, conjunction, disjunction, find_column
from affidavit.check.lists import as_set
from affidavit.check.scope import Scope
from affidavit.incident.fields import AmountField, Conditions, KeywordModel, OneOrMany, Slug
from affidavit.incident.vocabulary import KindName
from affidavit.tables import Column, Kind
from affidavit.types import Finding, Outcome, did_you_mean


class PairsModel(KeywordModel):
    """With what each row is paired, and what is said of its partners."""

    with_: Slug
    """Collection in which the partners stand."""
    by: OneOrMany
    """Columns that partners share; lists are compared as sets."""
    where: Conditions | None = None
    """Which rows of that collection may be partners."""
    kind: KindName = "certificate"
    """`certificate`, `precertificate` or `any`."""
    count: AmountField | None = None
    """How many of the claim's rows have a partner; all of them where nothing is stated."""
    every: Conditions | None = None
    """What holds of each partner."""


def comparable(column: Column, table: str = "") -> exp.Expr:
    """A column in a form in which equal values are equal: lists as sets."""
    node = exp.column(column.name, table=table or None)
    return as_set(column, node) if column.kind is Kind.TEXTS else node


def find_columns(table: Any, stated: str | list[str], key: str) -> tuple[Column, ...]:
    """Columns by name; ValueProblem leads to the one that is unknown."""
    names = [stated] if isinstance(stated, str) else stated
    columns = []
    for index, name in enumerate(names):
        try:
            columns.append(find_column(table, name))
        except ValueProblem as problem:
            raise problem.below(key, *([] if isinstance(stated, str) else [index])) from None
    if not columns:
        raise ValueProblem("an empty list states nothing", path=(key,))
    return tuple(columns)


@dataclass(frozen=True)
class Pairs(Check):
    """Each of the claim's certificates has a partner in another collection.

    Partners share the columns named under `by`: a SHA-256 counterpart for the same names and key, a
    precertificate with the same serial number.
    """

    key = "pairs"
    model = PairsModel
    example = "pairs: {with: counterparts, by: [dns_names, spki_sha256], every: {signature_hash: sha256}}"
    other: Scope
    by: tuple[Column, ...]
    amount: Amount | None
    every: Statement | None

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Pairs":
        if stated.with_ not in context.collections:
            hint = did_you_mean(stated.with_, context.collections)
            raise ValueProblem(f"there is no collection {stated.with_!r}", hint, ("with",))
        by = find_columns(context.table, stated.by, "by")
        statements: dict[str, Statement | None] = {}
        for key in ("where", "every"):
            raw = getattr(stated, key)
            try:
                statements[key] = statement(raw, context.table, context.zone) if raw is not None else None
            except ValueProblem as problem:
                raise problem.below(key) from None
        amount = None
        if stated.count is not None:
            try:
                amount = Amount.parse(stated.count)
            except ValueError as error:
                raise ValueProblem(str(error), path=("count",)) from None
        where, every = statements["where"], statements["every"]
        other = Scope(context.table, (stated.with_,), context.untrusted, stated.kind, where)
        words = f"{amount.words() if amount else 'each'} with a partner in {stated.with_} by " + ", ".join(
            c.name for c in by
        )
        figures = Figures.of_amounts([amount] if amount else [])
        for one in (where, every):
            figures = figures | one.figures if one else figures
        if every:
            words += f", each partner {every.words}"
        return cls(other, by, amount, every, stated=words, figures=figures)

    def collections(self) -> tuple[str, ...]:
        return self.other.over

    def _join(self) -> exp.Expr:
        tests: list[exp.Expr] = [
            exp.EQ(this=comparable(c, "mine"), expression=comparable(c, "partner")) for c in self.by
        ]
        itself = [
            exp.EQ(this=exp.column(name, "mine"), expression=exp.column(name, "partner"))
            for name in self.other.table.identity
        ]
        tests.append(exp.Not(this=exp.Paren(this=conjunction(itself))))
        return conjunction(tests)

    def _fits(self) -> exp.Expr:
        if self.every is None:
            return exp.true()
        tree = exp.Paren(this=self.every.expression.copy())
        for node in list(tree.find_all(exp.Column)):
            node.set("table", exp.to_identifier("partner"))
        return tree

    def query(self) -> exp.Query:
        partners = self.other.select().subquery("partner")
        joined = exp.select().from_(exp.to_table(SCOPE, alias="mine")).join(partners, on=self._join())
        one = exp.select("1").from_(partners.copy()).where(self._join())
        paired = exp.select(count_where()).from_(exp.to_table(SCOPE, alias="mine")).where(exp.Exists(this=one))
        misfits = joined.copy().select(
            count_where(exp.Not(this=exp.func("coalesce", self._fits(), exp.true()))),
        )
        unknown = joined.copy().select(count_where(exp.Is(this=self._fits(), expression=exp.Null())))
        null = disjunction([exp.Is(this=exp.column(c.name), expression=exp.Null()) for c in self.by])
        nulls = exp.select(count_where(null)).from_(SCOPE)
        partner_nulls = exp.select(count_where(null.copy())).from_(self.other.select().subquery("p"))
        partner_rows = exp.select(count_where()).from_(self.other.select().subquery("p"))
        left_out = self.other.counts().subquery("left_out")
        open_partners = self.other.undecided() or exp.select(exp.Literal.number(0))
        unknown_kind = exp.select(
            exp.column("unknown_kind")
            if self.other.kind != "any" and self.other.table.column("kind")
            else exp.Literal.number(0)
        ).from_(left_out.copy())
        aside = exp.select(exp.column("not_authentic")).from_(left_out.copy())
        named = {
            "open_partners": open_partners, "unknown_kind": unknown_kind, "aside": aside,
            "paired": paired, "misfits": misfits, "unknown": unknown,
            "nulls": nulls, "partner_nulls": partner_nulls, "partner_rows": partner_rows,
        }  # fmt: skip
        return exp.select(*(exp.alias_(query.subquery(), name) for name, query in named.items()))

    def asks_for_null(self) -> bool:
        """Whether what is said of the partners speaks of missing values."""
        return any(one is not None and one.asks_for_null for one in (self.every, self.other.where))

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        n, paired = int(measured["n"]), int(measured["paired"])
        observed = f"{paired:,} of {n:,} with a partner"
        if measured["aside"]:
            observed += f"; {int(measured['aside']):,} row(s) of {self.other.over[0]} left aside as not authentic"
        if not measured["partner_rows"]:
            return self.found(Outcome.UNPROVEN, observed, "no row to pair with was looked at", "no-partners")
        open_rows = int(measured["open_partners"]) + int(measured["unknown_kind"])
        if open_rows:
            hint = f"for {open_rows:,} row(s) of {self.other.over[0]} it is open whether they may be partners"
            return self.found(Outcome.UNPROVEN, observed, hint, "undecided-rows")
        if measured["nulls"] or measured["partner_nulls"] or measured["unknown"]:
            return self.found(Outcome.UNPROVEN, observed, "some rows lack a value to compare", "null-values")
        if self.amount is not None and not self.amount.holds(paired):
            return self.found(Outcome.REFUTED, observed, self.amount.off_by(paired), "pairs")
        if self.amount is None and paired != n:
            return self.found(Outcome.REFUTED, observed, f"{n - paired:,} row(s) have no partner", "pairs")
        if measured["misfits"]:
            hint = f"{int(measured['misfits']):,} partner(s) say otherwise"
            return self.found(Outcome.REFUTED, observed, hint, "pairs")
        return self.found(Outcome.VERIFIED, observed)
