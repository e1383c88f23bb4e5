"""``violates``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp

from affidavit.check.amounts import Amount
from affidavit.check.base import Check, Context, Figures
from affidavit.check.conditions import ValueProblem, literal
from affidavit.evidence import pkilinter
from affidavit.incident.fields import AmountField, Model, Text
from affidavit.incident.vocabulary import LinterName
from affidavit.types import Finding, Outcome, did_you_mean

_ZLINT = re.compile(r"[ewn]_[a-z0-9_]{2,200}")
_INFORMATION = ("info", "notice")
_NAMED = 3

#: What a linter says of a certificate, apart. A zlint that ends in `fatal` has not come to an answer.
_FIRED = {"zlint": ("warn", "error"), "pkilint": ("warn", "error", "fatal")}

_RESULTS = "SELECT * FROM lints WHERE linter = :linter AND code = :rule"
_CHOSEN = (
    "(:any_version OR version = :version) AND "
    "(:any_profile OR profile = :profile OR starts_with(profile, :profile || ' '))"
)

#: For each certificate how often it is said to violate the rule, to pass, and so on; then how many of each there are.
_QUERY = """
SELECT
  count(*) FILTER (WHERE fired > 0 AND fired = results) AS violating,
  count(*) FILTER (WHERE passed > 0 AND passed = results) AS passing,
  count(*) FILTER (WHERE inapplicable > 0 AND inapplicable = results) AS inapplicable,
  count(*) FILTER (WHERE early > 0 AND early = results) AS early,
  count(*) FILTER (WHERE results > 0 AND greatest(fired, passed, inapplicable, early) < results) AS differing,
  (SELECT string_agg(left(sha256, 16), ', ') FROM (
    SELECT sha256 FROM said WHERE results = 0 ORDER BY sha256 LIMIT 3) AS without) AS without,
  (SELECT left(string_agg(DISTINCT v, ' and ' ORDER BY v), 300)
    FROM (SELECT coalesce(version, 'of a version not stated') AS v FROM mine) AS v) AS versions,
  (SELECT left(string_agg(DISTINCT p, ', ' ORDER BY p), 300)
    FROM (SELECT coalesce(profile, 'not stated') AS p FROM mine) AS p) AS profiles,
  (SELECT string_agg(DISTINCT result, ', ' ORDER BY result) FROM mine WHERE result IN (:fired)) AS levels,
  (SELECT min(file) FROM mine) AS file,
  (SELECT count(DISTINCT file) FROM mine) AS files,
  (SELECT left(string_agg(DISTINCT source_of_rule, ', ' ORDER BY source_of_rule), 300) FROM mine) AS sources,
  (SELECT min(effective) FROM mine) AS effective,
  (SELECT max(effective) FROM mine) AS effective_last,
  (SELECT count(*) FROM results WHERE certificate IS NULL) AS unnamed,
  (SELECT left(string_agg(DISTINCT coalesce(version, 'no version') || ', ' || coalesce(profile, 'no profile'), '; '
      ORDER BY coalesce(version, 'no version') || ', ' || coalesce(profile, 'no profile')), 300)
    FROM every_result WHERE certificate IN (SELECT sha256 FROM said WHERE results = 0)) AS others
FROM said
"""
_PARTS = {
    "every_result": _RESULTS,
    "results": "SELECT * FROM every_result WHERE " + _CHOSEN,  # noqa: S608 - both texts stand here
    "mine": "SELECT r.* FROM results AS r WHERE r.certificate IN (SELECT sha256 FROM scope)",
    "said": "SELECT s.sha256, count(r.certificate) AS results, "
    "count(*) FILTER (WHERE r.result IN (:fired)) AS fired, "
    "count(*) FILTER (WHERE r.result = 'pass') AS passed, "
    "count(*) FILTER (WHERE r.result = 'not applicable') AS inapplicable, "
    "count(*) FILTER (WHERE r.result = 'not yet in force') AS early "
    "FROM scope AS s LEFT JOIN results AS r ON r.certificate = s.sha256 GROUP BY s.sha256",
}


@cache
def _parsed(text: str) -> Any:
    """One of the texts above, parsed; to be copied before it is changed."""
    return sqlglot.parse_one(text, read="duckdb")


class ViolatesModel(Model):
    """The rule, and what says whether it is violated."""

    rule: Text
    """The rule's code, as the linter writes it: `e_...` or `w_...` of zlint, `pkix.…`, `cabf.…` of pkilint."""
    linter: LinterName | None = None
    """`zlint` (results among the evidence) or `pkilint` (run for the report); told from the rule if left out."""
    profile: Text | None = None
    """As what pkilint lints: `pkix`, `serverauth`, `smime` or `etsi`. For zlint as the results state it."""
    version: Text | None = None
    """The linter's version; any if left out. The verdict shows it."""
    count: AmountField | None = None
    """How many violate it: a number, or at_least / at_most; 0 says that none does. All where nothing is stated."""


@dataclass(frozen=True)
class Violates(Check):
    """Each of the claim's certificates violates a rule, or so many of them do, as a linter says.

    pkilint is run for the claim if it is installed (`pip install 'affidavit[lint]'`); zlint's results stand among the
    evidence. `count: 0` says that none does. A result is counted as what it is: a violation (error, warning), a pass,
    not applicable (the rule is about nothing in the certificate), not yet in force (when it was issued). A certificate
    without a result, or with several that differ, leaves open what it does: that a linter was not run shows nothing.
    pkilint's pass may mean that a rule came into force later; it does not tell the two apart. A lint is no ruling.
    """

    key = "violates"
    model = ViolatesModel
    example = "violates: {rule: pkix.certificate_serial_number_out_of_range, profile: pkix}"
    rule: str
    linter: str
    profile: str | None
    version: str | None
    amount: Amount | None

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Violates":
        if context.table.name != "certificates":
            raise ValueProblem("violates is about certificates; `table: lints` reads imported results themselves")
        rule = stated.rule
        linter = stated.linter or ("zlint" if _ZLINT.fullmatch(rule) else "pkilint" if "." in rule else "")
        if not linter:
            raise ValueProblem(f"{rule!r} is no code of zlint or pkilint", "e_... or pkix....", ("rule",))
        if linter == "zlint" and not _ZLINT.fullmatch(rule):
            raise ValueProblem(f"{rule!r} is no code of zlint: these begin with e_ or w_", path=("rule",))
        if linter == "zlint" and rule.startswith("n_"):
            raise ValueProblem(f"{rule!r} gives notice of something; nobody violates it", path=("rule",))
        if linter == "pkilint":
            _check_profile(stated.profile)
            _check_rule(stated.profile, rule)
        amount = None
        if stated.count is not None:
            try:
                amount = Amount.parse(stated.count)
            except ValueError as error:
                raise ValueProblem(str(error), path=("count",)) from None
        who = (
            "each violates" if amount is None else "none violates" if amount.high == 0 else f"{amount.words()} violate"
        )
        words = f"{who} {rule} by {linter}" + (f" as {stated.profile}" if stated.profile else "")
        texts = tuple(filter(None, (rule, linter, stated.profile, stated.version)))
        figures = Figures.of_amounts([amount] if amount else []) | Figures(texts=texts, names=texts)
        return cls(rule, linter, stated.profile, stated.version, amount, stated=words, figures=figures)

    def _tree(self, text: str) -> Any:
        values: dict[str, exp.Expr] = {
            "linter": literal(self.linter), "rule": literal(self.rule),
            "any_version": exp.Boolean(this=self.version is None), "version": literal(self.version or ""),
            "any_profile": exp.Boolean(this=self.profile is None), "profile": literal(self.profile or ""),
        }  # fmt: skip

        def filled(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.In) and any(isinstance(e, exp.Placeholder) for e in node.expressions):
                return exp.In(this=node.this, expressions=[literal(one) for one in _FIRED[self.linter]])
            return values[node.name].copy() if isinstance(node, exp.Placeholder) else node

        return _parsed(text).transform(filled)

    def query(self) -> exp.Query:
        query: exp.Query = self._tree(_QUERY)
        for name, text in _PARTS.items():
            query = query.with_(exp.to_identifier(name), as_=self._tree(text), append=True, copy=False)
        # What is named here reads the claim's rows, which are named outside of it (queries.py).
        return exp.select(exp.Star()).from_(query.subquery("whole"))

    def contrary(self) -> exp.Expr | None:
        if self.amount is not None and self.amount.high != 0:
            return None
        wanted = _FIRED[self.linter] if self.amount is None else ("pass", "not applicable", "not yet in force")
        fits = self._tree(f"{_RESULTS} AND {_CHOSEN}")
        named = (
            exp.select(exp.column("certificate"))
            .from_(fits.subquery("r"))
            .where(exp.In(this=exp.column("result"), expressions=[literal(one) for one in wanted]))
            .where(exp.Not(this=exp.Is(this=exp.column("certificate"), expression=exp.Null())))
        )
        return exp.Not(this=exp.In(this=exp.column("sha256"), query=named.subquery()))

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        n, fired, passing, inapplicable, early, differing = (
            int(measured[k] or 0) for k in ("n", "violating", "passing", "inapplicable", "early", "differing")
        )
        without = n - fired - passing - inapplicable - early - differing
        parts = [f"{fired:,} of {n:,} violate it" + (f" ({measured['levels']})" if measured["levels"] else "")]
        kinds = (
            (passing, "pass"), (inapplicable, "not applicable"), (early, "not yet in force"),
            (differing, "with results that differ or end in an error of the linter"), (without, "without a result"),
        )  # fmt: skip
        parts += [f"{number:,} {words}" for number, words in kinds if number]
        observed = ", ".join(parts) + self._by(measured)
        reason, code = self._open(measured, without, differing)
        most = fired + without + differing
        if self.amount is None:
            if passing or inapplicable or early:
                told = ", ".join(f"{number:,} {words}" for number, words in kinds[:3] if number)
                return self.found(Outcome.REFUTED, observed, f"not all violate it: {told}", "violates")
            if most != fired or not fired:
                return self.found(Outcome.UNPROVEN, observed, reason, code)
            return self.found(Outcome.VERIFIED, observed)
        low, high = self.amount.low, self.amount.high
        if (low is not None and most < low) or (high is not None and fired > high):
            would = [(("count", *path), text) for path, text in self.amount.right(fired)] if most == fired else []
            return self.found(Outcome.REFUTED, observed, self.amount.off_by(fired), "violates", would)
        # That enough of them do is shown by these; that no more do, only by a result for each.
        if most == fired or (high is None and low is not None and fired >= low > 0):
            return self.found(Outcome.VERIFIED, observed)
        return self.found(Outcome.UNPROVEN, observed, reason, code)

    def _by(self, measured: Mapping[str, Any]) -> str:
        """Who says so: linter, version, profile; since when the rule is in force."""
        files = int(measured["files"] or 0)
        if not measured["versions"]:
            return ""
        words = f"; {self.linter} {measured['versions']}, profile {measured['profiles']}"
        words += f" ({measured['sources']})" if measured["sources"] else ""
        words += f", imported from {measured['file']}" if files else ", run for this report"
        words += f" and {files - 1:,} file(s) more" if files > 1 else ""
        first, last = measured["effective"], measured["effective_last"]
        if not isinstance(first, datetime):
            return f"{words}; since when the rule is in force is not stated"
        days = dict.fromkeys(f"{day:%Y-%m-%d}" for day in (first, last) if isinstance(day, datetime))
        return f"{words}; rule in force since {' or '.join(days)}"

    def _open(self, measured: Mapping[str, Any], without: int, differing: int) -> tuple[str, str]:
        """Why it is open what some certificates do: in words, and as a code."""
        if without and self.linter == "pkilint" and pkilinter.version() is None:
            return f"pkilint is not installed: {pkilinter.INSTALL}", "linter-missing"
        if not without:
            return f"the results for {differing:,} certificate(s) differ, or tell nothing", "lints-differ"
        named = str(measured["without"] or "")
        more = f" ({named}{' ...' if without > _NAMED else ''})" if named else ""
        hint = f"no result of {self.linter} about {self.rule} for {without:,} certificate(s){more}"
        if measured["others"]:
            hint += f"; results there are of another version or profile: {measured['others']}"
        if measured["unnamed"]:
            hint += f"; {int(measured['unnamed']):,} result(s) do not name their certificate"
        if self.linter == "pkilint":
            hint += "; the table `problems` says where pkilint failed"
        return hint, "no-lint-result"


def _check_profile(profile: str | None) -> None:
    known = ", ".join(pkilinter.PROFILES)
    if profile is None:
        raise ValueProblem("pkilint is to be told as what to lint", f"add `profile:` one of {known}")
    if profile not in pkilinter.PROFILES:
        hint = did_you_mean(profile, pkilinter.PROFILES) or f"known: {known}"
        raise ValueProblem(f"pkilint has no profile {profile!r} here", hint, ("profile",))


def _check_rule(profile: str, rule: str) -> None:
    """ValueProblem for a rule that pkilint's profile lacks, if pkilint is there to be asked."""
    if pkilinter.version() is None:
        return
    level = pkilinter.severity(profile, rule)
    if level is None:
        hint = did_you_mean(rule, pkilinter.codes(profile))
        raise ValueProblem(f"pkilint's profile {profile} has no rule {rule!r}", hint, ("rule",))
    if level in _INFORMATION:
        raise ValueProblem(f"{rule!r} gives information; nobody violates it", path=("rule",))
