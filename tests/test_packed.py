"""Values packed as JSON come back as the very same, or are refused."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affidavit.packed import pack, unpack
from affidavit.types import Basis, Counts, Declaration, Finding, Outcome, Pos, Position, Verdict

VERDICT = Verdict(
    "a",
    Outcome.REFUTED,
    Position.FALSE,
    (Finding("count", Outcome.REFUTED, "3", "4", "hint", "code", Pos("f", 3, 4), ((("count",), "4"),)),),
    Basis("declared complete", "words", (Declaration("c", "all", "2016-01-01", "2016-01-31", "export", "CA"),)),
    Counts(4, 5, 1, excused=2),
    ({"serial": "0A", "not_before": datetime(2016, 1, 2, 3), "names": ["a", "b"], "authentic": None},),
    ("ab" * 32,),
    ("a note",),
    "count-differs",
)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
values = st.recursive(
    plain | st.dates() | st.datetimes() | st.sampled_from([*Outcome, *Position]),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def again(value: Any) -> Any:
    return unpack(json.loads(json.dumps(pack(value))))


def alike(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down: to Python 1 and True are equal."""
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, list | tuple):
        return all(map(alike, one, other))
    return not isinstance(one, dict) or all(map(alike, one.values(), other.values()))


def test_a_verdict_comes_back_whole() -> None:
    assert again(VERDICT) == VERDICT


@given(values)
def test_any_value_comes_back_as_it_was(value: Any) -> None:
    assert alike(again(value), value)


def test_a_time_keeps_its_zone() -> None:
    assert again(datetime(2016, 1, 2, tzinfo=UTC)).tzinfo is not None
    assert again(datetime(2016, 1, 2)).tzinfo is None
    assert again(date(2016, 1, 2)) == date(2016, 1, 2)


@pytest.mark.parametrize("value", [Decimal(1), {1, 2}, object(), [Decimal(1)], {"a": frozenset()}])
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        pack(value)


@pytest.mark.parametrize("packed", [[], ["nothing"], [1], ["Pos"], ["dict", 1], ["datetime", "no"], [["list"]]])
def test_what_was_never_packed_is_refused(packed: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        unpack(packed)
