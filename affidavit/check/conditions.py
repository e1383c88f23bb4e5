"""Stated values, typed by the column that they are held against, and turned into expressions.

The value grammar (docs/guide.md): ``X``; ``[X, Y]``; ``{from:, until:}``; ``{after:, before:}``;
``{at_least:, at_most:}``; ``{not:}``; ``{contains:}``; ``{like:}``; ``absent`` and ``present``.
A null never satisfies and never fails a condition: it leaves it undecided, and the one place that
judges (judge.py) turns that into ``unproven``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from sqlglot import exp

from affidavit.check.amounts import parse_number
from affidavit.serials import clean_hex, parse_serial, show_serial, written_short
from affidavit.tables import Column, Kind, Table
from affidavit.times import Span, parse_duration, parse_time
from affidavit.types import did_you_mean, nearest

ABSENT, PRESENT = "absent", "present"
RANGE_KEYS = ("from", "until", "after", "before", "at_least", "at_most", "not", "contains", "like")


class ValueProblem(ValueError):
    """A stated value does not fit its column; ``path`` leads to it below the stated mapping."""

    def __init__(self, message: str, hint: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        self.path = path

    def below(self, *steps: str | int) -> "ValueProblem":
        """The same problem seen from further up."""
        return ValueProblem(str(self), self.hint, (*steps, *self.path))


@dataclass(frozen=True, slots=True)
class Typed:
    """One stated value: as written, and as the column's type."""

    text: str
    value: object
    notes: tuple[str, ...] = ()

    @property
    def span(self) -> Span:
        """The value as a stated time; TypeError if it is none."""
        if not isinstance(self.value, Span):
            raise TypeError(f"{self.text!r} is no time")
        return self.value


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one column; ``test`` makes the boolean expression over that column."""

    column: Column
    words: str
    values: tuple[Typed, ...]
    test: Callable[[exp.Expression], exp.Expression]
    operator: str = "="

    def expression(self) -> exp.Expression:
        """The condition as an expression over its column."""
        return self.test(exp.column(self.column.name))

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say beside it, for instance that a serial number was written with a zero dropped."""
        return tuple(note for value in self.values for note in value.notes)


def timestamp(moment: datetime) -> exp.Expression:
    """A UTC time as a literal of the engine's timestamp type."""
    text = f"{moment.year:04d}-{moment:%m-%d %H:%M:%S.%f}".removesuffix(".000000")
    return exp.cast(exp.Literal.string(text), exp.DataType.Type.TIMESTAMP)


def literal(value: object) -> exp.Expression:
    """A typed value as a literal expression."""
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int):
        return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))
    if isinstance(value, datetime):
        return timestamp(value)
    return exp.Literal.string(str(value))


def type_value(column: Column, text: object, zone: str) -> Typed:
    """A stated scalar typed by its column; ValueProblem says what was wanted.

    ``zone`` is the zone of a bare day.
    """
    if not isinstance(text, str):
        raise ValueProblem(f"one value is wanted for {column.name}")
    try:
        match column.kind:
            case Kind.SERIAL:
                number = parse_serial(text)
                short = written_short(text)
                digits = len(clean_hex(text).lstrip("-"))
                note = (
                    f"the serial number is written with {digits} hex digits, a leading zero dropped: "
                    f"{text} stands for {show_serial(number)}"
                )
                return Typed(text, show_serial(number), (note,) if short else ())
            case Kind.HEX:
                bare = clean_hex(text).lower()
                if not bare or any(c not in "0123456789abcdef" for c in bare):
                    raise ValueProblem(f"{text!r} is not hexadecimal, as {column.name} is")
                if "sha256" in column.name and len(bare) != 64:
                    raise ValueProblem(f"{text!r} has {len(bare)} hex digits; a SHA-256 has 64")
                return Typed(text, bare)
            case Kind.INTEGER:
                return Typed(text, parse_number(text))
            case Kind.SECONDS:
                return Typed(text, int(text) if text.isdigit() else parse_duration(text))
            case Kind.BOOLEAN:
                if text.lower() not in ("true", "false"):
                    raise ValueProblem(f"{column.name} is true or false, not {text!r}")
                return Typed(text, text.lower() == "true")
            case Kind.TIME:
                span = parse_time(text, zone)
                return Typed(text, span)
            case _:
                return Typed(text, text)
    except ValueProblem:
        raise
    except ValueError as error:
        raise ValueProblem(f"{column.name}: {error}") from None


def conjunction(parts: list[exp.Expression]) -> exp.Expression:
    """All of the parts; each in parentheses."""
    if not parts:
        raise ValueError("an empty conjunction holds of everything")
    wrapped: list[exp.Expression] = [exp.Paren(this=p) if isinstance(p, exp.Or) else p for p in parts]
    return reduce(lambda a, b: exp.And(this=a, expression=b), wrapped)


def disjunction(parts: list[exp.Expression]) -> exp.Expression:
    """Any of the parts."""
    return reduce(lambda a, b: exp.Or(this=a, expression=b), parts)


def _equals(column: Column, typed: Typed) -> Callable[[exp.Expression], exp.Expression]:
    value = typed.value
    if isinstance(value, Span):
        return lambda c: conjunction(
            [
                exp.GTE(this=c.copy(), expression=timestamp(value.start)),
                exp.LT(this=c.copy(), expression=timestamp(value.end)),
            ]
        )
    if column.kind is Kind.TEXTS:
        return _same_set([typed])
    return lambda c: exp.EQ(this=c.copy(), expression=literal(value))


def _same_set(values: list[Typed]) -> Callable[[exp.Expression], exp.Expression]:
    wanted = [literal(text) for text in sorted({str(v.value) for v in values})]

    def test(c: exp.Expression) -> exp.Expression:
        have = exp.func("list_sort", exp.func("list_distinct", c.copy()))
        return exp.EQ(this=have, expression=exp.Array(expressions=[w.copy() for w in wanted]))

    return test


def _bound(column: Column, key: str, typed: Typed) -> Callable[[exp.Expression], exp.Expression]:
    """One end of a range. An inclusive end takes in all of the day, minute or second that it names."""
    value = typed.value
    if isinstance(value, Span):
        wide = value.precision == "day"
        ends = {
            "from": (exp.GTE, value.start),
            "until": (exp.LT, value.end),
            "after": (exp.GTE, value.end) if wide else (exp.GT, value.start),
            "before": (exp.LT, value.start),
        }
        node, moment = ends[key]
        return lambda c: node(this=c.copy(), expression=timestamp(moment))
    nodes = {
        "from": exp.GTE,
        "at_least": exp.GTE,
        "until": exp.LTE,
        "at_most": exp.LTE,
        "after": exp.GT,
        "before": exp.LT,
    }
    return lambda c: nodes[key](this=c.copy(), expression=literal(value))


def _mapping(column: Column, stated: Mapping[str, object], zone: str) -> Condition:
    words, values, tests = [], [], []
    for key, raw in stated.items():
        if key not in RANGE_KEYS:
            raise ValueProblem(f"{key!r} is no part of a value", did_you_mean(key, RANGE_KEYS), (key,))
        if key == "contains":
            if column.kind is not Kind.TEXTS:
                raise ValueProblem(f"{column.name} is no list: 'contains' does not apply", "use like", (key,))
            typed = Typed(str(raw), raw)
            values.append(typed)
            tests.append(lambda c, t=typed: exp.ArrayContains(this=c.copy(), expression=literal(t.value)))
            words.append(f"contains {raw}")
            continue
        if key == "like":
            if column.kind not in (Kind.TEXT, Kind.HEX, Kind.SERIAL):
                raise ValueProblem(f"'like' is for text, and {column.name} is a {column.kind}", "", (key,))
            typed = Typed(str(raw), raw)
            values.append(typed)
            tests.append(lambda c, t=typed: exp.Like(this=c.copy(), expression=literal(t.value)))
            words.append(f"like {raw}")
            continue
        if key == "not":
            inner = condition(column, raw, zone)
            values.extend(inner.values)
            tests.append(lambda c, i=inner: exp.Not(this=exp.Paren(this=i.test(c))))
            words.append(f"not {inner.words.removeprefix('= ')}")
            continue
        if column.kind not in (Kind.TIME, Kind.INTEGER, Kind.SECONDS):
            raise ValueProblem(f"{column.name} is a {column.kind}: {key!r} does not apply", "", (key,))
        if (key in ("at_least", "at_most")) is (column.kind is Kind.TIME):
            better = "from / until / after / before" if column.kind is Kind.TIME else "at_least / at_most"
            if column.kind is Kind.TIME:
                raise ValueProblem(f"{column.name} is a time: write {better}", "", (key,))
        try:
            typed = type_value(column, raw, zone)
        except ValueProblem as problem:
            raise problem.below(key) from None
        values.append(typed)
        tests.append(_bound(column, key, typed))
        words.append(f"{key.replace('_', ' ')} {raw}")
    if not tests:
        raise ValueProblem("an empty mapping states nothing")
    made = tuple(tests)
    return Condition(
        column,
        " ".join(words),
        tuple(values),
        lambda c: conjunction([test(c) for test in made]),
        "range",
    )


def condition(column: Column, stated: object, zone: str) -> Condition:
    """The condition that a stated value of the grammar sets on a column."""
    if stated is None:
        raise ValueProblem(f"{column.name} has no value here", "write a value, or `absent`")
    if isinstance(stated, Mapping):
        return _mapping(column, stated, zone)
    if isinstance(stated, list):
        if not stated:
            raise ValueProblem(f"an empty list states nothing about {column.name}")
        values = []
        for index, item in enumerate(stated):
            try:
                values.append(type_value(column, item, zone))
            except ValueProblem as problem:
                raise problem.below(index) from None
        if column.kind is Kind.TEXTS:
            words = "exactly " + ", ".join(value.text for value in values)
            return Condition(column, words, tuple(values), _same_set(values))
        tests = [_equals(column, value) for value in values]
        words = "one of " + ", ".join(value.text for value in values)
        return Condition(column, words, tuple(values), lambda c: disjunction([t(c) for t in tests]), "in")
    if stated == ABSENT and column.kind is not Kind.TEXTS:
        return Condition(column, ABSENT, (), lambda c: exp.Is(this=c.copy(), expression=exp.Null()), ABSENT)
    if stated == PRESENT and column.kind is not Kind.TEXTS:
        return Condition(
            column,
            PRESENT,
            (),
            lambda c: exp.Not(this=exp.Is(this=c.copy(), expression=exp.Null())),
            PRESENT,
        )
    if stated in (ABSENT, PRESENT):
        node = exp.EQ if stated == ABSENT else exp.GT
        return Condition(
            column,
            str(stated),
            (),
            lambda c: node(this=exp.func("len", c.copy()), expression=exp.Literal.number(0)),
            str(stated),
        )
    typed = type_value(column, stated, zone)
    return Condition(column, f"= {typed.text}", (typed,), _equals(column, typed))


def find_column(table: Table, name: str) -> Column:
    """A table's column by name; ValueProblem offers the nearest names."""
    column = table.column(name)
    if column is None:
        close = nearest(name, table.names)
        hint = (
            "did you mean " + " or ".join(repr(n) for n in close) + "?"
            if close
            else f"docs/tables.md lists the columns of {table.name}"
        )
        raise ValueProblem(f"the table {table.name} has no column {name!r}", hint)
    return column


def conditions(table: Table, stated: Mapping[str, object], zone: str) -> list[Condition]:
    """The conditions of a mapping of column to value; ValueProblem leads to what is wrong."""
    found = []
    for name, value in stated.items():
        try:
            found.append(condition(find_column(table, name), value, zone))
        except ValueProblem as problem:
            raise problem.below(name) from None
    if not found:
        raise ValueProblem("an empty mapping states nothing")
    return found
