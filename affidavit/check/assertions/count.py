"""``count``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affidavit.check.amounts import Amount
from affidavit.check.base import Check, Context, Figures
from affidavit.check.conditions import ValueProblem
from affidavit.incident.fields import AmountField
from affidavit.types import Finding, Outcome


@dataclass(frozen=True)
class Count(Check):
    """How many certificates (rows of the table) the claim is about.

    Copies of one certificate count once, and precertificates only where `kind:` asks for them.
    `count: 0` needs rows that were looked at.
    """

    as_named = True
    key = "count"
    model = AmountField
    example = "count: 313"
    about_size = True
    amount: Amount

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Count":
        try:
            amount = Amount.parse(stated)
        except ValueError as error:
            raise ValueProblem(str(error)) from None
        return cls(amount, stated=amount.words(), figures=Figures.of_amounts([amount]))

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        number = int(measured["n"])
        if self.amount.holds(number):
            return self.found(Outcome.VERIFIED, f"{number:,}")
        return self.found(Outcome.REFUTED, f"{number:,}", self.amount.off_by(number), "count",
                          self.amount.right(number))  # fmt: skip
