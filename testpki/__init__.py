"""Throw-away certificate authorities for tests and for reconstructed evidence.

Valid by default: ``Authority.root("Test Root").issue("a.example")`` is a plain TLS certificate. Each
argument takes a value, ``True`` (the usual) or ``None`` (left out), and ``bytes`` stand for DER put in
as they are, so a test says in one line what is odd about its certificate and nothing else.

Everything is deterministic: keys come from seeds (:mod:`testpki.keys`), serial numbers from names,
times are fixed, ECDSA nonces are those of RFC 6979. The keys are therefore public knowledge; nothing
made here is fit for any use but as evidence in a test.

Structures are assembled as DER (:mod:`testpki.asn1`), because a library that builds certificates
refuses what incidents are made of: SHA-1 signatures, shared, negative or overlong serial numbers,
odd times and odd names. Nothing here imports the program under test, and it is judged by openssl.
"""

from testpki.build import Authority, Certificate, bundle
from testpki.crl import Crl, Revoked
from testpki.ct import Log, log_list
from testpki.keys import Key, ec_key, ed25519_key, rsa_key, rsa_public_key

__all__ = [
    "Authority",
    "Certificate",
    "Crl",
    "Key",
    "Log",
    "Revoked",
    "bundle",
    "ec_key",
    "ed25519_key",
    "log_list",
    "rsa_key",
    "rsa_public_key",
]
