"""The founding case's evidence is made anew, byte for byte, and says what the figures say, by openssl."""

import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from tests.openssl import openssl

EVIDENCE = Path(__file__).resolve().parents[1] / "evidence" / "wosign-2016"
SCRIPT = EVIDENCE / "reconstruct.py"
BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)


@cache
def texts(*paths: str) -> list[str]:
    """What openssl says of each certificate of some files, one run a file."""
    shown = [openssl("storeutl", "-certs", "-noout", "-text", EVIDENCE / path) for path in paths]
    return [text for said in shown for text in re.split(r"^\d+: Certificate$", said, flags=re.MULTILINE)[1:]]


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, f"{pattern} in {text}"
    return " ".join(match[1].split())


def serial(text: str) -> str:
    return found(r"Serial Number:\s+([0-9a-f:]+)", text).replace(":", "").upper()


def hash_of(text: str) -> str:
    return found(r"Signature Algorithm: (\w+)WithRSAEncryption", text)


def moment(shown: str) -> datetime:
    return datetime.strptime(shown, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)


def start(text: str) -> datetime:
    return moment(found(r"Not Before: (.+)", text))


def issuer(text: str) -> str:
    """The issuer's common name; openssl shows octets above 7F as hex."""
    shown = found(r"Issuer: .*CN ?= ?(.+)", text).encode("ascii")
    return re.sub(rb"\\x?([0-9A-F]{2})", lambda octet: bytes.fromhex(octet[1].decode()), shown).decode("utf-8")


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("again")
    # Another hash seed, zone and folder than those the committed files were made under.
    surroundings = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "America/New_York"}
    subprocess.run([sys.executable, SCRIPT, folder], check=True, cwd=folder, env=surroundings)
    return folder


def test_the_same_bytes(remade: Path) -> None:
    made = {path.relative_to(remade).as_posix() for path in remade.rglob("*") if path.is_file()}
    kept = {path.relative_to(EVIDENCE).as_posix() for path in EVIDENCE.rglob("*") if path.is_file()}
    assert made == {path for path in kept if "__pycache__" not in path} - {"README.md", "reconstruct.py"}
    for path in made:
        assert (remade / path).read_bytes() == (EVIDENCE / path).read_bytes(), path


def test_check_names_what_differs(remade: Path, tmp_path: Path) -> None:
    for path in remade.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(remade)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (tmp_path / "logs.json").write_text("{}")
    (tmp_path / "trust" / "root.pem").unlink()
    (tmp_path / "issue-s" / "more.pem").write_text("")
    done = subprocess.run([sys.executable, SCRIPT, "--check", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert sorted(done.stdout.splitlines()) == [
        "issue-s/more.pem: not made by this script",
        "logs.json: differs",
        "trust/root.pem: missing",
    ]


def test_every_certificate_chains_to_the_root(tmp_path: Path) -> None:
    between = tmp_path / "between.pem"
    between.write_text("".join(path.read_text("ascii") for path in (EVIDENCE / "intermediates").glob("*.pem")))
    checked = 0
    for path in sorted(EVIDENCE.rglob("*.pem")):
        if path.name == "precertificates.pem":  # the poison is there to make this fail
            continue
        for number, block in enumerate(BLOCK.findall(path.read_text("ascii"))):
            (tmp_path / f"{path.parent.name}-{path.stem}-{number}.pem").write_text(block)
            checked += 1
    chain: list[str | Path] = [
        "-auth_level",
        "0",
        "-no_check_time",
        "-CAfile",
        EVIDENCE / "trust" / "root.pem",
        "-untrusted",
        between,
    ]
    said = openssl("verify", *chain, *sorted(tmp_path.glob("*-*-*.pem")))
    assert said.count(": OK") == checked == 1 + 4 + 313 + 27 + 12 + 56 + 2 + 2 + 6 + 6


def test_issue_h() -> None:
    english, chinese = texts("issue-h/english.pem"), texts("issue-h/chinese.pem")
    assert Counter(map(serial, english)) == {"056D1570DA645BF6B44C0A7077CC6769": 313}
    assert Counter(map(serial, chinese)) == {"0D3BBDC3A0175E38F9D0070CD050986A": 27}
    assert set(map(issuer, english)) == {"WoSign Class 3 OV Server CA"}
    assert set(map(issuer, chinese)) == {"沃通第三类OV服务器证书"}
    assert set(map(hash_of, english + chinese)) == {"sha256"}
    first, last = min(map(start, english)), max(map(start, english))
    assert first < min(map(start, chinese)) < max(map(start, chinese)) < last < datetime(2015, 4, 15, tzinfo=UTC)
    hosts = [found(r"DNS:([^,\s]+)", text) for text in english + chinese]
    assert len(set(hosts)) == 340
    later = texts("issue-h/after-fix.pem")
    assert len({*map(serial, later)}) == len(later) == 12
    assert not {*map(serial, later)} & {serial(english[0]), serial(chinese[0])}
    assert min(map(start, later)) > datetime(2015, 4, 15, tzinfo=UTC)
    assert set(map(issuer, later)) == {issuer(english[0]), issuer(chinese[0])}


def test_issue_s() -> None:
    sunday = texts("issue-s/sunday.pem", "category-1/sha1.pem")
    assert len({*map(serial, sunday)}) == len(sunday) == 62
    assert set(map(hash_of, sunday)) == {"sha1"}
    assert {(start(text) + timedelta(hours=8)).strftime("%A %Y-%m-%d") for text in sunday} == {"Sunday 2015-12-20"}
    assert Counter(start(text).strftime("%Y-%m-%d") for text in sunday) == {
        "2015-12-19": 22,
        "2015-12-20": 40,
    }
    other = texts("issue-s/other-api.pem")
    assert [hash_of(text) for text in other] == ["sha1", "sha1"]
    assert not set(map(issuer, other)) & set(map(issuer, sunday))
    late = texts("issue-s/2016.pem")
    assert [hash_of(text) for text in late] == ["sha1", "sha1"]
    assert all("2016-01-01" <= start(text).isoformat()[:10] <= "2016-06-28" for text in late)
    assert not any("Signed Certificate Timestamp" in text for text in texts("issue-s/sunday.pem") + other + late)


def test_category_1() -> None:
    old, before, new = (texts(f"category-1/{part}.pem") for part in ("sha1", "precertificates", "sha256"))
    assert [hash_of(text) for text in old + before] == ["sha1"] * 12
    assert [hash_of(text) for text in new] == ["sha256"] * 6
    assert {start(text).date().isoformat() for text in old + before} == {"2015-12-19"}
    assert {start(text).date().isoformat() for text in new} == {"2016-01-04"}
    for text in old + new:
        stamps = re.findall(r"Timestamp : (.+ \d+) GMT", text)
        assert len(stamps) == 2
        assert all(re.match(r"Jan  4 \d\d:\d\d:\d\d\.\d\d\d 2016", stamp) for stamp in stamps)
    assert all("CT Precertificate Poison: critical" in text for text in before)
    assert [serial(text) for text in before] == [serial(text) for text in old]
    assert len({*map(serial, old)}) == 6
    for part in (
        r"Subject: (.+)",
        r"Subject Alternative Name: \n\s+(.+)",
        r"Subject Key Identifier: \n\s+(.+)",
    ):
        assert [found(part, text) for text in old] == [found(part, text) for text in new]
        assert [found(part, text) for text in old] == [found(part, text) for text in before]


def test_crl() -> None:
    said = openssl("crl", "-inform", "DER", "-in", EVIDENCE / "category-1" / "issuer.crl", "-noout", "-text",
                   "-CAfile", EVIDENCE / "intermediates" / "server.pem")  # fmt: skip
    assert "verify OK" in said
    entries = re.findall(r"Serial Number: ([0-9A-F]+)\s+Revocation Date: (.+)", said)
    assert {number for number, _ in entries} == {serial(text) for text in texts("category-1/sha1.pem")}
    assert len(entries) == 6
    days = {moment(at).date().isoformat() for _, at in entries}
    assert min(days) > "2016-08-24"
    assert max(days) <= "2016-08-31"
    assert "Last Update: Sep 19" in said


def test_reserved_names_only() -> None:
    paths = [path.relative_to(EVIDENCE).as_posix() for path in EVIDENCE.glob("*-*/*.pem")]
    seen = 0
    for text in texts(*paths):
        assert "Reconstruction, not WoSign CA Limited" in found(r"Issuer: (.+)", text)
        for host in re.findall(r"DNS:([^,\s]+)", text):
            assert re.search(r"(\.example|\.test|\bexample\.(com|net|org))$", host)
            seen += 1
    assert seen > 418
    assert all("Reconstructed from published figures" in (EVIDENCE / path).read_text("ascii") for path in paths)
