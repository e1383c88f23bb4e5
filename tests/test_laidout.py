"""JSON broken into lines near its root."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affidavit.laidout import laid_out

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(values, st.integers(0, 4))
def test_it_says_the_same_whatever_its_lines(value: Any, levels: int) -> None:
    assert json.loads(laid_out(value, levels)) == value


@given(values)
def test_with_all_levels_it_is_what_the_library_indents(value: Any) -> None:
    assert laid_out(value, 100) == (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        (0, '{"a": [1, {}], "b": "\\u00e9"}\n'),
        (1, '{\n "a": [1, {}],\n "b": "\\u00e9"\n}\n'),
        (2, '{\n "a": [\n  1,\n  {}\n ],\n "b": "\\u00e9"\n}\n'),
    ],
)
def test_what_lies_deeper_stands_on_one_line(levels: int, text: str) -> None:
    assert laid_out({"b": "é", "a": [1, {}]}, levels).decode() == text
