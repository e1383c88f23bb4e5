"""A Certificate Transparency log for tests: signs SCTs (RFC 6962 3.2) and stands in a log list (v3)."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from testpki import asn1
from testpki.keys import Key, ec_key

_HASH_SHA256 = 4
_SIGNATURES = {"rsa": 1, "ec": 3}  # TLS 1.2 SignatureAlgorithm, RFC 5246 7.4.1.4.1
_EPOCH = asn1.moment("1970-01-01T00:00:00Z")


@dataclass(frozen=True)
class Log:
    """A log: what it is called and its key (P-256 from the name unless given)."""

    name: str
    given_key: Key | None = None

    @property
    def key(self) -> Key:
        """The key that signs SCTs."""
        return self.given_key or ec_key(f"log {self.name}")

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the log's SubjectPublicKeyInfo; 32 octets."""
        return sha256(self.key.spki).digest()

    def sct(
        self,
        at: asn1.Time | int,
        *,
        version: int = 0,
        extensions: bytes = b"",
        signature: bytes | None = None,
    ) -> "Request":
        """The promise of an SCT with this timestamp, to be handed to ``issue(scts=...)``.

        ``at`` is a time, or milliseconds since 1970. ``signature`` is a DER signature in place of a true one.
        """
        milliseconds = at if isinstance(at, int) else _milliseconds(at)
        return Request(self, milliseconds, version, extensions, signature)

    def entry(self, *, state: str | None = "usable", since: str = "2015-01-01T00:00:00Z") -> dict[str, object]:
        """This log as an object of a log list v3."""
        slug = "-".join(self.name.lower().split())
        logged: dict[str, object] = {
            "description": self.name,
            "log_id": b64encode(self.log_id).decode("ascii"),
            "key": b64encode(self.key.spki).decode("ascii"),
            "url": f"https://{slug}.example/",
            "mmd": 86400,
        }
        return logged if state is None else {**logged, "state": {state: {"timestamp": since}}}


@dataclass(frozen=True)
class Request:
    """An SCT that is signed once the certificate that shall carry it is known."""

    log: Log
    timestamp: int
    version: int
    extensions: bytes
    signature: bytes | None

    def sign(self, tbs: bytes, issuer_key_hash: bytes) -> bytes:
        """The serialised SCT over a precert_entry.

        ``tbs`` is the TBSCertificate without poison and SCT list, ``issuer_key_hash`` the SHA-256 of the
        final issuer's SubjectPublicKeyInfo.
        """
        time = self.timestamp.to_bytes(8)
        tail = len(self.extensions).to_bytes(2) + self.extensions
        entry = issuer_key_hash + len(tbs).to_bytes(3) + tbs
        # version v1, signature_type certificate_timestamp, timestamp, entry_type precert_entry
        signed = b"\0\0" + time + b"\0\1" + entry + tail
        key = self.log.key
        signature = key.sign(signed) if self.signature is None else self.signature
        head = bytes([self.version]) + self.log.log_id + time + tail
        return head + bytes([_HASH_SHA256, _SIGNATURES[key.kind]]) + len(signature).to_bytes(2) + signature


def log_list(logs: Sequence[Log], *, operator: str = "Test operator", at: str = "2024-01-01T00:00:00Z") -> str:
    """A log list (schema v3) of one operator as JSON text, ending in a newline."""
    operators = [{"name": operator, "email": ["logs@operator.example"], "logs": [log.entry() for log in logs]}]
    listed = {"version": "1.0", "log_list_timestamp": at, "operators": operators}
    return json.dumps(listed, indent=2) + "\n"


def _milliseconds(at: asn1.Time) -> int:
    if isinstance(at, bytes):
        raise TypeError("an SCT's timestamp is no DER; give milliseconds for an odd one")
    return (asn1.moment(at) - _EPOCH) // timedelta(milliseconds=1)
