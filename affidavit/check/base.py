"""What an assertion is: a typed statement that yields measures to take and a judgement over them.

An assertion knows no engine. It gives aggregate expressions over the claim's rows (the *scope*), or a
query of its own, and a pure function from the small result to a finding. Whether a claim is verified is
never decided here but in judge.py, through which all assertions pass.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlglot import exp

from affidavit.check.amounts import Amount
from affidavit.check.bounds import Bound, TimeRange, number_bound, time_range
from affidavit.check.conditions import PLACED, Condition, ValueProblem, conditions, conjunction
from affidavit.check.expressions import boolean_expression
from affidavit.shown import agree
from affidavit.tables import Column, Kind, Table
from affidavit.times import Span
from affidavit.types import Declaration, Finding, Outcome

SCOPE = "scope"
"""Name under which an assertion's own query reads the claim's rows."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the statements of a claim are typed against.

    ``collections`` are all collections of the report, ``over`` those of the claim.
    """

    table: Table
    zone: str
    over: tuple[str, ...]
    collections: tuple[str, ...]
    untrusted: frozenset[str]
    report_zone: str = "UTC"
    claim: str = ""
    declarations: Mapping[str, Declaration] = field(default_factory=dict)
    part: Callable[[str], Any] | None = None

    @property
    def other_zones(self) -> tuple[str, ...]:
        """The zones that a day may have been meant in by mistake."""
        return tuple(dict.fromkeys(z for z in ("UTC", self.report_zone) if z != self.zone))


@dataclass(frozen=True, slots=True)
class Figures:
    """What a claim states in machine form, for the check of its words (prose.py).

    ``numbers``, ``spans`` and ``lengths`` (of time, in seconds) are stated exactly, ``bounds``, ``ranges`` and
    ``shares`` (percentages) only as ends of a range. ``unitless`` are numbers of which nobody knows what they count.
    ``events`` are those of the stated times at which something is said to have happened; ``names`` those of the texts
    that are words (a CA's name), in which digits are no figures.
    """

    numbers: frozenset[int] = frozenset()
    texts: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    events: tuple[Span, ...] = ()
    names: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()
    ranges: tuple[TimeRange, ...] = ()
    lengths: frozenset[int] = frozenset()
    unitless: frozenset[int] = frozenset()
    shares: tuple[Bound, ...] = ()

    def __or__(self, other: "Figures") -> "Figures":
        return Figures(
            self.numbers | other.numbers,
            self.texts + other.texts,
            self.spans + other.spans,
            self.events + other.events,
            self.names + other.names,
            self.bounds + other.bounds,
            self.ranges + other.ranges,
            self.lengths | other.lengths,
            self.unitless | other.unitless,
            self.shares + other.shares,
        )

    @classmethod
    def of_amounts(cls, amounts: Sequence[Amount]) -> "Figures":
        """The figures of stated amounts: exact numbers, or bounds."""
        numbers = {amount.exact for amount in amounts if amount.exact is not None}
        bounds = tuple(Bound(amount.low, amount.high) for amount in amounts if amount.exact is None)
        return cls(frozenset(numbers), bounds=bounds)

    @classmethod
    def of(cls, found: Sequence[Condition]) -> "Figures":
        """The figures of conditions."""
        numbers: set[int] = set()
        texts: list[str] = []
        spans: list[Span] = []
        events: list[Span] = []
        names: list[str] = []
        bounds: list[Bound] = []
        ranges: list[TimeRange] = []
        lengths: set[int] = set()
        for one in found:
            unit = time_unit(one.column)
            limits = {key: typed.value for key, typed in one.limits}
            if times := {key: value for key, value in limits.items() if isinstance(value, Span)}:
                ranges.append(time_range(times))
                events += times.values() if one.column.event else ()
            elif limits:
                bounds.append(number_bound({k: v for k, v in limits.items() if isinstance(v, int)}, unit))
            for typed in one.values:
                value = typed.value
                if any(typed is end for _, end in one.limits):
                    continue
                if isinstance(value, Span):
                    spans.append(value)
                    events += [value] if one.column.event else ()
                elif isinstance(value, int) and not isinstance(value, bool):
                    (lengths if unit else numbers).add(value * (unit or 1))
                else:
                    texts.append(typed.text)
                    if one.column.kind in (Kind.TEXT, Kind.TEXTS):
                        names.append(typed.text)
        return cls(
            frozenset(numbers), tuple(texts), tuple(spans), tuple(events), tuple(names), tuple(bounds), tuple(ranges),
            frozenset(lengths),
        )  # fmt: skip


def time_unit(column: Column) -> int:
    """How many seconds one is worth in a column that measures time; 0 for others."""
    if column.kind is Kind.SECONDS:
        return 1
    return 86400 if column.kind is Kind.INTEGER and column.name.endswith("_days") else 0


@dataclass(frozen=True)
class Statement:
    """Conditions that rows are held against: a mapping's, or one expression's."""

    expression: exp.Expr
    words: str
    parts: tuple[Condition, ...] = ()
    inside: tuple[Condition, ...] = ()
    """Conditions on single columns inside an expression; they need not all hold."""

    @property
    def asks_for_null(self) -> bool:
        """Whether it can be true or false of a value that is not there."""
        nodes = self.expression.find_all(exp.Is, exp.Coalesce, exp.NullSafeEQ, exp.NullSafeNEQ)
        return next(iter(nodes), None) is not None

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it names."""
        return frozenset(node.name for node in self.expression.find_all(exp.Column))

    @property
    def figures(self) -> Figures:
        """What it states."""
        if self.parts:
            return Figures.of(self.parts)
        # What is compared with a single column has been typed by it; the rest is as it stands.
        others = [
            node
            for node in self.expression.walk(prune=lambda n: bool(n.meta.get(PLACED)))
            if isinstance(node, exp.Literal) and not node.meta.get(PLACED)
        ]
        texts = tuple(str(node.this) for node in others if node.is_string)
        whole = [node for node in others if not node.is_string and str(node.this).isdigit()]
        ends = {id(node): bound for node in whole if (bound := _end(node)) is not None}
        numbers = frozenset(int(node.this) for node in whole if id(node) not in ends)
        return Figures(numbers, texts, names=texts, bounds=tuple(ends.values())) | Figures.of(self.inside)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say beside it."""
        return tuple(note for part in self.parts for note in part.notes)


def _end(node: exp.Literal) -> Bound | None:
    """The bound that a number literal is an end of, where it stands in an inequality."""
    value, parent = int(node.this), node.parent
    if isinstance(parent, exp.Between):
        return Bound(value, None) if parent.args.get("low") is node else Bound(None, value)
    if not isinstance(parent, (exp.GT, exp.GTE, exp.LT, exp.LTE)):
        return None
    low = isinstance(parent, (exp.GT, exp.GTE)) is (parent.expression is node)
    strict = isinstance(parent, (exp.GT, exp.LT))
    return Bound(value, None, above=strict) if low else Bound(None, value, below=strict)


def statement(stated: object, table: Table, zone: str) -> Statement:
    """Conditions as written in ``where``, ``every``, ``none`` or ``some``; ValueProblem if they do not fit."""
    if isinstance(stated, str):
        inside: list[Condition] = []
        expression = boolean_expression(stated, table, zone, inside)
        return Statement(expression, " ".join(stated.split()), inside=tuple(inside))
    if not isinstance(stated, Mapping):
        raise ValueProblem("a mapping of column to value, or one expression, is wanted")
    parts = conditions(table, stated, zone)
    words = " and ".join(f"{part.column.name} {part.words}" for part in parts)
    return Statement(conjunction([part.expression() for part in parts]), words, tuple(parts))


def count_where(test: exp.Expr | None = None) -> exp.Expr:
    """How many rows there are, or for how many a test is true."""
    count: exp.Expr = exp.Count(this=exp.Star())
    if test is None:
        return count
    return exp.Filter(this=count, expression=exp.Where(this=test))


def is_null(node: exp.Expr) -> exp.Expr:
    """Whether an expression is null: undecided."""
    return exp.Is(this=exp.Paren(this=node.copy()), expression=exp.Null())


@dataclass(frozen=True)
class Check(ABC):
    """One assertion of a claim, typed. Subclasses' docstrings are the guide's text.

    ``key`` is its key in the incident file; ``about_size`` marks those that may hold of no row at all,
    because they state how many rows there are; ``as_named`` those that read no columns but what the claim names.
    """

    key: ClassVar[str]
    model: ClassVar[Any]
    example: ClassVar[str]
    about_size: ClassVar[bool] = False
    as_named: ClassVar[bool] = False
    stated: str = field(default="", kw_only=True)
    figures: Figures = field(default_factory=Figures, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    @classmethod
    @abstractmethod
    def compile(cls, stated: Any, context: Context) -> "Check":
        """The typed assertion; ValueProblem with the path to what does not fit."""

    def measures(self) -> dict[str, exp.Expr]:
        """Aggregates over the scope, by name."""
        return {}

    def query(self) -> exp.Query | None:
        """A query of its own over the scope, of one row; its columns join the measures."""
        return None

    def collections(self) -> tuple[str, ...]:
        """Further collections that the judgement rests on."""
        return ()

    def contrary(self) -> exp.Expr | None:
        """Which rows of the scope contradict it, or leave it undecided; None if no single row does."""
        return None

    def asks_for_null(self) -> bool:
        """Whether a value that is not there can itself fulfil or contradict it."""
        return False

    def found(
        self,
        outcome: Outcome,
        observed: str,
        hint: str = "",
        code: str = "",
        would: Sequence[tuple[tuple[str, ...], str]] = (),
    ) -> Finding:
        """A finding of this assertion; ``would``: what would have been right, by paths below its key."""
        values = tuple(((self.key, *path), text) for path, text in would)
        return Finding(self.key, outcome, self.stated, agree(observed), agree(hint), code, would=values)

    @abstractmethod
    def judge(self, measured: Mapping[str, Any]) -> Finding:
        """The finding, from the measures (``n``: rows in scope) and the own query's columns."""
