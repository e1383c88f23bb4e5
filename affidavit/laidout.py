"""JSON that people can look through and that thousands of claims do not make slow: broken into lines near its root.

The standard library indents in Python, value by value; what stands on one line its C code writes, twenty times as fast.
"""

import json
from collections.abc import Iterator
from typing import Any


def laid_out(value: Any, levels: int) -> bytes:
    """A value as JSON in ASCII with sorted keys and a line feed at the end.

    Lists and objects fewer than ``levels`` deep are broken into lines, those below stand on one.
    """
    return ("".join(_parts(value, levels, "")) + "\n").encode("ascii")


def _parts(value: Any, levels: int, indent: str) -> Iterator[str]:
    if not levels or not isinstance(value, (dict, list)) or not value:
        yield json.dumps(value, sort_keys=True)
        return
    pairs = sorted(value.items()) if isinstance(value, dict) else [(None, one) for one in value]
    yield "{" if isinstance(value, dict) else "["
    for number, (key, one) in enumerate(pairs):
        yield f"{',' if number else ''}\n{indent} "
        if key is not None:
            yield f"{json.dumps(key)}: "
        yield from _parts(one, levels - 1, f"{indent} ")
    yield f"\n{indent}" + ("}" if isinstance(value, dict) else "]")
