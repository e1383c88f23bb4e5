"""Stated amounts: ``313``, ``at least 3``, ``between 3 and 5``."""

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"-?\d{1,18}|-?\d{1,3}(,\d{3}){1,5}")


def parse_number(text: str) -> int:
    """A whole number, thousands separated by commas or not; ValueError else."""
    bare = text.strip()
    if not _NUMBER.fullmatch(bare):
        raise ValueError(f"{text!r} is no whole number")
    return int(bare.replace(",", ""))


@dataclass(frozen=True, slots=True)
class Amount:
    """A stated number, or a range of which either end may be open (both ends included)."""

    low: int | None
    high: int | None

    @classmethod
    def parse(cls, stated: object) -> "Amount":
        """From text or from ``{at_least:, at_most:}``; ValueError says what is wrong."""
        if isinstance(stated, str):
            number = parse_number(stated)
            return cls(number, number)
        low = getattr(stated, "at_least", None)
        high = getattr(stated, "at_most", None)
        if low is None and high is None:
            raise ValueError("write a number, or at_least / at_most")
        amount = cls(parse_number(low) if low is not None else None, parse_number(high) if high is not None else None)
        if amount.low is not None and amount.high is not None and amount.low > amount.high:
            raise ValueError(f"at_least {amount.low} is more than at_most {amount.high}")
        return amount

    def holds(self, number: int) -> bool:
        """Whether a number is within."""
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)

    @property
    def exact(self) -> int | None:
        """The number, where just one is stated."""
        return self.low if self.low == self.high else None

    @property
    def numbers(self) -> list[int]:
        """The numbers that were stated."""
        return sorted({n for n in (self.low, self.high) if n is not None})

    def words(self) -> str:
        """As people say it."""
        if self.exact is not None:
            return f"{self.exact:,}"
        parts = []
        if self.low is not None:
            parts.append(f"at least {self.low:,}")
        if self.high is not None:
            parts.append(f"at most {self.high:,}")
        return " and ".join(parts)

    def right(self, number: int) -> list[tuple[tuple[str, ...], str]]:
        """What should be written where a number misses it: by path below the amount, as YAML text."""
        if self.exact is not None:
            return [((), str(number))]
        if self.low is not None and number < self.low:
            return [(("at_least",), str(number))]
        return [(("at_most",), str(number))] if self.high is not None and number > self.high else []

    def off_by(self, number: int) -> str:
        """By how much a number misses, in words; empty where it does not."""
        if self.holds(number):
            return ""
        if self.low is not None and number < self.low:
            return f"{self.low - number:,} fewer than stated" + self._slip(number)
        assert self.high is not None
        return f"{number - self.high:,} more than stated" + self._slip(number)

    def _slip(self, number: int) -> str:
        """What slip of the pen makes the one number of the other, in words; empty where none does."""
        if self.exact is None or min(number, self.exact) < 1:
            return ""
        stated, found = str(self.exact), str(number)
        if found.rstrip("0") == stated.rstrip("0"):
            zeros = len(found) - len(stated)
            what = "a zero was" if abs(zeros) == 1 else f"{abs(zeros)} zeros were"
            return f": {what} {'dropped' if zeros > 0 else 'added'}"
        if len(stated) > 1 and sorted(stated) == sorted(found):
            return ": two digits were exchanged" if sum(map(str.__ne__, stated, found)) == 2 else ""
        if len(found) == len(stated) + 1 and any(stated == found[:i] + found[i + 1 :] for i in range(len(found))):
            return ": a digit was dropped" if len(stated) > 1 else ""
        return ""
