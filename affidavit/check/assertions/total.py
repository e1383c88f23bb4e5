"""``total``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from affidavit.check.base import Check, Context
from affidavit.check.conditions import ValueProblem
from affidavit.check.scope import Union
from affidavit.incident.fields import Slug
from affidavit.types import Finding, Outcome


@dataclass(frozen=True)
class Total(Check):
    """The rows of other claims together, which must not overlap.

    The claim's other assertions (`count` above all) then speak of all of them; it needs no `over`.
    A certificate that stands in two parts refutes it: parts that overlap do not add up.
    """

    key = "total"
    model = list[Slug]
    example = "total: [same-serial, same-serial-chinese]"
    about_size = True
    whole: Union

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Total":
        if len(stated) < 2:
            raise ValueProblem("a total has at least two parts")
        if len(set(stated)) != len(stated):
            raise ValueProblem("a part is named twice")
        assert context.part is not None
        scopes = []
        for index, name in enumerate(stated):
            try:
                scopes.append(context.part(name))
            except ValueProblem as problem:
                raise problem.below(index) from None
        if len({scope.table.name for scope in scopes}) != 1:
            raise ValueProblem("the parts are about different tables and cannot be added up")
        return cls(Union(tuple(scopes)), stated="the parts do not overlap: " + ", ".join(stated))

    def query(self) -> exp.Query:
        return self.whole.rows_of_parts()

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        n, parts = int(measured["n"]), int(measured["rows_of_parts"])
        observed = f"{parts:,} in the parts, {n:,} different"
        if parts != n:
            return self.found(
                Outcome.REFUTED,
                observed,
                f"{parts - n:,} too many: what stands in several parts is counted in each",
                "overlap",
            )
        if not n:
            return self.found(Outcome.UNPROVEN, observed, "no part has any row", "empty-scope")
        return self.found(Outcome.VERIFIED, observed)
