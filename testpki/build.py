"""Authorities and the certificates that they issue, sound by default and odd on request."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Literal, Self, TypedDict, Unpack

from testpki import asn1, extensions
from testpki.crl import Crl, Revoked, issue_crl
from testpki.ct import Request
from testpki.keys import Key, ec_key, ed25519_key, rsa_key, stream

Usual = Literal[True]
KeyChoice = Key | Literal["rsa", "ec", "ed25519"]

LEAF_START = "2024-01-01T00:00:00Z"
CA_START, CA_END = "2000-01-01T00:00:00Z", "2049-12-31T23:59:59Z"


class Options(TypedDict, total=False):
    """What a certificate may be told. ``True`` is the usual (the default unless said), ``None`` leaves out."""

    # Fields of the TBSCertificate, in its order.
    version: int | Usual | None  # 1 or None: no version field, and no extensions unless given
    serial: int | bytes | Usual  # bytes: content octets of the INTEGER; usual: derived from the other fields
    hash: str  # md5 sha1 sha224 sha256 sha384 sha512; usual: sha256
    pss: bool  # RSASSA-PSS in place of PKCS #1 v1.5; usual: False
    tbs_algorithm: bytes | Usual  # AlgorithmIdentifier inside the TBS; usual: equal to the outer one
    issuer: asn1.Name | Usual
    not_before: asn1.Time | Usual
    not_after: asn1.Time | Usual  # usual: `days` after not_before, its last second included
    days: int  # usual: 90
    subject: asn1.Name | Usual | None  # usual: the common name given first; None: empty
    key: KeyChoice | Usual  # usual: P-256, from the name as seed
    spki: bytes | Usual  # SubjectPublicKeyInfo in place of the key's
    # Extensions, in the order in which they are written.
    ca: bool  # cA and a CA's usual extensions; usual: False
    basic_constraints: Usual | None
    path_length: int | None  # usual: None
    key_usage: Sequence[str] | Usual | None
    extended_key_usage: Sequence[str] | Usual | None
    policies: Sequence[str] | Usual | None  # OIDs or dv ov iv ev; usual: dv
    ski: bytes | Usual | None
    aki: bytes | Usual | None
    dns: Sequence[str | bytes] | Usual | None  # usual: the name given first
    ips: Sequence[str | bytes]
    other_names: Sequence[bytes]  # whole GeneralNames
    crl_url: str | None
    ocsp_url: str | None
    extensions: Sequence[bytes] | None  # more of them, encoded; None: no extension at all
    arrange: Callable[[list[bytes]], Iterable[bytes]]  # a last word on the list: reversed, doubled, cut
    # Certificate Transparency.
    scts: Sequence[Request | bytes] | None
    # Signature.
    signed_by: Key | Usual
    signature: bytes | Usual  # octets in place of a true signature
    algorithm: bytes | Usual  # outer AlgorithmIdentifier


@dataclass(frozen=True)
class Certificate:
    """A signed certificate or precertificate."""

    der: bytes
    tbs: bytes
    serial: int
    subject: bytes
    key: Key

    @property
    def sha256(self) -> str:
        """Fingerprint: SHA-256 of the DER, lower-case hex."""
        return sha256(self.der).hexdigest()

    def pem(self) -> str:
        """PEM text."""
        return asn1.pem(self.der)


def bundle(certificates: Iterable[Certificate], comment: str = "") -> str:
    """PEM text of several certificates, after lines of comment (each begun with ``# ``)."""
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    return head + "".join(certificate.pem() for certificate in certificates)


@dataclass(frozen=True)
class Authority:
    """A CA: its certificate and the key that signs."""

    certificate: Certificate
    key: Key

    @classmethod
    def root(cls, name: str = "Test Root", **options: Unpack[Options]) -> Self:
        """A self-signed CA valid 2000 through 2049; its key is P-256 from the name unless chosen."""
        options = _as_ca(options)
        key = _key(options.get("key", True), name)
        subject = _subject(options, name)
        options["policies"] = options.get("policies", None)
        return cls(_issue(name, options, key, subject), key)

    def intermediate(self, name: str = "Test Intermediate", **options: Unpack[Options]) -> "Authority":
        """A CA certificate under this one, and its key."""
        certificate = self.issue(name, **_as_ca(options))
        return Authority(certificate, certificate.key)

    def issue(self, name: str = "a.example", **options: Unpack[Options]) -> Certificate:
        """A certificate: of a TLS server called ``name`` unless told otherwise.

        ``scts`` are promises by logs (:meth:`testpki.ct.Log.sct`) or serialised SCTs; the former are
        signed over this certificate's precertificate entry (RFC 6962 3.2) and embedded as the last
        extension.
        """
        return _issue(name, options, self.key, self.certificate.subject)

    def precertificate(self, name: str = "a.example", **options: Unpack[Options]) -> Certificate:
        """The precertificate of what :meth:`issue` makes of the same arguments: poison in place of SCTs."""
        return _issue(name, options, self.key, self.certificate.subject, poison=True)

    def pair(self, name: str = "a.example", **options: Unpack[Options]) -> tuple[Certificate, Certificate]:
        """A precertificate and its certificate."""
        return self.precertificate(name, **options), self.issue(name, **options)

    def crl(
        self,
        revoked: Iterable[Revoked] = (),
        *,
        this_update: asn1.Time,
        next_update: asn1.Time | None = None,
        number: int | None = 1,
        hash: str = "sha256",
        issuer: asn1.Name | None = None,
        extensions: Sequence[bytes] = (),
        signature: bytes | None = None,
    ) -> Crl:
        """A CRL signed by this CA; see :func:`testpki.crl.issue_crl`."""
        name = self.certificate.subject if issuer is None else asn1.name(issuer)
        return issue_crl(self.key, name, revoked, this_update, next_update, number, hash, extensions, signature)


def _as_ca(options: Options) -> Options:
    usual: Options = {"ca": True, "not_before": CA_START, "not_after": CA_END, "dns": None}
    return {**usual, **options}


def _key(choice: KeyChoice | Usual, seed: str) -> Key:
    if isinstance(choice, Key):
        return choice
    if choice is True:
        return ec_key(seed)
    return {"rsa": rsa_key, "ec": ec_key, "ed25519": ed25519_key}[choice](seed)


def _subject(options: Options, name: str) -> bytes:
    subject = options.get("subject", True)
    if subject is None:
        return asn1.sequence()
    return asn1.name(name if subject is True else subject)


def _validity(options: Options) -> bytes:
    start, end = options.get("not_before", True), options.get("not_after", True)
    start = LEAF_START if start is True else start
    if end is True:
        first = LEAF_START if isinstance(start, bytes) else start
        end = asn1.moment(first) + timedelta(days=options.get("days", 90), seconds=-1)
    return asn1.sequence(asn1.time(start), asn1.time(end))


def _extensions(options: Options, name: str, key: Key, issuer_key: Key) -> list[bytes]:
    """All extensions but poison and SCT list, in order."""
    ca = options.get("ca", False)
    made: list[bytes] = []
    if options.get("basic_constraints", True):
        made.append(extensions.basic_constraints(ca, options.get("path_length")))
    usage = options.get("key_usage", True)
    if usage is True:
        encipherment = ["keyEncipherment"] if key.kind == "rsa" else []
        usage = ["keyCertSign", "cRLSign"] if ca else ["digitalSignature", *encipherment]
    if usage is not None:
        made.append(extensions.key_usage(usage))
    extended = options.get("extended_key_usage", True)
    if extended is True:
        extended = None if ca else ["serverAuth", "clientAuth"]
    if extended is not None:
        made.append(extensions.extended_key_usage(extended))
    policies = options.get("policies", True)
    if policies is True:
        policies = ["2.5.29.32.0"] if ca else ["dv"]
    if policies is not None:
        made.append(extensions.policies(policies))
    ski = options.get("ski", True)
    if ski is not None:
        made.append(extensions.subject_key_id(key.identifier if ski is True else ski))
    aki = options.get("aki", True)
    if aki is not None:
        made.append(extensions.authority_key_id(issuer_key.identifier if aki is True else aki))
    dns = options.get("dns", True)
    dns = [name] if dns is True else dns or []
    ips, other = options.get("ips", ()), options.get("other_names", ())
    if dns or ips or other:
        made.append(extensions.subject_alt_name(dns, ips, other))
    if (url := options.get("crl_url")) is not None:
        made.append(extensions.crl_distribution_points(url))
    if (url := options.get("ocsp_url")) is not None:
        made.append(extensions.authority_info_access(url))
    return made


def _issue(name: str, options: Options, issuer_key: Key, issuer_name: bytes, *, poison: bool = False) -> Certificate:
    key = _key(options.get("key", True), name)
    subject = _subject(options, name)
    issuer = options.get("issuer", True)
    issuer = issuer_name if issuer is True else asn1.name(issuer)
    signer = options.get("signed_by", True)
    signer = issuer_key if signer is True else signer
    hash, pss = options.get("hash", "sha256"), options.get("pss", False)
    algorithm = options.get("algorithm", True)
    algorithm = signer.algorithm(hash, pss=pss) if algorithm is True else algorithm
    inner = options.get("tbs_algorithm", True)
    version = options.get("version", True)
    version = 3 if version is True else version or 1
    validity = _validity(options)
    spki = options.get("spki", True)
    spki = key.spki if spki is True else spki

    extra = options.get("extensions", ())
    plain: list[bytes] = []
    if extra is not None:
        plain = [*(_extensions(options, name, key, issuer_key) if version == 3 else []), *extra]

    serial = options.get("serial", True)
    if serial is True:
        # Poison and SCTs do not enter, so that a precertificate and its certificate share the number.
        seed = b"".join([issuer, subject, validity, algorithm, spki, *plain])
        serial = int.from_bytes(stream(f"serial {seed.hex()}", 16)) >> 1 | 1 << 120
    fields = [
        asn1.explicit(0, asn1.integer(version - 1)) if version != 1 else b"",
        asn1.integer(serial),
        algorithm if inner is True else inner,
        issuer,
        validity,
        subject,
        spki,
    ]

    def to_be_signed(*more: bytes) -> bytes:
        listed = list(options.get("arrange", list)([*plain, *more]))
        return asn1.sequence(*fields, asn1.explicit(3, asn1.sequence(*listed)) if listed else b"")

    if poison:
        tbs = to_be_signed(extensions.poison())
    elif (scts := options.get("scts")) is not None:
        entry, issuer_key_hash = to_be_signed(), sha256(issuer_key.spki).digest()
        made = [sct if isinstance(sct, bytes) else sct.sign(entry, issuer_key_hash) for sct in scts]
        tbs = to_be_signed(extensions.sct_list(made))
    else:
        tbs = to_be_signed()

    signature = options.get("signature", True)
    signature = signer.sign(tbs, hash, pss=pss) if signature is True else signature
    number = int.from_bytes(serial, signed=True) if isinstance(serial, bytes) else serial
    der = asn1.sequence(tbs, algorithm, asn1.bit_string(signature))
    return Certificate(der, tbs, number, subject, key)
