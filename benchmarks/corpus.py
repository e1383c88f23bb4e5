"""A corpus of TLS server certificates made by code: any number, each distinct, the same on every machine.

Each has nine extensions, two embedded SCTs and three dNSNames; half have RSA-2048 keys, half P-256; four of the eight
issuers sign with RSA-2048, four with P-256; three in ten are OV with an organisation. Keys come from seeds and from
small pools, so that they are worthless and quickly made.

Signed ones take about a quarter of a millisecond each, and their SCTs are signed too. Of the others only the first
``TEMPLATES`` are: each further one is one of these with other octets for serial number and host name, so **its
signature does not verify**. That takes 3 us, and is enough wherever signatures are not looked at.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from testpki import Authority, Log, asn1, ec_key, extensions, rsa_key
from testpki.keys import Key

ROW_GROUP = 8192
TEMPLATES = 4096
KEYS = 6
"""Subject keys of each kind."""
START = datetime(2023, 1, 1, tzinfo=UTC)
_MIX = 0x9E3779B97F4A7C15
_STREETS = ("Harbour", "Mill", "Station", "Church", "Castle", "Market")


@dataclass(frozen=True)
class Authorities:
    """Who signed the corpus: the root's certificate, and the eight issuers' in order, all DER."""

    root: bytes
    issuers: tuple[bytes, ...]


@cache
def _root() -> Authority:
    return Authority.root("Benchmark Root", key=ec_key("benchmark root"))


@cache
def _issuers() -> tuple[Authority, ...]:
    keys = [rsa_key(f"issuer {i}") if i % 2 == 0 else ec_key(f"issuer {i}") for i in range(8)]
    return tuple(
        _root().intermediate(
            f"Benchmark TLS CA {i}",
            key=key,
            subject=[("C", "AQ"), ("O", f"Benchmark Trust {i // 2}"), ("CN", f"Benchmark TLS CA {i}")],
            path_length=0,
        )
        for i, key in enumerate(keys)
    )


def authorities() -> Authorities:
    """The certificates of the root and of the issuers."""
    return Authorities(_root().certificate.der, tuple(issuer.certificate.der for issuer in _issuers()))


@cache
def logs() -> tuple[Log, ...]:
    """The CT logs that signed the SCTs."""
    return tuple(Log(f"Benchmark log {i}") for i in range(6))


@cache
def _keys(kind: str) -> tuple[Key, ...]:
    return tuple((rsa_key if kind == "rsa" else ec_key)(f"subject {i}") for i in range(KEYS))


@cache
def _before_names(issuer: int, kind: str, number: int, validation: str) -> tuple[bytes, ...]:
    """The extensions in front of the subjectAltName: they are the same in many certificates."""
    key, signer = _keys(kind)[number], _issuers()[issuer].key
    base = f"http://ca{issuer}.benchmark.example"
    access = (
        asn1.sequence(asn1.oid("1.3.6.1.5.5.7.48.1"), asn1.implicit(6, f"{base}/ocsp".encode())),
        asn1.sequence(asn1.oid("1.3.6.1.5.5.7.48.2"), asn1.implicit(6, f"{base}/issuer.crt".encode())),
    )
    return (
        extensions.key_usage(["digitalSignature", "keyEncipherment"] if kind == "rsa" else ["digitalSignature"]),
        extensions.extended_key_usage(["serverAuth", "clientAuth"]),
        extensions.basic_constraints(False),
        extensions.subject_key_id(key.identifier),
        extensions.authority_key_id(signer.identifier),
        extensions.extension("1.3.6.1.5.5.7.1.1", asn1.sequence(*access)),
        extensions.policies([validation, f"1.3.6.1.4.1.99999.{issuer}.1"]),
    )


def _token(number: int, seed: int) -> bytes:
    """Twelve hex digits, other ones for each number below 2^48."""
    return b"%012x" % ((number * _MIX + seed * 0x5851F42D4C957F2D) % (1 << 48))


def _serial(number: int, seed: int) -> bytes:
    """Sixteen octets of a positive INTEGER in its shortest form."""
    drawn = sha256(b"serial %d %d" % (seed, number)).digest()[:16]
    return bytes([0x10 | drawn[0] & 0x6F]) + drawn[1:]


def _signed(number: int, seed: int) -> bytes:
    draw = Random(f"{seed} {number}")
    issuer, kind = number % 8, "rsa" if number // 8 % 2 else "ec"
    at, validation = draw.randrange(KEYS), "ov" if draw.random() < 0.3 else "dv"
    host = f"shop-{_token(number, seed).decode()}.example"
    subject: list[tuple[str, str]] = [("CN", host)]
    if validation == "ov":
        where = draw.choice(_STREETS)
        subject = [("C", "AQ"), ("ST", f"{where}shire"), ("L", where), ("O", f"{where} {number % 977} Ltd."), *subject]
    start = START + timedelta(seconds=draw.randrange(700 * 86400))
    end = start + timedelta(days=draw.choice((90, 397)), seconds=-1)
    authority = _issuers()[issuer]
    plain = [
        *_before_names(issuer, kind, at, validation),
        extensions.subject_alt_name([host, f"www.{host}", f"api.{host}"]),
    ]
    algorithm = authority.key.algorithm()
    fields = b"".join(
        (
            asn1.explicit(0, asn1.integer(2)),
            asn1.integer(_serial(number, seed)),
            algorithm,
            authority.certificate.subject,
            asn1.sequence(asn1.utc_time(start), asn1.utc_time(end)),
            asn1.name(subject),
            _keys(kind)[at].spki,
        )
    )
    entry = asn1.sequence(fields, asn1.explicit(3, asn1.sequence(*plain)))
    promised = [log.sct(start + timedelta(minutes=60 + i)) for i, log in enumerate(draw.sample(logs(), 2))]
    hashed = sha256(authority.key.spki).digest()
    plain.append(extensions.sct_list([one.sign(entry, hashed) for one in promised]))
    tbs = asn1.sequence(fields, asn1.explicit(3, asn1.sequence(*plain)))
    return asn1.sequence(tbs, algorithm, asn1.bit_string(authority.key.sign(tbs)))


def stream(n: int, seed: int = 0, *, signed: bool = False) -> Iterator[bytes]:
    """``n`` certificates as DER, one after another."""
    made: list[bytes] = []
    for number in range(n):
        if signed or number < TEMPLATES:
            one = _signed(number, seed)
            if not signed:
                made.append(one)
            yield one
            continue
        template = number % TEMPLATES
        one = made[template].replace(_serial(template, seed), _serial(number, seed), 1)
        yield one.replace(_token(template, seed), _token(number, seed))


def certificates(n: int, seed: int = 0, *, signed: bool = False) -> list[bytes]:
    """``n`` certificates as DER."""
    return list(stream(n, seed, signed=signed))


def write_parquet(path: Path, n: int, seed: int = 0, *, signed: bool = False) -> None:
    """``n`` certificates into the column ``der`` of a Parquet file, in row groups of ``ROW_GROUP``."""
    schema = pa.schema([pa.field("der", pa.large_binary())])
    ders = stream(n, seed, signed=signed)
    with pq.ParquetWriter(path, schema, compression="NONE", use_dictionary=False) as writer:
        while group := list(islice(ders, ROW_GROUP)):
            writer.write_table(pa.table([pa.array(group, pa.large_binary())], schema=schema), row_group_size=ROW_GROUP)


def write_pem(path: Path, n: int, seed: int = 0, *, signed: bool = False) -> None:
    """``n`` certificates as PEM, lines of 64 characters."""
    with path.open("wb") as file:
        for der in stream(n, seed, signed=signed):
            text = base64.b64encode(der)
            lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
            file.write(b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n")
