"""What was found in texts, kept by the text: most of a report's words stay the same, and are asked for again and again.

What is found must be a function of the text alone. The memory is bounded, and may be handed on to a later run of the
same program (kept.py).
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Generic, TypeVar

MOST_TEXTS = 4_096
LONGEST = 20_000
"""Characters of the longest text that is remembered."""
Found = TypeVar("Found")


class Seen(Generic[Found]):
    """Findings by text: ``find`` makes them, ``pack`` and ``unpack`` turn them into JSON's forms and back."""

    def __init__(
        self, find: Callable[[str], Found], pack: Callable[[Found], Any], unpack: Callable[[Any], Found]
    ) -> None:
        self._find, self._pack, self._unpack = find, pack, unpack
        self._found: dict[str, Found] = {}
        self._asked: set[str] = set()
        self._earlier: Mapping[str, Any] = {}

    def __call__(self, text: str) -> Found:
        """What is found in a text."""
        if text not in self._found:
            found = self._recalled(text)
            if len(text) > LONGEST:
                return found
            if len(self._found) >= MOST_TEXTS:
                self._found.clear()
                self._asked.clear()
            self._found[text] = found
        self._asked.add(text)
        return self._found[text]

    def _recalled(self, text: str) -> Found:
        try:
            return self._unpack(self._earlier[key_of(text)])
        except (KeyError, TypeError, ValueError):
            return self._find(text)

    def begin(self, earlier: Mapping[str, Any]) -> None:
        """Note what is asked for from now on; ``earlier``: what `noted` gave at the end of another run."""
        self._earlier, self._asked = earlier, set()

    def noted(self) -> dict[str, Any]:
        """What was found in the texts that have been asked for since, packed, by `key_of` each."""
        return {key_of(text): self._pack(self._found[text]) for text in sorted(self._asked)}


def key_of(text: str) -> str:
    """What a text is known by outside the process."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
