"""``revoked``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlglot import exp

from affidavit.check.base import SCOPE, Check, Context, Figures, count_where
from affidavit.check.conditions import (
    Condition,
    ValueProblem,
    condition,
    conjunction,
    disjunction,
    literal,
)
from affidavit.check.hints import other_zone
from affidavit.incident.fields import Value
from affidavit.tables import REVOCATIONS
from affidavit.times import show_time
from affidavit.types import Finding, Outcome


@dataclass(frozen=True)
class Revoked(Check):
    """Each of the claim's certificates is listed as revoked in an authentic CRL of its issuer.

    `revoked: true` says no more than that. A day, an instant or a range says when (its revocationDate);
    `{at: ..., reason: ...}` also says why. A certificate that no CRL at hand lists leaves the claim unproven:
    another CRL may list it. So does one of which the CRLs say different things, if not all of them fit, and one
    that was on hold and that a later full CRL of its issuer no longer lists.
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
            raise ValueProblem("revoked is about certificates; `table: revocations` reads the CRLs themselves")
        when: object = None
        reason: object = None
        if isinstance(stated, Mapping) and set(stated) & {"at", "reason"}:
            unknown = set(stated) - {"at", "reason"}
            if unknown:
                raise ValueProblem(f"{sorted(unknown)[0]!r} does not belong here", "known: at, reason")
            for key in stated:
                if stated[key] is None:
                    raise ValueProblem(f"{key!r} has no value", path=(key,))
            when, reason = stated.get("at"), stated.get("reason")
        elif stated != "true":
            when = stated
        if when == "false":
            raise ValueProblem("a missing entry proves nothing", "say `revoked: true` with `stands: unproven`")
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
        tests: list[exp.Expr] = [
            exp.EQ(this=exp.column(name, "mine"), expression=exp.column(name, "entry"))
            for name in ("serial", "issuer_der_sha256", "issuer_spki_sha256")
        ]
        tests.append(exp.column("authentic", "entry"))
        parts = [p.expression() for p in (self.when, self.reason) if p is not None]
        fits = conjunction(parts) if parts else exp.true()
        undone = exp.EQ(this=exp.column("reason"), expression=literal("removeFromCRL"))
        needed = ["revoked_at", *(["reason"] if self.reason is not None else [])]
        null = disjunction([exp.Is(this=exp.column(name), expression=exp.Null()) for name in needed])
        held = exp.EQ(this=exp.column("reason"), expression=literal("certificateHold"))
        names = ("issuer_der_sha256", "issuer_spki_sha256")
        # Only what is on hold leaves a CRL before it expires (RFC 5280 5.3.1), and then stands in no full one any more.
        newest = (
            exp.select(*names, exp.alias_(exp.Max(this=exp.column("this_update")), "newest"))
            .from_("crls")
            .where(exp.column("authentic"), exp.EQ(this=exp.column("scope"), expression=literal("full")))
            .group_by(*(exp.column(name) for name in names))
        )
        same = [exp.EQ(this=exp.column(name, "mine"), expression=exp.column(name, "later")) for name in names]
        columns = [exp.column(name, "entry") for name in ("revoked_at", "reason", "this_update")]
        entries = (
            exp.select(exp.column("sha256", "mine"), *columns, exp.column("newest", "later"))
            .from_(exp.to_table(SCOPE, alias="mine"))
            .join(exp.to_table(REVOCATIONS.name, alias="entry"), on=conjunction(tests))
            .join(newest.subquery("later"), on=conjunction(same), join_type="left")
        )
        listed = (
            exp.select(
                exp.column("sha256"),
                exp.alias_(exp.Min(this=exp.column("revoked_at")), "revoked_at"),
                exp.alias_(count_where(), "entries"),
                exp.alias_(count_where(exp.Paren(this=fits)), "fitting"),
                exp.alias_(count_where(exp.Paren(this=null)), "nulls"),
                exp.alias_(count_where(undone), "undone"),
                exp.alias_(count_where(held), "held"),
                exp.alias_(exp.Max(this=exp.column("this_update")), "seen"),
                exp.alias_(exp.Max(this=exp.column("newest")), "newest"),
            )
            .from_(entries.subquery("entries"))
            .group_by(exp.column("sha256"))
        )

        def certificates(test: str) -> exp.Expr:
            return count_where(exp.condition(test, dialect="duckdb"))

        return exp.select(
            exp.alias_(count_where(), "listed"),
            exp.alias_(certificates("fitting = entries"), "fitting"),
            exp.alias_(certificates("fitting = 0 AND nulls = 0 AND undone = 0"), "contrary"),
            exp.alias_(certificates("nulls > 0"), "nulls"),
            exp.alias_(certificates("undone > 0"), "undone"),
            exp.alias_(certificates("held = entries AND seen < newest"), "lifted"),
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
        contrary = int(measured["contrary"])
        if contrary:
            hint = f"{contrary:,} of them {'is' if contrary == 1 else 'are'} listed otherwise"
            if self.when is not None and self.when.operator == "=" and isinstance(first, datetime):
                shifted = other_zone(self.when.values[0].span, first, self.zones)
                hint += f"; {shifted}" if shifted else ""
            return self.found(Outcome.REFUTED, observed, hint, "revoked")
        if listed < n:
            hint = f"{n - listed:,} not listed in any authentic CRL given"
            return self.found(Outcome.UNPROVEN, observed, hint, "not-listed")
        if measured["nulls"]:
            return self.found(Outcome.UNPROVEN, observed, "some entries have no readable date or reason", "null-values")
        if measured["undone"]:
            return self.found(Outcome.UNPROVEN, observed, "a later entry takes a revocation back", "undone")
        if measured["lifted"]:
            number = int(measured["lifted"])
            one = ("was", "it") if number == 1 else ("were", "them")
            hint = f"{number:,} {one[0]} on hold, and a later CRL of the issuer no longer lists {one[1]}"
            return self.found(Outcome.UNPROVEN, observed, hint, "undone")
        if fitting < listed:
            hint = f"the CRLs give {listed - fitting:,} of them more than one date or reason, and not all fit"
            return self.found(Outcome.UNPROVEN, observed, hint, "entries-differ")
        return self.found(Outcome.VERIFIED, observed)
