"""``distinct`` and ``same``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from affidavit.check.amounts import Amount
from affidavit.check.assertions.pairs import comparable
from affidavit.check.base import Check, Context, Figures, count_where, is_null
from affidavit.check.conditions import ValueProblem, find_column
from affidavit.incident.fields import AmountField, OneOrMany
from affidavit.tables import Column
from affidavit.types import Finding, Outcome


def _measures(columns: tuple[Column, ...]) -> dict[str, exp.Expr]:
    found: dict[str, exp.Expr] = {}
    for column in columns:
        node = exp.column(column.name)
        found[f"distinct_{column.name}"] = exp.Count(this=exp.Distinct(expressions=[comparable(column)]))
        found[f"null_{column.name}"] = count_where(is_null(node))
    return found


def _nulls(columns: tuple[Column, ...], measured: Mapping[str, Any]) -> list[str]:
    return [f"{measured[f'null_{c.name}']:,} row(s) have no {c.name}" for c in columns if measured[f"null_{c.name}"]]


def _different(number: str, column: Column) -> str:
    return f"{number} different value{'' if number == '1' else 's'} of {column.name}"


@dataclass(frozen=True)
class Distinct(Check):
    """How many different values a column has over the claim's rows; lists are compared as sets."""

    as_named = True
    key = "distinct"
    model = dict[str, AmountField]
    example = "distinct: {serial: 1}"
    columns: tuple[Column, ...]
    amounts: tuple[Amount, ...]

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Distinct":
        columns, amounts = [], []
        for name, value in stated.items():
            try:
                columns.append(find_column(context.table, name))
                amounts.append(Amount.parse(value))
            except ValueProblem as problem:
                raise problem.below(name) from None
            except ValueError as error:
                raise ValueProblem(str(error), path=(name,)) from None
        if not columns:
            raise ValueProblem("an empty mapping states nothing")
        words = ", ".join(_different(a.words(), c) for c, a in zip(columns, amounts, strict=True))
        return cls(tuple(columns), tuple(amounts), stated=words, figures=Figures.of_amounts(amounts))

    def measures(self) -> dict[str, exp.Expr]:
        return _measures(self.columns)

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        observed = ", ".join(_different(f"{measured[f'distinct_{c.name}']:,}", c) for c in self.columns)
        if nulls := _nulls(self.columns, measured):
            return self.found(Outcome.UNPROVEN, observed, "; ".join(nulls), "null-values")
        hints = [
            f"{c.name}: {off}"
            for c, a in zip(self.columns, self.amounts, strict=True)
            if (off := a.off_by(int(measured[f"distinct_{c.name}"])))
        ]
        if hints:
            would = [
                ((c.name, *path), text)
                for c, a in zip(self.columns, self.amounts, strict=True)
                if not a.holds(number := int(measured[f"distinct_{c.name}"]))
                for path, text in a.right(number)
            ]
            return self.found(Outcome.REFUTED, observed, "; ".join(hints), "distinct", would)
        return self.found(Outcome.VERIFIED, observed)


@dataclass(frozen=True)
class Same(Check):
    """All rows have one and the same value in each of the columns named."""

    as_named = True
    key = "same"
    model = OneOrMany
    example = "same: [serial, issuer]"
    columns: tuple[Column, ...]

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Same":
        names = [stated] if isinstance(stated, str) else stated
        if not names:
            raise ValueProblem("an empty list states nothing")
        columns = []
        for index, name in enumerate(names):
            try:
                columns.append(find_column(context.table, name))
            except ValueProblem as problem:
                raise problem.below(*([] if isinstance(stated, str) else [index])) from None
        return cls(tuple(columns), stated="one value of " + ", ".join(c.name for c in columns))

    def measures(self) -> dict[str, exp.Expr]:
        return _measures(self.columns)

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        counts = {c.name: int(measured[f"distinct_{c.name}"]) for c in self.columns}
        observed = ", ".join(f"{number:,} value(s) of {name}" for name, number in counts.items())
        if nulls := _nulls(self.columns, measured):
            return self.found(Outcome.UNPROVEN, observed, "; ".join(nulls), "null-values")
        if int(measured["n"]) == 1:
            return self.found(Outcome.UNPROVEN, observed, "one row alone shares nothing", "single-row")
        more = [name for name, number in counts.items() if number != 1]
        if more:
            return self.found(Outcome.REFUTED, observed, "differs in " + ", ".join(more), "same")
        return self.found(Outcome.VERIFIED, observed)
