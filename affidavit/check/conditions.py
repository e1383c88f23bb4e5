"""Stated values, typed by the column that they are held against, and turned into expressions.

The value grammar (docs/guide.md): ``X``; ``[X, Y]``; ``{from:, until:}``; ``{after:, before:}``;
``{at_least:, at_most:}``; ``{not:}``; ``{contains:}``; ``{like:}``; ``absent`` and ``present``.
A null never satisfies and never fails a condition: it leaves it undecided, and the one place that
judges (judge.py) turns that into ``unproven``.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlglot import exp

from affidavit.check import othernames
from affidavit.check.amounts import parse_number
from affidavit.check.lists import as_set, entry_of, folded
from affidavit.check.words import known_words
from affidavit.serials import clean_hex, parse_serial, show_serial, written_short
from affidavit.tables import Column, Kind, Table
from affidavit.times import WEEKDAYS, Span, parse_duration, parse_time
from affidavit.types import did_you_mean

ABSENT, PRESENT = "absent", "present"
PLACED = "placed"
"""Mark of the part of a parsed expression whose literal has been typed by its column."""
RANGE_KEYS = ("from", "until", "after", "before", "at_least", "at_most", "not", "contains", "like")


_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_HEX_PATTERN = re.compile(r"[0-9A-F%_-]+")


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
    test: Callable[[exp.Expr], exp.Expr]
    operator: str = "="
    limits: tuple[tuple[str, Typed], ...] = ()
    """Of a range: its ends, each under its key; they are among the values."""

    def expression(self) -> exp.Expr:
        """The condition as an expression over its column."""
        return self.test(exp.column(self.column.name))

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say beside it, for instance that a serial number was written with a zero dropped."""
        return tuple(note for value in self.values for note in value.notes)


def timestamp(moment: datetime) -> exp.Expr:
    """A UTC time as a literal of the engine's timestamp type."""
    text = f"{moment.year:04d}-{moment:%m-%d %H:%M:%S.%f}".removesuffix(".000000")
    return exp.cast(exp.Literal.string(text), exp.DataType.Type.TIMESTAMP)


def real_weekday(span: Span) -> Span:
    """A stated time whose weekday, where one is stated, is the calendar's; ValueProblem else."""
    actual = WEEKDAYS[span.local_day.weekday()]
    if span.weekday and span.weekday != actual:
        raise ValueProblem(f"{span.local_day} is a {actual}, not a {span.weekday}", f"write {actual} {span.local_day}")
    return span


def literal(value: object) -> exp.Expr:
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
                if len(bare) % 2:
                    raise ValueProblem(f"{text!r} has an odd number of hex digits: half an octet is missing")
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
                return Typed(text, real_weekday(parse_time(text, zone)))
            case _:
                return Typed(text, _known(column, text))
    except ValueProblem:
        raise
    except ValueError as error:
        raise ValueProblem(f"{column.name}: {error}") from None


def _known(column: Column, text: str) -> str:
    """A text value; ValueProblem where the column only ever holds certain words, and this is none of them.

    A misspelt word would be found nowhere, and "none" would then hold of nothing.
    """
    words = known_words(column)
    if words is None and column.name.endswith("_oids") and not _OID.fullmatch(text):
        raise ValueProblem(f"{text!r} is no OID, and {column.name} holds nothing else", "2.23.140.1.2.2")
    if words is None or text in words.names or (words.oids and _OID.fullmatch(text)):
        return text
    raise ValueProblem(f"{column.name} is never {text!r}", did_you_mean(text, words.names))


def conjunction(parts: Sequence[exp.Expr]) -> exp.Expr:
    """All of the parts; each in parentheses."""
    if not parts:
        raise ValueError("an empty conjunction holds of everything")
    wrapped: list[exp.Expr] = [exp.Paren(this=p) if isinstance(p, exp.Or) else p for p in parts]
    return reduce(lambda a, b: exp.And(this=a, expression=b), wrapped)


def disjunction(parts: Sequence[exp.Expr]) -> exp.Expr:
    """Any of the parts."""
    return reduce(lambda a, b: exp.Or(this=a, expression=b), parts)


def _equals(column: Column, typed: Typed) -> Callable[[exp.Expr], exp.Expr]:
    value = typed.value
    if isinstance(value, Span):
        return lambda c: conjunction(
            [
                exp.GTE(this=c.copy(), expression=timestamp(value.start)),
                exp.LT(this=c.copy(), expression=timestamp(value.end)),
            ]
        )
    if column.kind is Kind.TEXTS:
        return _same_set(column, [typed])
    if column.kind is Kind.TEXT and isinstance(value, str) and not value.isascii():
        # Two encodings of one accented letter look alike: neither may hide the other.
        plain = unicodedata.normalize("NFC", value)
        return lambda c: exp.EQ(this=exp.func("nfc_normalize", c.copy()), expression=literal(plain))
    return lambda c: exp.EQ(this=c.copy(), expression=literal(value))


def _same_set(column: Column, values: list[Typed]) -> Callable[[exp.Expr], exp.Expr]:
    wanted = [literal(text) for text in sorted({entry_of(column, str(v.value)) for v in values})]

    def test(c: exp.Expr) -> exp.Expr:
        have = as_set(column, c)
        return exp.EQ(this=have, expression=exp.Array(expressions=[w.copy() for w in wanted]))

    return test


def _bound(key: str, typed: Typed) -> Callable[[exp.Expr], exp.Expr]:
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


def _like(column: Column, raw: object) -> Callable[[exp.Expr], exp.Expr]:
    """A pattern on a text column; on hex ones as blind to case, colons and a dropped zero as equality is."""
    if not isinstance(raw, str) or not raw:
        raise ValueProblem("one pattern is wanted")
    if column.kind is Kind.TEXT:
        return lambda c: _matches(c.copy(), raw)
    if column.kind is Kind.TEXTS:
        # One entry at least; a list that was not read leaves it open.
        entry = exp.Lambda(
            this=_matches(exp.to_identifier("entry"), entry_of(column, raw)),
            expressions=[exp.to_identifier("entry")],
            colon=True,
        )
        return lambda c: exp.GT(
            this=exp.Anonymous(this="len", expressions=[
                exp.Anonymous(this="list_filter", expressions=[folded(column, c), entry.copy()])
            ]),
            expression=exp.Literal.number(0),
        )  # fmt: skip
    pattern = re.sub(r"[:\s]", "", raw).upper().removeprefix("0X")
    if not _HEX_PATTERN.fullmatch(pattern):
        raise ValueProblem(f"{raw!r} holds what is no hex digit, and {column.name} is hexadecimal")
    patterns = [pattern] if column.kind is Kind.SERIAL else [pattern.lower()]
    if column.kind is Kind.SERIAL and (short := re.fullmatch(r"(-?)(?:00)*([1-9A-F].*)", pattern)):
        patterns += [short[1] + short[2], f"{short[1]}0{short[2]}"]
    return lambda c: exp.Paren(this=disjunction([exp.Like(this=c.copy(), expression=literal(one)) for one in patterns]))


def _matches(node: exp.Expr, pattern: str) -> exp.Expr:
    """``LIKE``; a backslash makes the character behind it stand for itself, and letters are composed (`_equals`)."""
    if not pattern.isascii():
        node, pattern = exp.func("nfc_normalize", node), unicodedata.normalize("NFC", pattern)
    like = exp.Like(this=node, expression=literal(pattern))
    return exp.Escape(this=like, expression=literal("\\")) if "\\" in pattern else like


def _possible(column: Column, limits: Mapping[str, Typed]) -> None:
    """ValueProblem for a range that nothing can lie in: "none is in it" would hold of anything."""
    lows: list[tuple[Any, bool]] = []
    highs: list[tuple[Any, bool]] = []
    for key, typed in limits.items():
        value: Any = typed.value
        low = key in ("from", "after", "at_least")
        strict = key in ("after", "before")
        if isinstance(value, Span):
            whole_day = key == "after" and value.is_day
            moment = value.end if whole_day or key == "until" else value.start
            (lows if low else highs).append((moment, not whole_day and strict if low else True))
        else:
            (lows if low else highs).append((value, strict))
    for low_value, above in lows:
        for high_value, below in highs:
            if low_value > high_value or (low_value == high_value and (above or below)):
                raise ValueProblem(f"nothing lies in this range of {column.name}: its end comes before its beginning")


def _mapping(column: Column, stated: Mapping[str, object], zone: str) -> Condition:
    words: list[str] = []
    values: list[Typed] = []
    tests: list[Callable[[exp.Expr], exp.Expr]] = []
    limits: dict[str, Typed] = {}
    for key, raw in stated.items():
        if key not in RANGE_KEYS:
            raise ValueProblem(f"{key!r} is no part of a value", did_you_mean(key, RANGE_KEYS), (key,))
        if key == "contains":
            if column.kind is not Kind.TEXTS:
                raise ValueProblem(f"{column.name} is no list: 'contains' does not apply", "use like", (key,))
            try:
                typed = type_value(column, raw, zone)
            except ValueProblem as problem:
                raise problem.below(key) from None
            entry = entry_of(column, typed.text)
            values.append(typed)
            tests.append(
                lambda c, e=entry: exp.ArrayContains(this=folded(column, c), expression=literal(e))  # type: ignore[misc]
            )
            words.append(f"contains {raw}")
            continue
        if key == "like":
            if column.kind not in (Kind.TEXT, Kind.TEXTS, Kind.HEX, Kind.SERIAL):
                raise ValueProblem(f"'like' is for text, and {column.name} is a {column.kind}", "", (key,))
            try:
                tests.append(_like(column, raw))
            except ValueProblem as problem:
                raise problem.below(key) from None
            values.append(Typed(str(raw), raw))
            words.append(f"like {raw}")
            continue
        if key == "not":
            try:
                inner = condition(column, raw, zone)
            except ValueProblem as problem:
                raise problem.below(key) from None
            # What is denied is not stated: its values are no figures of the claim.
            tests.append(lambda c, i=inner: exp.Not(this=exp.Paren(this=i.test(c))))  # type: ignore[misc]
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
        limits[key] = typed
        tests.append(_bound(key, typed))
        words.append(f"{key.replace('_', ' ')} {raw}")
    if not tests:
        raise ValueProblem("an empty mapping states nothing")
    _possible(column, limits)
    made = tuple(tests)
    return Condition(
        column,
        " ".join(words),
        tuple(values),
        lambda c: conjunction([test(c) for test in made]),
        "range",
        tuple(limits.items()),
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
            return Condition(column, words, tuple(values), _same_set(column, values))
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
        raise ValueProblem(f"the table {table.name} has no column {name!r}", othernames.hint(table, name))
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
