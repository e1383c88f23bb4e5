"""Values as JSON and back, exactly: tuples, times and the domain's own types included.

A value that JSON has no form for is written as a list that begins with the name of its kind. What does not read back as
the very same is refused, so that nothing kept between runs can differ from what was found out.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from affidavit import types

_OURS: dict[str, type] = {
    one.__name__: one
    for one in (
        types.Basis,
        types.Counts,
        types.Declaration,
        types.Finding,
        types.Outcome,
        types.Pos,
        types.Position,
        types.Quoted,
        types.Verdict,
    )
}
_NAMES = {one: name for name, one in _OURS.items()}
_PLAIN = (str, int, float, bool, type(None))


def pack(value: Any) -> Any:
    """A value in the forms of JSON; TypeError for one of another type."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return [kind.__name__, *map(pack, value)]
    if kind in _NAMES:
        parts = [getattr(value, f.name) for f in fields(value)] if is_dataclass(value) else [str(value)]
        return [_NAMES[kind], *map(pack, parts)]
    if kind is datetime or kind is date:
        return [kind.__name__, value.isoformat()]
    if kind is bytes:
        return ["bytes", value.hex()]
    if kind is Fraction:
        return ["Fraction", value.numerator, value.denominator]
    if isinstance(value, Mapping):
        return ["dict", *(part for pair in value.items() for part in map(pack, pair))]
    raise TypeError(f"a {kind.__name__} cannot be kept")


def unpack(packed: Any) -> Any:
    """The value that was packed; ValueError or TypeError where it is none."""
    if not isinstance(packed, list):
        return packed
    if not packed:
        raise ValueError("a list without a kind")
    kind, *parts = packed
    make = _KINDS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise ValueError(f"there is no kind {kind!r}")
    return make([unpack(part) for part in parts])


def _ours(kind: type) -> Callable[[list[Any]], Any]:
    return lambda parts: kind(*parts)


_KINDS: dict[str, Callable[[list[Any]], Any]] = {name: _ours(kind) for name, kind in _OURS.items()} | {
    "tuple": tuple,
    "list": list,
    "dict": lambda parts: dict(zip(parts[::2], parts[1::2], strict=True)),
    "datetime": lambda parts: datetime.fromisoformat(parts[0]),
    "date": lambda parts: date.fromisoformat(parts[0]),
    "bytes": lambda parts: bytes.fromhex(parts[0]),
    "Fraction": lambda parts: Fraction(*parts),
}
