"""What openssl says of a certificate, field by field, from one call of ``openssl x509 -text``."""

import re
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any

_DATE = "%b %d %H:%M:%S %Y GMT"


@dataclass(frozen=True)
class Reading:
    """openssl's word; ``None`` where its output does not settle a field."""

    serial: int | None
    issuer: str
    subject: str
    not_before: datetime | None
    not_after: datetime | None
    signature_algorithm: str
    key_bits: int | None
    extension_oids: list[str]
    dns_names: list[str] | None
    ip_addresses: list[str] | None
    policy_oids: list[str] | None
    is_ca: bool | None
    path_length: int | None
    key_type: str
    text: str


@cache
def object_names() -> dict[str, str]:
    """Long and short names of objects to dotted form, as ``openssl list -objects`` prints them."""
    out = subprocess.run(["openssl", "list", "-objects"], capture_output=True, check=True).stdout.decode()
    names: dict[str, str] = {}
    for line in out.splitlines():
        if found := re.fullmatch(r"(?:(.+?) = )?(?:(.+), )?([\d.]+)", line):
            names |= {name: found[3] for name in found.group(1, 2) if name}
    return names


def read(der: bytes) -> Reading | None:
    """openssl's reading of one DER certificate; None where it refuses."""
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-text", "-serial"]
    command += ["-nameopt", "RFC2253,-esc_msb,utf8,-dump_unknown"]
    done = subprocess.run(command, input=der, capture_output=True, check=False, timeout=60)
    if done.returncode:
        return None
    text = done.stdout.decode("utf-8", "backslashreplace")

    def one(pattern: str) -> str:
        found = re.search(pattern, text, re.MULTILINE)
        return found[1] if found else ""

    serial = one(r"^serial=(-?[0-9A-F]+)$")
    names = object_names()
    bits = one(r"^ +(?:RSA |RSA-PSS |DSA )?Public-Key: \((\d+) bit")
    # Extensions stand twelve columns in, and what they say sixteen.
    listed = text.partition("X509v3 extensions:")[2].partition("\n    Signature Algorithm:")[0]
    heads = re.findall(r"^ {12}(\S[^\n]*?): ?(?:critical)?$", listed, re.MULTILINE)
    oids = [names.get(head, head) for head in heads]
    said = {title: _said(listed, title) for title in (_SAN, _POLICIES, _BASIC)}
    basic = re.fullmatch(r"CA:(TRUE|FALSE)(?:, pathlen:(-?\d+))?", (said[_BASIC] or ["CA:FALSE"])[0])
    algorithm = one(r"Public Key Algorithm: (.+)$")
    # What x509 shows as octets alone, or over several lines, asn1parse tells.
    dns, addresses = _entries(said[_SAN])
    if dns is None or re.search(r"\n(?! {12})", listed) or not all(map(str.isascii, dns)):
        dns, addresses = _parsed_names(der) if said[_SAN] is not None else ([], [])
    policies: list[str] | None = [e.removeprefix("Policy: ") for e in said[_POLICIES] or () if e.startswith("Policy: ")]
    if said[_POLICIES] and not policies:
        policies = _parsed_policies(der)
    return Reading(
        int(serial, 16) if serial else None,
        one(r"^        Issuer: ?(.*)$"),
        one(r"^        Subject: ?(.*)$"),
        _date(one(r"Not Before: (.*)$")),
        _date(one(r"Not After : (.*)$")),
        one(r"^    Signature Algorithm: (.+)$"),
        int(bits) if bits else None,
        oids,
        dns,
        addresses,
        policies and [names.get(policy, policy) for policy in policies],
        basic[1] == "TRUE" if basic else None,
        int(basic[2]) if basic and basic[2] else None,
        KEYS.get(algorithm, names.get(algorithm, algorithm)),
        text,
    )


_SAN, _POLICIES = "X509v3 Subject Alternative Name", "X509v3 Certificate Policies"
_BASIC, _IP = "X509v3 Basic Constraints", "IP Address:"
KEYS = {
    "rsaEncryption": "RSA", "rsassaPss": "RSA-PSS", "id-ecPublicKey": "EC", "dsaEncryption": "DSA", "X25519": "X25519",
    "X448": "X448", "ED25519": "Ed25519", "ED448": "Ed448",
}  # fmt: skip
COMPARED = (
    "serial", "issuer", "subject", "not_before", "not_after", "signature_algorithm", "key_type", "key_bits",
    "extension_oids", "dns_names", "ip_addresses", "policy_oids", "is_ca", "path_length",
)  # fmt: skip
#: The columns of extensions that tell nothing where they stand twice, though openssl shows both.
_OF = {"2.5.29.17": ("dns_names", "ip_addresses"), "2.5.29.32": ("policy_oids",), "2.5.29.19": ("is_ca", "path_length")}


def differences(theirs: Reading, row: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Each column of a row that is not what openssl says: its name, our value, openssl's."""
    ours = {name: row[name] for name in COMPARED}
    wanted = {name: getattr(theirs, name) for name in COMPARED}
    ours["serial"] = None if row["serial"] is None else int(row["serial"], 16)
    for one in (ours, wanted):
        one["signature_algorithm"] = object_names().get(one["signature_algorithm"], one["signature_algorithm"])
    if theirs.key_bits is None:
        ours["key_bits"] = None  # openssl does not load every key whose size is told
    for oid, columns in _OF.items():
        if theirs.extension_oids.count(oid) > 1:
            wanted |= dict.fromkeys(columns)
    return [(name, ours[name], wanted[name]) for name in COMPARED if ours[name] != wanted[name]]


def _said(listed: str, title: str) -> list[str] | None:
    """The lines of the first extension of a title; None where there is none."""
    found = re.search(rf"^ {{12}}{title}: ?(?:critical)?\n((?: {{16}}.*\n?)*)", listed, re.MULTILINE)
    return [line[16:] for line in found[1].split("\n") if line] if found else None


Names = tuple[list[str] | None, list[str] | None]


def _entries(lines: list[str] | None) -> Names:
    """The dNSNames and iPAddresses of a subjectAltName; None where openssl could not read it and shows its octets."""
    entries = ", ".join(lines or ()).split(", ")
    known = ("DNS:", "email:", "URI:", _IP, "DirName:", "othername:", "Registered ID:", "X400Name:", "EdiPartyName:")
    if entries[0] not in ("", "<EMPTY>") and not entries[0].startswith(known):
        return None, None
    addresses = [e.removeprefix(_IP) for e in entries if e.startswith(_IP)]
    if any(address.startswith("<invalid") for address in addresses):
        return None, None
    return (
        [e.removeprefix("DNS:") for e in entries if e.startswith("DNS:")],
        [str(ip_address(address)) for address in addresses],
    )


_PARSED = re.compile(r"^ *(\d+):d=(\d+) +hl=(\d+) +l= *(\d+) (?:prim|cons): (.*)$", re.MULTILINE)


def _parsed(data: bytes) -> list[tuple[int, bytes, str]]:
    """Depth, content and description of each value, by ``openssl asn1parse``."""
    command = ["openssl", "asn1parse", "-inform", "DER"]
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)
    found = []
    for line in _PARSED.findall(done.stdout.decode("utf-8", "replace")):
        at, depth, head, length = map(int, line[:4])
        found.append((depth, data[at + head : at + head + length], line[4].rstrip()))
    return found


def _extension(der: bytes, title: str) -> list[tuple[int, bytes, str]]:
    """The values inside the first extension of a title."""
    listed = _parsed(der)
    at = next(n for n, (_, _, what) in enumerate(listed) if what == f"OBJECT            :{title}")
    return _parsed(next(content for _, content, what in listed[at:] if what.startswith("OCTET STRING")))


def _parsed_names(der: bytes) -> Names:
    inside = [(content, what) for depth, content, what in _extension(der, _SAN) if depth == 1]
    if not all(what.startswith("cont [") for _, what in inside):
        return None, None
    texts = [content.decode("utf-8", "backslashreplace") for content, what in inside if what == "cont [ 2 ]"]
    addresses = [content for content, what in inside if what == "cont [ 7 ]"]
    if any(len(address) not in (4, 16) for address in addresses):
        return None, None
    return texts, [str(ip_address(address)) for address in addresses]


def _parsed_policies(der: bytes) -> list[str] | None:
    inside = [what for depth, _, what in _extension(der, _POLICIES) if depth == 2 and what.startswith("OBJECT ")]
    return [what.partition(":")[2] for what in inside] or None


def _date(shown: str) -> datetime | None:
    try:
        if found := re.fullmatch(r"(.*:\d\d)\.(\d+) (\d+ GMT)", shown):
            whole = _date(f"{found[1]} {found[3]}")
            return whole and whole + timedelta(seconds=float(f"0.{found[2]}"))
        # strptime wants four digits of the year.
        return datetime.strptime(re.sub(r" (\d{1,3}) GMT$", lambda m: f" {m[1]:0>4} GMT", shown), _DATE)
    except ValueError:
        return None
