"""``violates``: a result is counted as what it is; what nobody linted is open; who says so stands in the verdict."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from affidavit.check.compile import compile_claims
from affidavit.check.needs import wanted_by
from affidavit.evidence import pkilinter
from affidavit.evidence.corpus import Lint
from affidavit.run import How, check_report
from affidavit.types import InputError, Outcome, Verdict
from testpki import Authority
from tests.check.case import Row, at, certificate, digest, head, hints, lint, report_of, run, verdict

SERIAL = "pkix.certificate_serial_number_out_of_range"
EACH = "violates: {rule: e_a_rule}"
NONE = "violates: {rule: e_a_rule, count: 0}"


def judged(claim: str, *results: str, **more: Any) -> Verdict:
    """The verdict over as many certificates as results; an empty one is none."""
    lints = [lint(n, result=result) for n, result in enumerate(results, 1) if result]
    return verdict(claim, [certificate(n) for n in range(1, len(results) + 1)], lints=lints, **more)


def observed(found: Verdict) -> str:
    return next(f.observed for f in found.findings if f.assertion == "violates")


@pytest.mark.parametrize(
    ("claim", "results", "outcome"),
    [
        (EACH, ["error", "error"], "verified"),
        (EACH, ["error", "warn"], "verified"),
        (EACH, ["error", "pass"], "refuted"),
        (EACH, ["error", "not applicable"], "refuted"),
        (EACH, ["error", "not yet in force"], "refuted"),
        (EACH, ["error", ""], "unproven"),
        (EACH, ["error", "info"], "unproven"),
        (EACH, ["error", "fatal"], "unproven"),
        (EACH, ["pass", ""], "refuted"),
        (EACH, ["", ""], "unproven"),
        (NONE, ["pass", "pass"], "verified"),
        (NONE, ["pass", "not applicable"], "verified"),
        (NONE, ["not yet in force", "not yet in force"], "verified"),
        (NONE, ["pass", "error"], "refuted"),
        (NONE, ["", "error"], "refuted"),
        (NONE, ["pass", ""], "unproven"),
        (NONE, ["pass", "notice"], "unproven"),
        (NONE, ["", ""], "unproven"),
        ("violates: {rule: e_a_rule, count: 1}", ["error", "pass"], "verified"),
        ("violates: {rule: e_a_rule, count: 2}", ["error", "pass"], "refuted"),
        ("violates: {rule: e_a_rule, count: 2}", ["error", ""], "unproven"),
        ("violates: {rule: e_a_rule, count: 3}", ["error", ""], "refuted"),
        ("violates: {rule: e_a_rule, count: 1}", ["error", ""], "unproven"),
        ("violates: {rule: e_a_rule, count: {at_least: 1}}", ["error", ""], "verified"),
        ("violates: {rule: e_a_rule, count: {at_least: 2}}", ["error", ""], "unproven"),
        ("violates: {rule: e_a_rule, count: {at_least: 2}}", ["error", "pass"], "refuted"),
        ("violates: {rule: e_a_rule, count: {at_most: 1}}", ["error", "pass"], "verified"),
        ("violates: {rule: e_a_rule, count: {at_most: 2}}", ["error", ""], "unproven"),
        ("violates: {rule: e_a_rule, count: {at_most: 2}}", ["", ""], "unproven"),
        ("violates: {rule: e_a_rule, count: {at_least: 0}}", ["", ""], "unproven"),
        ("violates: {rule: e_a_rule, count: {at_least: 0, at_most: 9}}", ["error", ""], "unproven"),
    ],
)
def test_results_are_counted_as_what_they_are(claim: str, results: list[str], outcome: str) -> None:
    found = judged(claim, *results)
    assert found.outcome == outcome, found.findings


def test_the_verdict_names_each_sort_apart() -> None:
    found = judged(NONE, "pass", "pass", "not applicable", "not yet in force")
    assert observed(found).startswith("0 of 4 violate it, 2 pass, 1 not applicable, 1 not yet in force; zlint v3.6.4")
    mixed = judged(EACH, "error", "warn", "pass", "not applicable", "not yet in force", "fatal", "")
    assert observed(mixed).startswith(
        "2 of 7 violate it (error, warn), 1 pass, 1 not applicable, 1 not yet in force, "
        "1 with results that differ or end in an error of the linter, 1 without a result; "
    )
    assert "not all violate it: 1 pass, 1 not applicable, 1 not yet in force" in hints(mixed)


def test_who_says_so_and_since_when() -> None:
    told = {"effective": at("2012-07-01"), "profile": "CABF_BR", "source_of_rule": "BRs: 7.1.2"}
    rows = [certificate(1), certificate(2)]
    found = verdict(EACH, rows, lints=[lint(n, **told) for n in (1, 2)])
    assert observed(found) == (
        "2 of 2 violate it (error); zlint v3.6.4, profile CABF_BR (BRs: 7.1.2), imported from z.json; "
        "rule in force since 2012-07-01"
    )
    two = verdict(EACH, rows, lints=[lint(1, **told), lint(2, file="y.json", version=None)])
    assert (
        "zlint of a version not stated and v3.6.4, profile CABF_BR, not stated (BRs: 7.1.2), imported from y.json "
        in (observed(two))
    )
    assert "and 1 file more;" in observed(two)
    silent = observed(judged(EACH, "error"))
    assert silent.endswith("profile not stated, imported from z.json; since when the rule is in force is not stated")
    two_days = [lint(1, **told), lint(2, **told | {"effective": at("2013-01-01")})]
    assert observed(verdict(EACH, rows, lints=two_days)).endswith("in force since 2012-07-01 or 2013-01-01")


def test_certificates_without_a_result_are_named_and_shown() -> None:
    found = judged(EACH, "error", "", "error")
    assert found.code == "no-lint-result"
    assert f"for 1 certificate ({digest(2)[:16]})" in hints(found)
    assert [row["sha256"] for row in found.examples] == [digest(2)]
    assert [row["sha256"] for row in judged(NONE, "pass", "error", "").examples] == sorted([digest(2), digest(3)])
    assert "..." in hints(judged(EACH, "", "", "", ""))


@pytest.mark.parametrize(
    "odd",
    [
        {"certificate": None}, {"certificate": digest(2)}, {"code": "e_b_rule"}, {"linter": "pkilint"},
    ],
)  # fmt: skip
def test_a_result_about_something_else_shows_nothing(odd: Row) -> None:
    found = verdict(EACH, [certificate(1)], lints=[lint(1, **odd)])
    assert (found.outcome, found.code) == (Outcome.UNPROVEN, "no-lint-result")
    assert ("1 result does not name their certificate" in hints(found)) is (odd == {"certificate": None})


def test_results_of_other_versions_and_profiles_are_told_apart() -> None:
    both = [lint(1, version="v2", result="pass"), lint(1)]
    rows = [certificate(1)]
    assert verdict(EACH, rows, lints=both).code == "lints-differ"
    assert verdict("violates: {rule: e_a_rule, version: v3.6.4}", rows, lints=both).outcome is Outcome.VERIFIED
    assert verdict("violates: {rule: e_a_rule, version: v2}", rows, lints=both).outcome is Outcome.REFUTED
    other = verdict("violates: {rule: e_a_rule, version: v4}", rows, lints=both)
    assert other.outcome is Outcome.UNPROVEN
    assert "another version or profile: v2, no profile; v3.6.4, no profile" in hints(other)
    profiles = [lint(1, profile="RFC5280", result="pass"), lint(1, profile="CABF_BR")]
    chosen = "violates: {rule: e_a_rule, profile: CABF_BR}"
    assert verdict(chosen, rows, lints=profiles).outcome is Outcome.VERIFIED
    other = verdict(chosen, rows, lints=[lint(1, profile="RFC5280")])
    assert other.outcome is Outcome.UNPROVEN
    assert [row["sha256"] for row in other.examples] == [digest(1)]


def test_the_same_result_twice_counts_once() -> None:
    twice = [lint(1), lint(1, file="y.json"), lint(2, result="pass"), lint(2, result="pass", file="y.json")]
    rows = [certificate(1), certificate(2)]
    assert verdict("violates: {rule: e_a_rule, count: 1}", rows, lints=twice).outcome is Outcome.VERIFIED


def test_results_lie_in_any_collection_and_claims_over_several() -> None:
    rows = [certificate(1), certificate(2, collection="b"), certificate(1, collection="b")]
    lints = [lint(1, collection="c"), lint(2, collection="c")]
    found = verdict("{over: [a, b], count: 2, violates: {rule: e_a_rule}}", rows, lints=lints)
    assert found.outcome is Outcome.VERIFIED
    parts = {"x": {"over": "a", "count": "1"}, "y": {"over": "b", "where": {"sha256": digest(2)}, "count": "1"}}
    total = verdict("{total: [x, y], violates: {rule: e_a_rule, count: 2}}", rows, lints=lints, others=parts)
    assert total.outcome is Outcome.VERIFIED


def test_zero_rows_and_rows_that_do_not_count() -> None:
    assert verdict(NONE, [], lints=[]).outcome is Outcome.UNPROVEN
    assert judged("{where: {key_bits: 512}, violates: {rule: e_a_rule, count: 0}}", "pass").code == "empty-scope"
    forged = verdict(NONE, [certificate(1, authentic=False)], lints=[lint(1, result="pass")])
    assert forged.code == "not-authentic"


def test_what_pkilint_made_for_a_claim_is_in_no_claims_table() -> None:
    """Else what one claim asks for would change what another one counts."""
    made = lint(1, linter="pkilint", collection=None, file=None, profile="pkix", version="0.13.3", code=SERIAL)
    stated = f"violates: {{rule: {SERIAL}, profile: pkix}}"
    assert verdict(stated, [certificate(1)], lints=[made]).outcome is Outcome.VERIFIED
    assert "pkilint 0.13.3, profile pkix, run for this report" in observed(
        verdict(stated, [certificate(1)], lints=[made])
    )
    assert verdict("{table: lints, count: 1}", [certificate(1)], lints=[made]).code == "no-evidence"
    assert verdict("{table: lints, count: 1}", [certificate(1)], lints=[made, lint(1)]).outcome is Outcome.VERIFIED
    typed = made | {"profile": "pkix SOMETHING"}
    assert verdict(stated, [certificate(1)], lints=[typed]).outcome is Outcome.VERIFIED
    assert verdict(stated, [certificate(1)], lints=[made | {"profile": "pkixer"}]).outcome is Outcome.UNPROVEN


def test_pkilints_fatal_is_a_violation_and_zlints_is_none() -> None:
    code = "pkix.sct_list_extension_invalid_encoding"
    made = lint(1, linter="pkilint", profile="pkix", code=code, result="fatal")
    stated = f"violates: {{rule: {code}, profile: serverauth}}"
    assert verdict(stated, [certificate(1)], lints=[made | {"profile": "serverauth"}]).outcome is Outcome.VERIFIED
    assert judged(EACH, "fatal").code == "lints-differ"


def test_without_pkilint_it_is_open_and_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pkilinter, "version", lambda: None)
    for more in ("", ", count: 0"):
        found = verdict(f"violates: {{rule: {SERIAL}, profile: pkix{more}}}", [certificate(1)])
        assert (found.outcome, found.code) == (Outcome.UNPROVEN, "linter-missing")
        assert "pip install 'affidavit[lint]'" in hints(found)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"rule": "pkix.certificate_serial_number_out_of_rang", "profile": "pkix"}, SERIAL),
        ({"rule": "cabf.ev_guidelines.invalid_business_category", "profile": "pkix"}, "has no rule"),
        ({"rule": "base.unhandled_exception", "profile": "pkix"}, "has no rule"),
        ({"rule": "pkix.subject_key_identifier_method_1_identified", "profile": "pkix"}, "nobody violates it"),
        ({"rule": SERIAL}, "add `profile:` one of pkix, serverauth, smime, etsi"),
        ({"rule": SERIAL, "profile": "serverauht"}, "serverauth"),
        ({"rule": SERIAL, "linter": "zlint"}, "no code of zlint"),
        ({"rule": "serial"}, "no code of zlint or pkilint"),
        ({"rule": "n_a_rule"}, "nobody violates it"),
        ({"rule": "e_a_rule", "linter": "zlnt"}, "zlint"),
        ({"rule": "e_a_rule", "count": "some"}, "no whole number"),
        ({"rule": "e_a_rule", "count": {"at_least": "3", "at_most": "2"}}, "more than at_most"),
        ({"rule": "e_a_rule", "counts": "2"}, "count"),
    ],
)
def test_what_cannot_be_meant_is_an_error(stated: dict[str, Any], words: str) -> None:
    pytest.importorskip("pkilint")
    with pytest.raises(InputError) as caught:
        run({"one": {"over": "a", "violates": stated}}, [certificate(1)])
    found = caught.value.diagnostics[0]
    assert words in f"{found.message} {found.hint}"
    assert found.pos.line > 1


def test_it_is_about_certificates() -> None:
    with pytest.raises(InputError, match="about certificates"):
        run({"one": {"over": "a", "table": "lints", "violates": {"rule": "e_a_rule"}}}, [certificate(1)])


def test_only_what_claims_name_is_linted() -> None:
    def wanted(**claims: Any) -> tuple[Lint, ...]:
        whole = {name: {"says": "So.", **claim} for name, claim in claims.items()}
        return wanted_by(compile_claims(report_of(head() | {"claims": whole})).values()).lints

    rule = {"rule": SERIAL, "profile": "pkix"}
    assert wanted(one={"over": "a", "violates": {"rule": "e_a_rule"}}) == ()
    assert wanted(one={"over": "a", "table": "lints", "count": "1"}) == ()
    both = {"over": ["a", "b"], "kind": "any", "violates": rule}
    assert wanted(one=both, two={"over": "a", "violates": rule}) == (
        Lint("a", "any", "pkix", SERIAL), Lint("a", "certificate", "pkix", SERIAL), Lint("b", "any", "pkix", SERIAL),
    )  # fmt: skip


def test_the_words_are_held_to_it() -> None:
    def codes(says: str, **stated: str) -> set[str]:
        rows, lints = [certificate(1), certificate(2)], [lint(n, code="e_rsa_mod_less_than_2048_bits") for n in (1, 2)]
        claim = {"over": "a", "says": says, "violates": {"rule": "e_rsa_mod_less_than_2048_bits", **stated}}
        return {d.code for d in run({"one": claim}, rows, lints=lints).diagnostics}

    assert codes("2 violate e_rsa_mod_less_than_2048_bits.", count="2") == set()
    assert "figure-not-stated" in codes("3 violate e_rsa_mod_less_than_2048_bits.", count="2")


# --- from files to the verdict ----------------------------------------------------------------------------------------


def test_from_certificates_to_the_verdict(tmp_path: Path) -> None:
    """Both linters over real certificates; a near miss of each; one that pkilint cannot lint leaves `none` open."""
    pytest.importorskip("pkilint")
    root = Authority.root("Test Root")
    good, negative = root.issue("a.example"), root.issue("b.example", serial=-5)
    mangled = root.issue("c.example", spki=b"\x30\x03\x02\x01\x01")
    said = [
        {"sha256": one.sha256, "version": "v3.6.4", "lints": {
            "e_serial_number_not_positive": {"result": result}, "e_other_rule": {"result": other}}}
        for one, result, other in ((good, "pass", "NA"), (negative, "error", "NE"))
    ]  # fmt: skip
    base = tmp_path / "evidence/small"
    files = {
        "trust/r.pem": root.certificate.pem(), "c/a.pem": good.pem(), "c/b.pem": negative.pem(),
        "c/z.json": "\n".join(map(json.dumps, said)), "m/c.pem": mangled.pem(), "m/b.pem": negative.pem(),
    }  # fmt: skip
    for name, content in files.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(content)
    pkix = {"rule": SERIAL, "profile": "pkix"}
    zlint = {"rule": "e_serial_number_not_positive"}
    claims: dict[str, dict[str, Any]] = {
        "one": {"violates": {**pkix, "count": "1"}},
        "two": {"violates": {**pkix, "count": "2"}},
        "each": {"violates": pkix, "where": {"serial_negative": "true"}},
        "not-good": {"violates": pkix, "where": {"serial_negative": "false"}},
        "none": {"violates": {"rule": "pkix.invalid_time_syntax", "profile": "pkix", "count": "0"}},
        "imported": {"violates": {**zlint, "count": "1"}},
        "imported-each": {"violates": zlint},
        "imported-none": {"violates": {"rule": "e_other_rule", "count": "0"}},
        "open": {"over": "m", "violates": {"rule": "pkix.invalid_time_syntax", "profile": "pkix", "count": "0"}},
        "some": {"over": "m", "violates": {**pkix, "count": {"at_least": "1"}}},
    }
    whole = {n: {"says": "It is so.", "over": "c", **c} for n, c in claims.items()}
    incident = {"title": "T", "kind": "analysis", "date": "2026-01-01", "trust": "trust/*", "claims": whole,
                "evidence": {"c": {"files": "c/*"}, "m": {"files": "m/*"}}}  # fmt: skip
    path = tmp_path / "reports/small/incident.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(incident, sort_keys=False))
    checked = check_report(path, tmp_path / "evidence", tmp_path, How(cache=tmp_path / "cache"))
    outcomes = {name: str(found.outcome) for name, found in checked.verdicts.items()}
    assert outcomes == {
        "one": "verified", "two": "refuted", "each": "verified", "not-good": "refuted", "none": "verified",
        "imported": "verified", "imported-each": "refuted", "imported-none": "verified", "open": "unproven",
        "some": "verified",
    }, {name: observed(found) for name, found in checked.verdicts.items()}  # fmt: skip
    assert "0 of 2 violate it, 1 not applicable, 1 not yet in force" in observed(checked.verdicts["imported-none"])
    assert "pkilint" in observed(checked.verdicts["each"])
    assert mangled.sha256[:16] in hints(checked.verdicts["open"])
    assert "lints" in {p.field for p in checked.facts.problems if p.certificate == mangled.sha256}
