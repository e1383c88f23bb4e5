"""What openssl says of a certificate, field by field, from one call of ``openssl x509 -text``."""

import re
import subprocess
from dataclasses import dataclass
from datetime import datetime
from functools import cache

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
    dns_names: list[str]
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
    command += ["-nameopt", "RFC2253,-esc_msb,utf8"]
    done = subprocess.run(command, input=der, capture_output=True, check=False, timeout=60)
    if done.returncode:
        return None
    text = done.stdout.decode("utf-8", "replace")

    def one(pattern: str) -> str:
        found = re.search(pattern, text, re.MULTILINE)
        return found[1] if found else ""

    serial = one(r"^serial=(-?[0-9A-F]+)$")
    bits = one(r"^ +(?:RSA |RSA-PSS |DSA )?Public-Key: \((\d+) bit")
    # Extensions stand twelve columns in, and what they say sixteen.
    listed = text.partition("X509v3 extensions:")[2].partition("\n    Signature Algorithm:")[0]
    heads = re.findall(r"^ {12}(\S[^\n]*?): ?(?:critical)?$", listed, re.MULTILINE)
    names = object_names()
    san = one(r"X509v3 Subject Alternative Name: ?(?:critical)?\n {16}([^\n]*)")
    return Reading(
        int(serial, 16) if serial else None,
        one(r"^        Issuer: ?(.*)$"),
        one(r"^        Subject: ?(.*)$"),
        _date(one(r"Not Before: (.*)$")),
        _date(one(r"Not After : (.*)$")),
        one(r"^    Signature Algorithm: (.+)$"),
        int(bits) if bits else None,
        [names.get(head, head) for head in heads],
        [entry.removeprefix("DNS:") for entry in san.split(", ") if entry.startswith("DNS:")],
        text,
    )


def _date(shown: str) -> datetime | None:
    try:
        # strptime wants four digits of the year.
        return datetime.strptime(re.sub(r" (\d{1,3}) GMT$", lambda m: f" {m[1]:0>4} GMT", shown), _DATE)
    except ValueError:
        return None
