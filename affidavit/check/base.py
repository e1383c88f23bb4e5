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

from affidavit.check.conditions import Condition, ValueProblem, conditions, conjunction
from affidavit.check.expressions import boolean_expression
from affidavit.shown import agree
from affidavit.tables import Kind, Table
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

    ``events`` are those of the stated times at which something is said to have happened; ``names`` those of
    the texts that are words (a CA's name), in which digits are no figures.
    """

    numbers: frozenset[int] = frozenset()
    texts: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    events: tuple[Span, ...] = ()
    names: tuple[str, ...] = ()

    def __or__(self, other: "Figures") -> "Figures":
        return Figures(
            self.numbers | other.numbers,
            self.texts + other.texts,
            self.spans + other.spans,
            self.events + other.events,
            self.names + other.names,
        )

    @classmethod
    def of(cls, found: Sequence[Condition]) -> "Figures":
        """The figures of conditions."""
        numbers: set[int] = set()
        texts: list[str] = []
        spans: list[Span] = []
        events: list[Span] = []
        names: list[str] = []
        for one in found:
            for typed in one.values:
                texts.append(typed.text)
                if one.column.kind in (Kind.TEXT, Kind.TEXTS):
                    names.append(typed.text)
                if isinstance(typed.value, Span):
                    spans.append(typed.value)
                    if one.column.event:
                        events.append(typed.value)
                elif isinstance(typed.value, int) and not isinstance(typed.value, bool):
                    numbers.add(typed.value)
        return cls(frozenset(numbers), tuple(texts), tuple(spans), tuple(events), tuple(names))


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
        texts = tuple(str(node.this) for node in self.expression.find_all(exp.Literal))
        names = tuple(
            str(node.this)
            for node in self.expression.find_all(exp.Literal)
            if node.is_string and not isinstance(node.parent, exp.Cast)
        )
        measured = {t.text for c in self.inside if c.column.kind not in (Kind.TEXT, Kind.TEXTS) for t in c.values}
        names = tuple(name for name in names if name not in measured)
        numbers = frozenset(
            int(node.this)
            for node in self.expression.find_all(exp.Literal)
            if not node.is_string and str(node.this).isdigit()
        )
        return Figures(numbers, (*texts, self.words), names=names) | Figures.of(self.inside)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say beside it."""
        return tuple(note for part in self.parts for note in part.notes)


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
    because they state how many rows there are.
    """

    key: ClassVar[str]
    model: ClassVar[Any]
    example: ClassVar[str]
    about_size: ClassVar[bool] = False
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

    def found(self, outcome: Outcome, observed: str, hint: str = "", code: str = "") -> Finding:
        """A finding of this assertion."""
        return Finding(self.key, outcome, self.stated, agree(observed), agree(hint), code)

    @abstractmethod
    def judge(self, measured: Mapping[str, Any]) -> Finding:
        """The finding, from the measures (``n``: rows in scope) and the own query's columns."""
