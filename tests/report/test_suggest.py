"""What messages propose to write instead: the right value and the words that go with it; never more, never unasked."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from affidavit.cli import cli
from affidavit.project import Project, check_all
from affidavit.report.items import said
from affidavit.report.sarif import _result
from testpki.build import Authority, bundle

ROOT = Authority.root("Test Root")
HEAD = """\
title: An incident
kind: analysis
date: 2026-11-23
timezone: Asia/Shanghai
trust: none
evidence:
  affected: {files: "*.pem"}
claims:
"""


def project(folder: Path, claims: str, number: int = 3, end: str = "") -> Path:
    """A report over some certificates that begin on 4 January 2016, 20:00 UTC: the 5th in Shanghai."""
    (folder / "evidence/one").mkdir(parents=True)
    (folder / "reports/one").mkdir(parents=True)
    leaves = [ROOT.issue(f"{n}.example", not_before="2016-01-04T20:00:00Z") for n in range(number)]
    (folder / "evidence/one/leaves.pem").write_text(bundle(leaves))
    (folder / "reports/one/incident.yaml").write_text(HEAD + claims + end)
    return folder


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--root", str(root), "check", *arguments])


def text(root: Path) -> str:
    return (root / "reports/one/incident.yaml").read_text()


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("{says: There are 4 certificates., over: affected, count: 4}",
         "{says: There are 3 certificates., over: affected, count: 3}"),
        ("{says: There are at least 5., over: affected, count: {at_least: 5}}",
         "{says: There are at least 3., over: affected, count: {at_least: 3}}"),
        ("{says: Four keys are theirs., over: affected, distinct: {sha256: 4}}",
         "{says: 3 keys are theirs., over: affected, distinct: {sha256: 3}}"),
        ("{says: The first is of 2016-01-04., over: affected, earliest: {not_before: 2016-01-04}}",
         "{says: The first is of 2016-01-05., over: affected, earliest: {not_before: 2016-01-05}}"),
        ("{says: 'The last is of Monday, 4 January 2016.', over: affected, latest: {not_before: '2016-01-04'}}",
         "{says: 'The last is of Tuesday, 5 January 2016.', over: affected, latest: {not_before: '2016-01-05'}}"),
        ("{says: Half are., over: affected, where: {subject_cn: 0.example}, share: 50 %}",
         "{says: Half are., over: affected, where: {subject_cn: 0.example}, share: 33 %}"),
        ("{says: A third are., over: affected, where: {subject_cn: 0.example}, share: 33.5 %}",
         "{says: A third are., over: affected, where: {subject_cn: 0.example}, share: 33.3 %}"),
        ("{says: There are 4 with 4 keys., over: affected, count: 4, distinct: {spki_sha256: 4}}",
         "{says: There are 3 with 3 keys., over: affected, count: 3, distinct: {spki_sha256: 3}}"),
        ("{says: From 2016-01-03 to 2016-01-04., over: affected, "
         "between: {not_before: {from: 2016-01-03, until: 2016-01-04}}}",
         "{says: From 2016-01-03 to 2016-01-05., over: affected, "
         "between: {not_before: {from: 2016-01-03, until: 2016-01-05}}}"),
        ("{says: They begin then., over: affected, "
         "between: {not_before: {from: '2016-01-04T20:00:01Z', until: 2016-01-07}}}",
         "{says: They begin then., over: affected, "
         "between: {not_before: {from: '2016-01-04T20:00:00Z', until: 2016-01-07}}}"),
        ("{says: None has fewer than 300 bits., over: affected, between: {key_bits: {at_least: 300, at_most: 512}}}",
         "{says: None has fewer than 256 bits., over: affected, between: {key_bits: {at_least: 256, at_most: 512}}}"),
        ("{says: There are 4., over: affected, sql: SELECT count(*) FROM certificates, returns: 4}",
         "{says: There are 3., over: affected, sql: SELECT count(*) FROM certificates, returns: 3}"),
    ],
)  # fmt: skip
def test_the_edit_that_would_make_it_true(tmp_path: Path, claim: str, right: str) -> None:
    root = project(tmp_path, f"  one: {claim}\n")
    shown = run(root, "--suggest")
    assert shown.exit_code == 1
    assert f"-  one: {claim}\n+  one: {right}\n" in shown.stdout
    assert claim in text(root)  # to show is not to write
    assert run(root, "--apply").exit_code == 1
    assert text(root) == HEAD + f"  one: {right}\n"


def test_what_was_applied_checks_clean(tmp_path: Path) -> None:
    end = "summary: |\n  In all [4 certificates](claim:one), not 14 of them, were issued.\n"
    root = project(tmp_path, "  one: {says: We found 4., over: affected, count: 4}\n", end=end)
    run(root, "--apply")
    assert "[3 certificates](claim:one), not 14 of them" in text(root)
    assert run(root).exit_code == 0


def test_words_keep_their_thousands(tmp_path: Path) -> None:
    root = project(tmp_path, '  one: {says: "We found 1,003 of them.", over: affected, count: "1,003"}\n')
    assert 'says: "We found 3 of them.", over: affected, count: "3"' in run(root, "--suggest").stdout


@pytest.mark.parametrize(
    "claim",
    [
        "{says: They are., over: affected, every: {sct_count: 2}}",  # nothing says what else was meant
        "{says: There are 4., over: affected, count: 4, every: {sct_count: 2}}",  # half a repair is none
        "{says: There are 4., over: affected, count: 4, stands: false}",  # it is what the report holds
        "{says: There are 4., over: affected, where: {subject_cn: nobody}, every: {sct_count: 0}}",  # unproven
        # The old number stays right in another place: which of the two a word means, nobody knows.
        "{says: There is 1 certificate of 1 issuer., over: affected, count: 1, distinct: {issuer: 1}}",
        "{says: There are 4 beside CA 4., over: affected, count: 4, none: {subject_cn: CA 4}}",
    ],
)
def test_nothing_is_proposed_where_nobody_knows(tmp_path: Path, claim: str) -> None:
    root = project(tmp_path, f"  one: {claim}\n")
    assert "nothing can be proposed" in run(root, "--apply").stderr
    assert text(root) == HEAD + f"  one: {claim}\n"


def test_a_loose_fact_is_tied_to_the_one_claim_that_states_it(tmp_path: Path) -> None:
    claims = "  one: {says: There are 3., over: affected, count: 3}\n"
    root = project(tmp_path, claims, end="summary: |\n  There are 3 and 17.\n")
    run(root, "--apply")
    assert text(root).endswith("  There are [3](claim:one) and 17.\n")


def test_of_two_claims_that_state_it_none_is_chosen(tmp_path: Path) -> None:
    claims = "".join(f"  {n}: {{says: There are 3., over: affected, count: 3}}\n" for n in ("one", "two"))
    root = project(tmp_path, claims, end="summary: |\n  There are 3.\n")
    run(root, "--apply")
    assert text(root).endswith("  There are 3.\n")


def test_an_edit_that_would_break_the_file_is_left_out(tmp_path: Path) -> None:
    # A link at the head of a plain scalar would be read as a list.
    claims = "  one: {says: There are 3., over: affected, count: 3}\n"
    root = project(tmp_path, claims, end="summary: 3 were found.\n")
    before = text(root)
    assert "nothing can be proposed" in run(root, "--apply").stderr
    assert text(root) == before


def test_misspelt_names_are_proposed(tmp_path: Path) -> None:
    root = project(tmp_path, "  one: {says: There are 3., ovr: affected, count: 3}\n")
    assert run(root, "--apply").exit_code == 2
    assert "over: affected" in text(root)
    end = "summary: |\n  There are [3](claim:oen).\n"
    root = project(tmp_path / "b", "  one: {says: There are 3., over: affected, count: 3}\n", end=end)
    run(root, "--apply")
    assert "(claim:one)" in text(root)


def test_other_files_and_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    root = project(tmp_path, "  one: {says: There are 4., over: affected, count: 4}\n")
    file = root / "reports/one/incident.yaml"
    windows = b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n")
    file.write_bytes(windows)
    run(root, "--apply")
    assert file.read_bytes() == windows.replace(b"There are 4", b"There are 3").replace(b"count: 4", b"count: 3")


def test_the_diff_is_one_that_git_applies(tmp_path: Path) -> None:
    root = project(tmp_path, "  one: {says: There are 4., over: affected, count: 4}\n")
    found = run(root, "--suggest", "--format", f"json={tmp_path / 'out.json'}", "--quiet").stdout
    (tmp_path / "edit.diff").write_text(found[found.index("--- a/") :])
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "apply", "edit.diff"], cwd=root, check=True)
    assert "count: 3" in text(root)


def test_machines_get_the_edit_and_a_clean_stream(tmp_path: Path) -> None:
    root = project(tmp_path, "  one: {says: 'There are 4.', over: affected, count: '4'}\n")
    shown = run(root, "--suggest", "--format", "sarif")
    assert shown.stdout.startswith("{")
    assert shown.stdout.endswith("}\n")
    assert "+++ b/" in shown.stderr
    spoken = said(check_all(Project(root), []), root)
    result: dict[str, Any] = _result(spoken.items[0], 0, spoken)
    whole = spoken.texts["reports/one/incident.yaml"].splitlines()
    replaced = {
        whole[r["deletedRegion"]["startLine"] - 1][
            r["deletedRegion"]["startColumn"] - 1 : r["deletedRegion"]["endColumn"] - 1
        ]: r["insertedContent"]["text"]
        for r in result["fixes"][0]["artifactChanges"][0]["replacements"]
    }
    assert replaced == {"4": "3"}


def more(root: Path, content: str) -> Path:
    """A file that the report includes."""
    (root / "reports/one/more.md").write_bytes(content.encode())
    return root


INCLUDING = "sections:\n- {title: More, file: more.md}\n"


def test_an_edit_in_several_files_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    claims = "  one: {says: We found 4., over: affected, count: 4}\n"
    root = more(project(tmp_path / "a", claims, end=INCLUDING), "There are [4](claim:one).\n")
    run(root, "--apply")
    assert "says: We found 3., over: affected, count: 3" in text(root)
    assert (root / "reports/one/more.md").read_text() == "There are [3](claim:one).\n"
    # Others take the value from its anchor, so nobody knows whom an edit of it would change.
    shared = "  one: {says: We found 4., over: affected, count: &n 4}\n"
    shared += "  two: {says: Four was said., over: affected, count: *n, stands: false}\n"
    root = more(project(tmp_path / "b", shared, end=INCLUDING), "There are [4](claim:one).\n")
    assert "nothing can be proposed" in run(root, "--apply").stderr
    assert (root / "reports/one/more.md").read_text() == "There are [4](claim:one).\n"
    assert "--apply does" not in run(root).stdout


def test_what_hangs_on_an_anchor_stays(tmp_path: Path) -> None:
    claims = "  one: {says: At least 4., over: affected, count: &n {at_least: 4}}\n"
    claims += "  two: {says: At least 4 was said., over: affected, count: *n, stands: false}\n"
    root = project(tmp_path, claims)
    assert "nothing can be proposed" in run(root, "--apply").stderr


@pytest.mark.parametrize(
    ("says", "right"),
    [
        (">-\n      We found\n      4 of them.", ">-\n      We found\n      3 of them."),
        ("We found\n      4 of them.", "We found\n      3 of them."),
        ("'It''s\n      4 of them.'", "'It''s\n      3 of them.'"),
    ],
)
def test_folded_words_follow_their_claim(tmp_path: Path, says: str, right: str) -> None:
    root = project(tmp_path, f"  one:\n    says: {says}\n    over: affected\n    count: 4\n")
    run(root, "--apply")
    assert text(root) == HEAD + f"  one:\n    says: {right}\n    over: affected\n    count: 3\n"
    assert run(root).exit_code == 0


def test_half_a_repair_is_none(tmp_path: Path) -> None:
    # The figure in the words is written as an escape: it has no place in the file, so the value stays, too.
    root = project(tmp_path, '  one: {says: "We found \\x34.", over: affected, count: 4}\n')
    assert "nothing can be proposed" in run(root, "--apply").stderr


def test_of_many_edits_one_that_breaks_the_file_is_left_out(tmp_path: Path) -> None:
    claims = "  one: {says: There are 3., over: affected, count: 3}\n"
    end = "summary: 3 were found.\nevidence_note: There are 3, and\n  again 3.\n"
    root = project(tmp_path, claims, end=end)
    run(root, "--apply")
    after = "summary: 3 were found.\nevidence_note: There are [3](claim:one), and\n  again [3](claim:one).\n"
    assert text(root).endswith(after)


@pytest.mark.parametrize("tool", [["git", "apply"], ["patch", "-p1", "--binary", "-i"]])
@pytest.mark.parametrize("where", [(), ("--format", "json")])
def test_any_text_s_diff_can_be_applied(tmp_path: Path, tool: list[str], where: tuple[str, ...]) -> None:
    """Windows' line ends, a byte order mark, invisible characters, a file without a last line end."""
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not at hand")
    claims = "  one: {says: There are 4., over: affected, count: 4}\n"
    root = more(project(tmp_path / "p", claims, end=INCLUDING), "so\u00adft\u200d \x1b[31m [4](claim:one)\r\n\r\nend")
    file = root / "reports/one/incident.yaml"
    first = file.read_bytes().replace(b"\n", b"\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + first)
    done = subprocess.run(
        [sys.executable, "-m", "affidavit", "--root", str(root), "check", "--suggest", *where],
        capture_output=True, check=False,
    )  # fmt: skip
    (tmp_path / "edit.diff").write_bytes(done.stderr if where else done.stdout)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([*tool, str(tmp_path / "edit.diff")], cwd=root, check=True, capture_output=True)
    wanted = first.replace(b"There are 4", b"There are 3").replace(b"count: 4", b"count: 3")
    assert file.read_bytes() == b"\xef\xbb\xbf" + wanted
    assert "[3](claim:one)\r\n" in (root / "reports/one/more.md").read_bytes().decode()


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    root = project(tmp_path, "  one: {says: There are 4., over: affected, count: 4}\n")
    file = root / "reports/one/incident.yaml"
    file.chmod(0o664)
    run(root, "--apply")
    assert "count: 3" in text(root)
    assert file.stat().st_mode & 0o777 == 0o664


def test_a_value_that_is_no_number_is_held_against_the_claims_figures(tmp_path: Path) -> None:
    claim = "says: All 3 are of a CA., over: affected, count: 3, sql: SELECT bool_and(is_ca) FROM certificates"
    root = project(tmp_path, f"  it: {{{claim}, returns: 'true'}}\n")
    assert run(root, "--apply").exit_code == 1
    assert "returns: 'false'" in text(root)
    assert run(root).exit_code == 0
