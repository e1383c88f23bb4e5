"""``revoked``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlglot import exp

from affidavit.check.base import SCOPE, Check, Context, Figures, count_where
from affidavit.check.conditions import Condition, ValueProblem, condition, conjunction
from affidavit.check.hints import other_zone
from affidavit.incident.fields import Value
from affidavit.tables import REVOCATIONS
from affidavit.times import show_time
from affidavit.types import Finding, Outcome


@dataclass(frozen=True)
class Revoked(Check):
    """Each of the claim's certificates is listed as revoked in an authentic CRL of its issuer.

    `revoked: true` says no more than that. A day, an instant or a range says when (the earliest
    revocationDate that any of the CRLs gives); `{at: ..., reason: ...}` also says why. A certificate
    that no CRL at hand lists leaves the claim unproven: another CRL may list it.
    """

    key = "revoked"
    model = Value
    example = "revoked: {from: 2016-08-24, until: 2016-09-05}"
    when: Condition | None
    reason: Condition | None
    collections_: tuple[str, ...]
    zone: str
    zones: tuple[str, ...]

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Revoked":
        if context.table.name != "certificates":
            raise ValueProblem(
                "revoked is about certificates; `table: revocations` reads the CRLs themselves"
            )
        when: object = None
        reason: object = None
        if isinstance(stated, Mapping) and set(stated) & {"at", "reason"}:
            unknown = set(stated) - {"at", "reason"}
            if unknown:
                raise ValueProblem(f"{sorted(unknown)[0]!r} does not belong here", "known: at, reason")
            when, reason = stated.get("at"), stated.get("reason")
        elif stated != "true":
            when = stated
        if when == "false":
            raise ValueProblem(
                "a missing entry proves nothing", "say `revoked: true` with `stands: unproven`"
            )
        made: dict[str, Condition | None] = {"at": None, "reason": None}
        for key, name, value in (("at", "revoked_at", when), ("reason", "reason", reason)):
            column = REVOCATIONS.column(name)
            if value is not None and column is not None:
                try:
                    made[key] = condition(column, value, context.zone)
                except ValueProblem as problem:
                    raise (problem.below(key) if reason is not None else problem) from None
        parts = [part for part in made.values() if part is not None]
        words = "each revoked" + "".join(f", {part.column.name} {part.words}" for part in parts)
        return cls(
            made["at"], made["reason"], context.collections, context.zone, context.other_zones,
            stated=words, figures=Figures.of(parts),
        )  # fmt: skip

    def query(self) -> exp.Query:
        tests: list[exp.Expression] = [
            exp.EQ(this=exp.column(name, "mine"), expression=exp.column(name, "entry"))
            for name in ("serial", "issuer_der_sha256", "issuer_spki_sha256")
        ]
        tests.append(exp.column("authentic", "entry"))
        listed = (
            exp.select(
                exp.column("sha256", "mine"),
                exp.alias_(exp.Min(this=exp.column("revoked_at", "entry")), "revoked_at"),
                exp.alias_(exp.Min(this=exp.column("reason", "entry")), "reason"),
            )
            .from_(exp.to_table(SCOPE, alias="mine"))
            .join(exp.to_table(REVOCATIONS.name, alias="entry"), on=conjunction(tests))
            .group_by(exp.column("sha256", "mine"))
        )
        parts = [p.expression() for p in (self.when, self.reason) if p is not None]
        fits = conjunction(parts) if parts else exp.true()
        null = exp.Is(this=exp.column("revoked_at"), expression=exp.Null())
        return exp.select(
            exp.alias_(count_where(), "listed"),
            exp.alias_(count_where(fits), "fitting"),
            exp.alias_(count_where(null), "nulls"),
            exp.alias_(exp.Min(this=exp.column("revoked_at")), "first"),
            exp.alias_(exp.Max(this=exp.column("revoked_at")), "last"),
        ).from_(listed.subquery("listed"))

    def collections(self) -> tuple[str, ...]:
        return ()

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        n, listed, fitting = (int(measured[k]) for k in ("n", "listed", "fitting"))
        observed = f"{listed:,} of {n:,} listed in the CRLs given"
        first, last = measured["first"], measured["last"]
        if isinstance(first, datetime) and isinstance(last, datetime):
            observed += f", {show_time(first, self.zone)}"
            observed += f" to {show_time(last, self.zone)}" if last != first else ""
        if fitting < listed and not measured["nulls"]:
            hint = f"{listed - fitting:,} entr{'y says' if listed - fitting == 1 else 'ies say'} otherwise"
            if self.when is not None and self.when.operator == "=" and isinstance(first, datetime):
                shifted = other_zone(self.when.values[0].span, first, self.zones)
                hint += f"; {shifted}" if shifted else ""
            return self.found(Outcome.REFUTED, observed, hint, "revoked")
        if listed < n:
            hint = f"{n - listed:,} not listed in any authentic CRL given"
            return self.found(Outcome.UNPROVEN, observed, hint, "not-listed")
        if measured["nulls"]:
            return self.found(Outcome.UNPROVEN, observed, "some entries have no readable date", "null-values")
        return self.found(Outcome.VERIFIED, observed)
