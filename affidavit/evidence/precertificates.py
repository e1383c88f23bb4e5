"""Precertificates that a precertificate signing certificate issued, as their log entries have them (RFC 6962 3.1, 3.2).

Such a signing certificate is a CA's, issued by the CA that will issue the certificate itself, for nothing but
precertificates. In the log entry, and so under the SCT, the issuer is the final one: the issuer name and the authority
key identifier of the TBSCertificate are those of the signing certificate's own issuer. All is cut and put together
from bytes, never encoded again.
"""

from collections.abc import Iterable

from affidavit.evidence import der, oids, parts
from affidavit.evidence.certificate import Certificate
from affidavit.evidence.der import DerError
from affidavit.evidence.verify import slices, verify_batch

PRECERTIFICATE_SIGNING = "1.3.6.1.4.1.11129.2.4.4"
_SHOWN = {PRECERTIFICATE_SIGNING, oids.EXTENDED_KEY_USAGES.get(PRECERTIFICATE_SIGNING, PRECERTIFICATE_SIGNING)}


def signs_precertificates(certificate: Certificate) -> bool:
    """Whether it is a precertificate signing certificate: a CA's, with that extended key usage."""
    usages = certificate.row["extended_key_usage"] or ()
    return certificate.row["is_ca"] is True and not _SHOWN.isdisjoint(usages)


def signer_of(precertificate: Certificate, signing: Iterable[Certificate]) -> Certificate | None:
    """The one of some precertificate signing certificates whose name and key signed a precertificate, or None.

    At most `verify.MAX_KEYS` keys are tried.
    """
    able = [one for one in signing if one.subject_der == precertificate.issuer_der and signs_precertificates(one)]
    by_key = {one.row["spki_sha256"]: one for one in able}
    keys = {precertificate.issuer_der: tuple(dict.fromkeys(one.spki for one in able))}
    (link,) = verify_batch([precertificate.der], keys)
    return by_key.get(link.spki_sha256)


def precert_tbs(precertificate: Certificate, signing: Certificate) -> bytes | None:
    """The TBSCertificate of a precertificate's log entry, where a precertificate signing certificate issued it.

    Poison and SCT list are cut out; issuer name and authority key identifier are those of the signing certificate. An
    authority key identifier that only one of the two has is left out, or put last, as the first implementation of the
    RFC does. None where the structure cannot be read.
    """
    try:
        return _swapped(precertificate.tbs, signing.issuer_der, _aki_value(signing.der))
    except (DerError, IndexError):
        return None


def _aki_value(data: bytes) -> bytes | None:
    tbs = slices(data).tbs
    fields = der.children(tbs, der.read(tbs, 0, len(tbs)))
    every = parts.extensions(tbs, fields[-1]) if fields[-1].tag == 0xA3 else []
    found = [one.value for one in every if one.oid == oids.AUTHORITY_KEY_ID]
    if len(found) > 1:
        raise DerError("two authority key identifiers")
    return found[0] if found else None


def _swapped(tbs: bytes, issuer: bytes, aki: bytes | None) -> bytes:
    outer = der.expect(tbs, 0, len(tbs), der.SEQUENCE, "TBSCertificate")
    fields = der.children(tbs, outer)
    name = fields[3 if fields[0].tag == 0xA0 else 2]
    wrapper = fields[-1]
    if wrapper.tag != 0xA3:
        raise DerError("a precertificate without extensions")
    kept, met = b"", False
    for one in parts.extensions(tbs, wrapper):
        if one.oid in (oids.POISON, oids.SCT_LIST):
            continue
        if one.oid != oids.AUTHORITY_KEY_ID:
            kept += der.whole(tbs, one.place)
            continue
        if met:
            raise DerError("two authority key identifiers")
        met = True
        if aki is not None:
            # OID and criticality stay as they stand.
            head = tbs[one.place.content : der.children(tbs, one.place)[-1].start]
            kept += der.wrap(der.SEQUENCE, head + der.wrap(der.OCTET_STRING, aki))
    if aki is not None and not met:
        kept += der.wrap(der.SEQUENCE, bytes.fromhex("0603551d23") + der.wrap(der.OCTET_STRING, aki))
    ends = der.wrap(wrapper.tag, der.wrap(der.SEQUENCE, kept)) if kept else b""
    body = tbs[outer.content : name.start] + issuer + tbs[name.end : wrapper.start] + ends
    return der.wrap(der.SEQUENCE, body)
