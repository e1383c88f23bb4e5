"""Claims typed: the incident file's words to assertions, scopes and queries.

All that is wrong with a claim's wording is found here, before any evidence is read, and reported with
file, line and column.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from affidavit.check.assertions import ASSERTIONS
from affidavit.check.assertions.only import Only
from affidavit.check.assertions.pairs import Pairs
from affidavit.check.assertions.sql import Sql, Stated
from affidavit.check.assertions.total import Total
from affidavit.check.assertions.violates import Violates
from affidavit.check.base import Check, Context, Figures, Statement, statement
from affidavit.check.conditions import ValueProblem, real_weekday
from affidavit.check.quotes import KEY as QUOTE
from affidavit.check.quotes import Quotation
from affidavit.check.scope import Scope, Union
from affidavit.incident.load import Report
from affidavit.tables import TABLES
from affidavit.times import Span, parse_time, zone
from affidavit.types import Declaration, Diagnostic, InputError, Position, did_you_mean

_PLACES = frozenset(("collection", "file", "position", "copies"))


@dataclass(frozen=True)
class CompiledClaim:
    """A claim, typed: its rows and its assertions; ``scope`` is None for an unchecked one."""

    name: str
    position: Position
    zone: str
    scope: Scope | Union | None
    checks: tuple[Check, ...]
    where: Statement | None
    made: Span | None
    unchecked: str
    quote: Quotation | None = None
    other_zones: tuple[str, ...] = ()

    @property
    def figures(self) -> Figures:
        """All that the claim states in machine form."""
        whole = Figures()
        for check in self.checks:
            whole = whole | check.figures
        if self.where:
            whole = whole | self.where.figures
        return whole

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say beside the verdict."""
        notes = [note for check in self.checks for note in check.notes]
        return tuple(dict.fromkeys([*notes, *(self.where.notes if self.where else ())]))


class _Compiler:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.incident = report.incident
        self.problems: list[Diagnostic] = []
        self.collections = tuple(self.incident.evidence)
        self.untrusted = frozenset(
            name
            for name, c in self.incident.evidence.items()
            if c.trust == "none" or (c.trust is None and self.incident.trust == "none")
        )
        self.declarations = {
            name: Declaration(
                name,
                c.complete.scope,
                c.complete.from_ or "",
                c.complete.until or "",
                c.complete.basis or "",
                c.complete.by or "",
                derived=c.complete.derived is not None,
            )
            for name, c in self.incident.evidence.items()
            if c.complete
        }
        self.open: list[str] = []

    def complain(self, claim: str, path: Iterable[str | int], code: str, message: str, hint: str = "") -> None:
        pos = self.report.pos("claims", claim, *path)
        self.problems.append(Diagnostic(pos, code, message, hint, claim=claim))

    def over(self, name: str, claim: Any) -> tuple[str, ...] | None:
        stated = claim.over
        if stated is None:
            return None
        names = [stated] if isinstance(stated, str) else list(stated)
        if not names:
            self.complain(name, ("over",), "no-collection", "an empty list names no collection")
        for index, one in enumerate(names):
            if one not in self.collections:
                path = ("over",) if isinstance(stated, str) else ("over", index)
                hint = did_you_mean(one, self.collections)
                self.complain(name, path, "unknown-collection", f"there is no collection {one!r}", hint)
        return tuple(dict.fromkeys(names))

    def scope(self, name: str) -> Scope:
        """The rows that a claim named as a part is about; ValueProblem if it cannot be one."""
        claim = self.incident.claims.get(name)
        if claim is None:
            raise ValueProblem(f"there is no claim {name!r}", did_you_mean(name, self.incident.claims))
        if claim.total is not None:
            raise ValueProblem(f"{name!r} is a total itself", "name its parts")
        if claim.over is None:
            raise ValueProblem(f"{name!r} has no rows to add up")
        zone_name = claim.timezone or self.incident.timezone
        table = TABLES[claim.table]
        where = statement(claim.where, table, zone_name) if claim.where is not None else None
        over = (claim.over,) if isinstance(claim.over, str) else tuple(dict.fromkeys(claim.over))
        return Scope(table, over, self.untrusted, claim.kind, where)

    def told_apart(self, check: Check, context: Context) -> None:
        """ValueProblem for a statement on where a certificate lies, over several collections.

        A certificate in two of them counts once, so one of its two places would go unseen.
        """
        if len(context.over) < 2 or context.table.name == "problems":
            return
        trees = [*check.measures().values(), *filter(None, [check.query()])]
        named = {node.name for tree in trees for node in tree.find_all(exp.Column)}
        if isinstance(check, Pairs):  # its own query reads the partners' collection, which is one
            named = {column.name for column in check.by}
        if isinstance(check, (Only, Violates)):  # one looks at each collection on its own, one names results' files
            named = set()
        placed = sorted(named & _PLACES)
        if placed:
            raise ValueProblem(
                f"{placed[0]} is not one value where a certificate lies in several collections",
                "state it over one collection",
            )

    def quotation(self, name: str, claim: Any) -> Quotation | None:
        """A claim's quote with its document; None where there is none, or something is wrong with it."""
        if claim.quote is None:
            return None
        document = self.report.documents.get(claim.quote.document)
        if document is None:
            message = f"there is no document {claim.quote.document!r}"
            hint = did_you_mean(claim.quote.document, self.report.documents) or "name it under `documents:`"
            self.complain(name, (QUOTE, "document"), "unknown-document", message, hint)
            return None
        from affidavit.passages import quote_parts

        if not quote_parts(claim.quote.text):
            self.complain(name, (QUOTE, "text"), "empty-quote", "the quote holds no word")
            return None
        return Quotation(document, claim.quote.text, self.report.pos("claims", name, QUOTE, "text"))

    def said(self, name: str, made: Span | None, quote: Quotation) -> Span | None:
        """When a quoted statement was made: as stated, but not after its document; else by the document's date."""
        if not quote.document.date:
            return made
        dated = parse_time(quote.document.date, self.incident.timezone)
        if made is not None and made.start >= dated.end:
            message = f"a document of {dated.text} cannot hold what was first said on {made.text}"
            self.complain(name, ("made",), "made-after-document", message, "one of the two dates is wrong")
        return made or dated

    def compile(self, name: str, claim: Any) -> CompiledClaim | None:
        before = len(self.problems)
        zone_name = claim.timezone or self.incident.timezone
        try:
            zone(zone_name)
        except ValueError as error:
            self.complain(name, ("timezone",), "unknown-timezone", str(error))
            return None
        # `where:` or `every:` with nothing after it would otherwise pass for not written at all.
        written = self.report.tree.find(("claims", name))
        for key, node in written.value.items() if written and isinstance(written.value, dict) else ():
            if node.value is None:
                self.complain(name, (key,), "no-value", f"{key!r} has no value", "give it one, or take it out")
        if len(self.problems) > before:
            return None
        made = None
        if claim.made is not None:
            try:
                made = real_weekday(parse_time(claim.made, zone_name))
            except ValueError as error:
                self.complain(name, ("made",), "bad-time", str(error))
        quote = self.quotation(name, claim)
        if quote is not None:
            made = self.said(name, made, quote)
        if len(self.problems) > before:
            return None
        position = Position(claim.stands)
        stated = {a.key: getattr(claim, a.key) for a in ASSERTIONS if getattr(claim, a.key) is not None}
        if claim.unchecked is not None:
            if stated:
                self.complain(
                    name,
                    ("unchecked",),
                    "unchecked-and-checked",
                    "an unchecked claim states nothing to check",
                )
            if position is not Position.TRUE:
                self.complain(name, ("stands",), "unchecked-position", "an unchecked claim has no position to hold")
            return CompiledClaim(name, position, zone_name, None, (), None, made, claim.unchecked, quote)
        if not stated:
            self.complain(
                name, (), "no-assertion", "the claim states nothing that can be checked",
                "add one of " + ", ".join(a.key for a in ASSERTIONS) + "; or `unchecked:` with the reason",
            )  # fmt: skip
            return None
        if (claim.sql is None) != (claim.returns is None):
            self.complain(name, ("sql" if claim.sql else "returns",), "sql-returns", "`sql` and `returns` go together")
            return None
        over = self.over(name, claim)
        if over is None and claim.total is None:
            self.complain(
                name,
                (),
                "no-collection",
                "the claim does not say what it is about",
                f"add `over: {self.collections[0]}`"
                if len(self.collections) == 1
                else "add `over:` and one of " + ", ".join(list(self.collections)[:6]),
            )
        if over is not None and claim.total is not None:
            self.complain(name, ("over",), "total-over", "a total is about its parts' rows and takes no `over`")
        for key in ("kind", "table"):
            if claim.total is not None and key in claim.model_fields_set:
                self.complain(name, (key,), f"total-{key}", f"a total takes its rows from its parts: no `{key}` here")
        if claim.total is not None and claim.where is not None:
            self.complain(name, ("where",), "total-where", "a total takes its rows from its parts: no `where` here")
        if len(self.problems) > before:
            return None
        return self._typed(name, claim, over or (), zone_name, made, position, stated, quote)

    def _typed(
        self, name: str, claim: Any, over: tuple[str, ...], zone_name: str, made: Span | None,
        position: Position, stated: dict[str, Any], quote: Quotation | None,
    ) -> CompiledClaim | None:  # fmt: skip
        before = len(self.problems)
        table = TABLES[claim.table]
        where = None
        if claim.where is not None:
            try:
                where = statement(claim.where, table, zone_name)
            except ValueProblem as problem:
                self.complain(name, ("where", *problem.path), "bad-condition", str(problem), problem.hint)
        context = Context(
            table, zone_name, over, self.collections, self.untrusted, self.incident.timezone, name,
            self.declarations, self.scope,
        )  # fmt: skip
        checks: list[Check] = []
        # A total comes first: its parts' collections are what `only` then asks to be complete.
        order = sorted((a for a in ASSERTIONS if a.key in stated), key=lambda a: a is not Total)
        for assertion in order:
            value = stated[assertion.key]
            if assertion is Sql:
                value = Stated(claim.sql, claim.returns)
            try:
                made_check = assertion.compile(value, context)
            except ValueProblem as problem:
                self.complain(name, (assertion.key, *problem.path), "bad-assertion", str(problem), problem.hint)
                continue
            try:
                self.told_apart(made_check, context)
            except ValueProblem as problem:
                self.complain(name, (assertion.key,), "bad-assertion", str(problem), problem.hint)
                continue
            if isinstance(made_check, Only):
                made_check = replace(made_check, counted=not stated.keys().isdisjoint(("count", "share")))
            if isinstance(made_check, Total):
                context = replace(context, over=made_check.whole.over, table=made_check.whole.table)
            checks.append(made_check)
        if len(self.problems) > before:
            return None
        total = next((c for c in checks if isinstance(c, Total)), None)
        scope: Scope | Union = total.whole if total else Scope(table, over, self.untrusted, claim.kind, where)
        order_of = [a.key for a in ASSERTIONS]
        checks.sort(key=lambda c: order_of.index(c.key))
        zones = context.other_zones
        return CompiledClaim(name, position, zone_name, scope, tuple(checks), where, made, "", quote, zones)


def compile_claims(report: Report) -> dict[str, CompiledClaim]:
    """All claims of a report, typed; InputError with everything that is wrong with any of them."""
    compiler = _Compiler(report)
    found = {}
    for name, claim in report.incident.claims.items():
        compiled = compiler.compile(name, claim)
        if compiled is not None:
            found[name] = compiled
    if compiler.problems:
        raise InputError(*sorted(compiler.problems, key=Diagnostic.sort_key))
    return found
