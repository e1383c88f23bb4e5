"""Signatures: 100,000 certificates under few issuers, over the bare loop of verifications on as many processes.

The bare loop has TBS, signature and loaded keys at hand; what is measured has DER and the issuers' names and keys. A
few thousand certificates are signed, with keys derived from seeds, and verified again and again: a batch holds none of
them twice, so that nothing is gained by it.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from affidavit.evidence.verify import Link, slices, verify_batch
from benchmarks.__main__ import Figure, ratio
from testpki.build import Authority
from testpki.keys import ec_key

CERTIFICATES = 100_000
BATCH = 2_000
PROCESSES = 2
ISSUERS = 4
GOAL = 1.3

_ders: list[bytes] = []
_keys: dict[bytes, tuple[bytes, ...]] = {}
_bare: list[tuple[Any, bytes, bytes, tuple[Any, ...]]] = []


def corpus(kind: str) -> tuple[list[bytes], dict[bytes, tuple[bytes, ...]]]:
    """A batch of certificates of some 1,200 octets under a few issuers of RSA-2048 or P-256, and these."""
    which: Literal["rsa", "ec"] = "rsa" if kind == "rsa" else "ec"
    issuers = [Authority.root(f"{kind} issuer {number}", key=which) for number in range(ISSUERS)]
    subject = ec_key("subjects")
    ders = [
        issuers[number % ISSUERS]
        .issue(
            f"{number}.{kind}.example",
            key=subject,
            scts=[bytes([number % 251]) * 119, bytes([number % 241]) * 120],
            dns=[f"{number}.{kind}.example", f"www.{number}.{kind}.example"],
            crl_url=f"http://crl.{kind}.example/issuing-authority/{number % 7}.crl",
            ocsp_url=f"http://ocsp.{kind}.example/",
        )
        .der
        for number in range(BATCH)
    ]
    return ders, {one.certificate.subject: (one.key.spki,) for one in issuers}


def prepare(ders: list[bytes], keys: dict[bytes, tuple[bytes, ...]]) -> None:
    """What a worker has at hand before the clock runs."""
    _ders.extend(ders)
    _keys.update(keys)
    loaded = {name: load_der_public_key(spkis[0]) for name, spkis in keys.items()}
    for data in ders:
        cut = slices(data)
        key = loaded[cut.issuer_der]
        plain = (padding.PKCS1v15(), hashes.SHA256())
        arguments = plain if isinstance(key, rsa.RSAPublicKey) else (ec.ECDSA(hashes.SHA256()),)
        _bare.append((key, cut.signature, cut.tbs, arguments))


def bare(_: int) -> int:
    """Verify one batch, everything being at hand; raises where a signature is wrong."""
    for key, signature, tbs, arguments in _bare:
        key.verify(signature, tbs, *arguments)
    return len(_bare)


def linked(_: int) -> int:
    """Link one batch; the number of certificates whose issuer's key was found."""
    links: list[Link] = verify_batch(_ders, _keys)
    return sum(link.spki_sha256 is not None for link in links)


@contextmanager
def workers(kind: str) -> Iterator[ProcessPoolExecutor]:
    """Processes that have a corpus at hand, and have started."""
    made = corpus(kind)
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), prepare, made) as pool:
        for _ in range(3):
            list(pool.map(linked, range(PROCESSES)))
        yield pool


def authenticity(rounds: int = 3) -> list[Figure]:
    """For each kind of issuer key the time of linking over that of the bare loop."""
    found = []
    for kind, name in (("rsa", "RSA-2048"), ("ec", "P-256")):
        with workers(kind) as pool:

            def run(work: Any, pool: ProcessPoolExecutor = pool) -> None:
                done = sum(pool.map(work, range(CERTIFICATES // BATCH)))
                if done != CERTIFICATES:
                    raise ValueError(f"{done:,} of {CERTIFICATES:,} certificates were verified")

            value = ratio(partial(run, linked), partial(run, bare), rounds)
        found.append(Figure(f"authenticity, {name}", value, f"x bare verify, {PROCESSES} processes", GOAL))
    return found


if __name__ == "__main__":
    for figure in authenticity():
        print(figure.line())
