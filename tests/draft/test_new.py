"""Drafts: what the evidence shows becomes claims, they check clean at once, and nothing is half-written."""

import json
import re
import zipfile
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from affidavit.cli import cli
from testpki import asn1
from testpki.build import Authority, bundle
from testpki.crl import Revoked
from testpki.ct import Log
from tests.evidence.corpora import shared

ROOT = Authority.root("Test Root")
OTHER = Authority.root("Other CA 2", key="rsa")
LOG = Log("one")
AT = "2024-01-01T00:00:00Z"


def certificates() -> list[str]:
    """Eight: two share a serial number, one was logged late, one is signed with SHA-1, two are CAs'."""
    made = [
        ROOT.issue("a.example", serial=0x77),
        ROOT.issue("b.example", serial=0x77),
        ROOT.issue("c.example", serial=3, not_before=AT, scts=[LOG.sct("2024-01-03T00:00:01Z")]),
        ROOT.issue("d.example", serial=4, not_before=AT, scts=[LOG.sct("2024-01-02T00:00:00Z")]),  # a day, not more
        OTHER.issue("e.example", serial=5, hash="sha1"),
        ROOT.issue("f.example", serial=6, not_before="2024-02-10T23:59:59Z"),
        ROOT.certificate,
        OTHER.certificate,
    ]
    return [bundle([one]) for one in made]


def folder(path: Path, **more: bytes) -> Path:
    path.mkdir(parents=True)
    for number, text in enumerate(certificates()):
        (path / f"{number}.pem").write_text(text)
    for name, content in more.items():
        (path / name.replace("_", ".")).write_bytes(content)
    return path


def run(root: Path, *arguments: str) -> Result:
    root.mkdir(exist_ok=True)
    return CliRunner().invoke(cli, ["--root", str(root), *arguments])


def drafted(root: Path, slug: str = "mine") -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load((root / f"reports/{slug}/incident.yaml").read_text())["claims"]
    return found


def test_a_draft_says_what_the_evidence_shows_and_checks_clean(tmp_path: Path) -> None:
    root = tmp_path / "project"
    crl = ROOT.crl([Revoked(3, "2024-03-01"), Revoked(6, "2024-03-04T12:00:00Z")], this_update="2024-04-01")
    result = run(root, "new", "mine", "--from", str(folder(tmp_path / "in", crl_pem=crl.pem().encode())))
    assert result.exit_code == 0, result.output
    claims = drafted(root)
    says = {name: claim["says"] for name, claim in claims.items()}
    assert says["certificates"] == "The evidence holds 8 certificates."
    assert says["authorities"] == "2 of the certificates are CA certificates."
    assert says["shared-serial-1"] == "2 certificates from the same issuer share the serial number 77."
    assert says["logged-late"] == "Of 1 certificate the earliest SCT is more than a day later than notBefore."
    assert "logged-early" not in says
    assert "1 of the certificates is signed with SHA-1." in says.values()
    assert "2 of the certificates were issued by Other CA 2." in says.values()
    assert says["serials"] == "The 8 certificates have 7 different serial numbers."
    assert says["revoked"] == "2 of the certificates are revoked, from 2024-03-01 until 2024-03-04 (UTC)."
    text = (root / "reports/mine/incident.yaml").read_text()
    assert "where: {is_ca: true}" in text  # as an author would write it
    assert re.search(r"earliest: \{not_before: \d{4}-\d\d-\d\d\}", text)
    assert yaml.safe_load(text)["trust"] == ["6.pem", "7.pem"]
    schema = json.loads((root / "affidavit.schema.json").read_text())
    as_editors_read = json.loads(json.dumps(yaml.safe_load(text), default=str))
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(as_editors_read)] == []
    check = run(root, "check", "--strict")
    assert check.exit_code == 0, check.output
    assert "warning" not in check.output
    assert sorted(p.name for p in (root / "evidence/mine").iterdir())[:2] == ["0.pem", "1.pem"]
    assert len((root / "reports/mine/incident.yaml").read_text().splitlines()) < 130


def test_a_root_that_is_missing_leaves_trust_to_the_author(tmp_path: Path) -> None:
    source = folder(tmp_path / "in")
    (source / "7.pem").unlink()
    assert run(tmp_path / "p", "new", "mine", "--from", str(source)).exit_code == 0
    assert yaml.safe_load((tmp_path / "p/reports/mine/incident.yaml").read_text())["trust"] == "none"


def test_one_is_spoken_of_in_the_singular(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.pem").write_text(ROOT.issue("a.example", not_before=AT).pem())
    assert run(tmp_path / "p", "new", "mine", "--from", str(tmp_path / "in")).exit_code == 0
    says = {name: claim["says"] for name, claim in drafted(tmp_path / "p").items()}
    assert says["key-1"] == "1 certificate has an EC key of 256 bits."
    assert says["issued"] == "1 certificate begins on 2024-01-01 (UTC)."


def test_a_pair_that_differs_is_said_beside_a_certificate_that_stands_alone(tmp_path: Path) -> None:
    for name in ("bad-final", "bad-precert", "good-final", "good-precert"):
        text = (shared("evidence-samples/letsencrypt-2023") / f"{name}.pem").read_text()
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{name}.pem").write_text(text)
    (tmp_path / "in/alone.pem").write_text(ROOT.issue("c.example", scts=[LOG.sct(AT)]).pem())
    found = run(tmp_path / "p", "new", "mine", "--from", str(tmp_path / "in"))
    assert "left out" not in found.output
    says = drafted(tmp_path / "p")["unequal-pairs"]["says"]
    # Let's Encrypt, 2023-06-15: the certificate's policies differ from the precertificate's.
    assert says == "1 certificate differs from the precertificate with the same serial number."
    assert run(tmp_path / "p", "check").exit_code == 0


def test_one_certificate_more_makes_the_draft_wrong(tmp_path: Path) -> None:
    root = tmp_path / "project"
    run(root, "new", "mine", "--from", str(folder(tmp_path / "in")))
    (root / "evidence/mine/more.pem").write_text(ROOT.issue("g.example").pem())
    check = run(root, "check")
    assert check.exit_code == 1
    assert "stated: count: 8; observed: 9" in check.output


def test_a_file_that_cannot_be_read_is_listed_with_its_reason(tmp_path: Path) -> None:
    root = tmp_path / "project"
    assert run(root, "new", "mine", "--from", str(folder(tmp_path / "in", junk_bin=b"\x30\x82junk"))).exit_code == 0
    stated = yaml.safe_load((root / "reports/mine/incident.yaml").read_text())
    assert list(stated["evidence"]["evidence"]["unreadable"]) == ["junk.bin"]
    assert run(root, "check").exit_code == 0


def test_it_drafts_from_a_single_file(tmp_path: Path) -> None:
    archive = tmp_path / "certificates.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.pem", ROOT.issue("a.example").pem())
        packed.writestr("b.pem", ROOT.issue("b.example").pem())
    (tmp_path / "other.pem").write_text(ROOT.issue("c.example").pem())
    root = tmp_path / "project"
    assert run(root, "new", "mine", "--from", str(archive)).exit_code == 0
    assert [path.name for path in (root / "evidence/mine").iterdir()] == ["certificates.zip"]
    assert drafted(root)["certificates"]["count"] == 2
    assert run(root, "check").exit_code == 0


def test_it_drafts_from_evidence_that_is_there(tmp_path: Path) -> None:
    root = tmp_path / "project"
    folder(root / "evidence/mine")
    assert run(root, "new", "mine").exit_code == 0
    assert len(list((root / "evidence/mine").iterdir())) == 8
    assert not (root / "evidence/mine").is_symlink()
    assert run(root, "check").exit_code == 0


@pytest.mark.parametrize("name", ["misissued", "wosign", "letsencrypt-2023", "precertificates"])
def test_real_evidence(tmp_path: Path, name: str) -> None:
    result = run(tmp_path, "new", name, "--from", str(shared(f"evidence-samples/{name}")))
    assert result.exit_code == 0, result.output
    check = run(tmp_path, "check", "--strict")
    assert check.exit_code == 0, check.output


def key_pem() -> bytes:
    return asn1.pem(asn1.sequence(asn1.integer(1), asn1.octet_string(bytes(32))), "EC PRIVATE KEY").encode()


@pytest.mark.parametrize(
    ("slug", "content", "code"),
    [
        ("Bad Name", {}, "bad-name"),
        ("../up", {}, "bad-name"),
        ("mine", {"key_pem": key_pem()}, "private-key"),
    ],
)
def test_nothing_is_left_behind_where_it_fails(tmp_path: Path, slug: str, content: dict[str, bytes], code: str) -> None:
    root = tmp_path / "project"
    root.mkdir()
    result = run(root, "new", slug, "--from", str(folder(tmp_path / "in", **content)))
    assert result.exit_code == 2
    assert f"[{code}]" in result.output
    assert list(root.iterdir()) == []


def test_folders_without_certificates_are_named(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text/readme.txt").write_text("nothing here")
    for name, words in (("none", "no such folder"), ("empty", "holds no file"), ("text", "no certificate was found")):
        result = run(root, "new", "mine", "--from", str(tmp_path / name))
        assert (result.exit_code, words in result.output) == (2, True), result.output
    assert "--from FOLDER" in run(root, "new", "mine").output
    assert list(root.iterdir()) == []


def test_what_is_there_is_never_changed(tmp_path: Path) -> None:
    root = tmp_path / "project"
    source = folder(tmp_path / "in")
    run(root, "new", "mine", "--from", str(source))
    incident = root / "reports/mine/incident.yaml"
    incident.write_text("mine\n")
    result = run(root, "new", "mine", "--from", str(source))
    assert (result.exit_code, incident.read_text()) == (2, "mine\n")
    incident.unlink()
    assert run(root, "new", "mine", "--from", str(source)).exit_code == 2
    assert "evidence of that name" in run(root, "new", "mine", "--from", str(source)).output


def test_hostile_names_in_certificates_stay_words(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    evil = Authority.root('x: [1](claim:none) "{<b>`', key="rsa")
    (source / "a.pem").write_text(bundle([evil.issue("a.example"), evil.issue("b.example")]))
    result = run(tmp_path / "p", "new", "mine", "--from", str(source))
    assert result.exit_code == 0, result.output
    assert run(tmp_path / "p", "check", "--strict").exit_code == 0


def test_links_and_hidden_files_are_not_copied(tmp_path: Path) -> None:
    source = folder(tmp_path / "in")
    (tmp_path / "secret.pem").write_text(ROOT.issue("secret.example").pem())
    (source / "link.pem").symlink_to(tmp_path / "secret.pem")
    (source / ".hidden.pem").write_text(ROOT.issue("hidden.example").pem())
    run(tmp_path / "p", "new", "mine", "--from", str(source))
    assert len(list((tmp_path / "p/evidence/mine").iterdir())) == 8
