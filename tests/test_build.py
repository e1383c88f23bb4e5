"""The site as a whole: what it holds, that it is the same each time, that a failed build leaves it be."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from affidavit.build import MARK, Built, build_site
from affidavit.inputs import tree_digest
from affidavit.project import Project
from affidavit.store import replacing_folder, write_file
from testpki.build import Authority, bundle

INCIDENT = """\
title: A small incident
kind: analysis
date: 2026-11-23
trust: [trust/*.pem]
evidence_note: Made up for a test.
evidence:
  affected: {files: affected/*.pem}
claims:
  how-many: {says: 3 certificates are affected., over: affected, count: 3}
summary: |
  [3 certificates](claim:how-many) are affected.
"""


def make_project(folder: Path, *slugs: str) -> Project:
    root = Authority.root("Test Root")
    for slug in slugs:
        evidence, report = folder / "evidence" / slug, folder / "reports" / slug
        for path in (evidence / "trust", evidence / "affected", report):
            path.mkdir(parents=True)
        (evidence / "trust/root.pem").write_text(root.certificate.pem())
        leaves = [root.issue(f"{name}.{slug}.example") for name in ("a", "b", "c")]
        (evidence / "affected/leaves.pem").write_text(bundle(leaves))
        (report / "incident.yaml").write_text(INCIDENT)
    return Project(folder)


def build(project: Project, *, fresh: bool = False, pdf: bool = False) -> Built:
    return build_site(
        project, project.root / "site", fresh=fresh, pdf=pdf, environ={"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}
    )


def change(project: Project, slug: str, old: str, new: str) -> None:
    path = project.reports / slug / "incident.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_site_holds_every_outlet(tmp_path: Path):
    project = make_project(tmp_path, "small")
    assert build(project, pdf=True).exit_status == 0
    site = tmp_path / "site"
    for name in (
        "index.html", "feed.xml", "style.css", "small/index.html", "small/report.pdf", "small/verdicts.json",
        "small/certificates.csv", "small/incident.yaml", "small/facts/certificates.parquet",
    ):  # fmt: skip
        assert (site / name).is_file(), name
    # Three, and the root that they are trusted by.
    assert len(list((site / "small/certificates").iterdir())) == 4
    assert (site / "small/report.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((site / "small/verdicts.json").read_text())["passes"] is True


def test_two_full_builds_give_the_same_bytes(tmp_path: Path):
    one = make_project(tmp_path / "one", "small", "other")
    two = make_project(tmp_path / "elsewhere" / "two", "small", "other")
    build(one, pdf=True)
    build(two, pdf=True)
    assert tree_digest([one.root / "site"]) == tree_digest([two.root / "site"])
    before = tree_digest([one.root / "site"])
    build(one, fresh=True, pdf=True)
    assert tree_digest([one.root / "site"]) == before


def test_nothing_is_done_where_nothing_has_changed(tmp_path: Path):
    project = make_project(tmp_path, "small")
    build(project)
    page = tmp_path / "site/small/index.html"
    before = page.stat().st_ino
    again = build(project)
    assert again.checked is None
    assert again.exit_status == 0
    assert page.stat().st_ino == before


@pytest.mark.parametrize("what", ["incident", "evidence", "site", "report added", "report gone"])
def test_any_change_builds_anew(tmp_path: Path, what: str):
    project = make_project(tmp_path, "small", "other")
    build(project)
    if what == "incident":
        change(project, "small", "Made up", "Invented")
    elif what == "evidence":
        path = project.evidence / "small/affected/leaves.pem"
        path.write_text("A comment.\n" + path.read_text())
    elif what == "site":
        (tmp_path / "site/small/index.html").write_text("tampered with")
    elif what == "report added":
        shutil.copytree(project.reports / "small", project.reports / "third")
        shutil.copytree(project.evidence / "small", project.evidence / "third")
    else:
        shutil.rmtree(project.reports / "other")
    built = build(project)
    assert built.checked is not None
    assert built.exit_status == 0
    site = tmp_path / "site"
    assert "tampered" not in (site / "small/index.html").read_text()
    assert ("Invented" in (site / "small/index.html").read_text()) is (what == "incident")
    assert (site / "third").exists() is (what == "report added")
    assert (site / "other").exists() is (what != "report gone")


def test_no_stale_verdict_survives_a_changed_certificate(tmp_path: Path):
    project = make_project(tmp_path, "small")
    assert build(project).exit_status == 0
    path = project.evidence / "small/affected/leaves.pem"
    text = path.read_text()
    path.write_text(text[: text.rindex("-----BEGIN")])
    built = build(project)
    assert built.exit_status == 1
    assert json.loads((tmp_path / "site/small/verdicts.json").read_text())["passes"] is False
    # And it is told again, not passed over as unchanged.
    assert build(project).exit_status == 1


@pytest.mark.parametrize("fault", ["yaml", "evidence", "key", "template"])
def test_a_failed_build_leaves_the_earlier_site_whole(tmp_path: Path, fault: str):
    project = make_project(tmp_path, "small", "other")
    build(project)
    before = tree_digest([tmp_path / "site"])
    templates = None
    if fault == "yaml":
        change(project, "small", "claims:", "claims: [")
    elif fault == "evidence":
        shutil.rmtree(project.evidence / "small/affected")
    elif fault == "key":
        (project.evidence / "small/affected/key.pem").write_text(
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
        )
    else:
        templates = tmp_path / "mine"
        templates.mkdir()
        (templates / "print.css").write_text("@import url('https://example.com/x.css');")
    built = build_site(project, tmp_path / "site", templates=templates, pdf=fault == "template", environ={})
    assert built.exit_status == 2
    assert built.checked is not None
    assert built.checked.faults
    assert tree_digest([tmp_path / "site"]) == before
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".site")) == []


def test_a_report_that_does_not_pass_is_built_and_says_so(tmp_path: Path):
    project = make_project(tmp_path, "small")
    change(project, "small", "count: 3", "count: 4")
    change(project, "small", "says: 3", "says: 4")
    change(project, "small", "[3 cert", "[4 cert")
    built = build(project)
    assert built.exit_status == 1
    page = (tmp_path / "site/small/index.html").read_text()
    assert "does not pass" in page


def test_a_folder_that_no_build_wrote_is_never_replaced(tmp_path: Path):
    project = make_project(tmp_path, "small")
    precious = tmp_path / "site" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("mine")
    built = build(project)
    assert built.exit_status == 2
    assert precious.read_text() == "mine"
    precious.unlink()
    assert build(project).exit_status == 0
    assert (tmp_path / "site" / MARK).is_file()


def test_an_interrupted_replacement_is_mended(tmp_path: Path):
    target = tmp_path / "site"
    old = tmp_path / ".site.old"
    old.mkdir()
    (old / "page").write_text("earlier")

    def fail() -> None:
        with replacing_folder(target) as new:
            (new / "page").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (target / "page").read_text() == "earlier"
    with replacing_folder(target) as new:
        (new / "page").write_text("whole")
    assert (target / "page").read_text() == "whole"
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "state"
    write_file(path, b"one")

    def no_rename(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_rename)
    with pytest.raises(OSError, match="No space"):
        write_file(path, b"two")
    assert path.read_bytes() == b"one"
    assert [p.name for p in tmp_path.iterdir()] == ["state"]


def test_a_file_is_for_whom_it_was(tmp_path: Path):
    path, other = tmp_path / "new", tmp_path / "other"
    other.write_bytes(b"")
    write_file(path, b"one")
    assert path.stat().st_mode == other.stat().st_mode  # as the umask has it, not for its owner alone
    path.chmod(0o640)
    write_file(path, b"two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_no_file_takes_the_place_of_what_is_none(tmp_path: Path):
    pipe, link, other = tmp_path / "pipe", tmp_path / "link", tmp_path / "other"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_file(pipe, b"one")
    assert os.read(reader, 10) == b"one"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    other.write_bytes(b"mine")
    link.symlink_to(other)
    write_file(link, b"one")  # a link in a stranger's checkout leads nowhere
    assert (other.read_bytes(), link.read_bytes()) == (b"mine", b"one")
    with pytest.raises(IsADirectoryError) as caught:
        write_file(tmp_path, b"one")
    assert caught.value.filename == str(tmp_path)


def test_the_clock_and_the_folder_leave_no_trace(tmp_path: Path):
    project = make_project(tmp_path / "a-very-particular-folder", "small")
    build(project, pdf=True)
    for path in (project.root / "site").rglob("*"):
        if path.is_file():
            assert b"a-very-particular-folder" not in path.read_bytes(), path
