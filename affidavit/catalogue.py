"""The catalogue of facts that incident reports state: how each is written, what settles it, where it goes wrong.

``docs/claims.md`` is generated from it; a test compiles every example, holds its sentence against what it states, and
sees that a figure one off is caught.
"""

from typing import NamedTuple


class Fact(NamedTuple):
    """A type of fact: how it reads, its claim as YAML (in flow style), the evidence it needs, and its pitfalls."""

    name: str
    says: str
    claim: str
    needs: str
    pitfalls: str


COLLECTIONS = {
    "affected": "the certificates that the report is about",
    "precertificates": "their precertificates",
    "counterparts": "certificates that they are compared with",
    "found": "all that a search found, declared complete from 2016-01-01 until 2016-06-28",
}
"""The collections that the examples name."""

_UNCHECKED = "nothing among certificates: say so, or quote the document that says it"

FACTS: dict[str, tuple[Fact, ...]] = {
    "Counts and totals": (
        Fact("total affected", "313 certificates are affected.", "{over: affected, count: 313}",
             "the certificates", "names, certificates and customers are different units; a copy counts once"),
        Fact("certificates or precertificates", "8 were logged, certificates and precertificates together.",
             "{over: affected, kind: any, count: 8}",
             "both kinds", "a precertificate is not counted unless `kind` asks for it; alone it implies a certificate"),
        Fact("remaining valid", "22 of them expire after 2016-09-01T12:00Z.",
             "{over: affected, where: {not_after: {after: 2016-09-01T12:00Z}}, count: 22}",
             "the certificates; CRLs where revoked ones are left out", "state the instant; expired and revoked differ"),
        Fact("total of parts", "The parts make 340 together.", "{total: [part-one, part-two], count: 340}",
             "the certificates of each part", "parts that overlap do not add up: the claim is refuted"),
        Fact("one list, two figures", "The attached list names 3,073.",
             "{over: affected, table: lists, count: 3073}",
             "the list itself, pinned by its hash", "a list is somebody's word: no certificate stands behind it"),
        Fact("conflicting totals", "The table of the report holds 26,668 different certificates.",
             "{over: affected, table: lists, distinct: {sha256: 26668}}",
             "the list", "the same certificate listed twice"),
        Fact("approximate", "More than 1.8 million are affected.",
             "{over: affected, count: {at_least: 1800001}}",
             "the certificates", "a range, never equality; the words must say at least, at most or about"),
        Fact("early count", "At least 3 were found.", "{over: affected, count: {at_least: 3}}",
             "the certificates found", "what outsiders found is a floor; only `only` says that there are no more"),
        Fact("share", "40 % are signed with SHA-1.",
             "{over: affected, where: {signature_hash: sha1}, share: 40 %}",
             "numerator and denominator", "a percentage of another whole (validations, names); rounding"),
        Fact("count per group", "They were issued under 4 names.", "{over: affected, distinct: {issuer_cn: 4}}",
             "the certificates", "the account behind a certificate is not in it: `unchecked`"),
    ),
    "Serial numbers": (
        Fact("one serial for many", "313 share one serial number.",
             "{over: affected, count: 313, distinct: {serial: 1, sha256: 313}}",
             "the certificates", "a dropped leading zero; copies of one file are no duplicates"),
        Fact("duplicate", "2 certificates of the same issuer have serial number 0D3BBDC3A0175E38.",
             "{over: affected, where: {serial: 0D3BBDC3A0175E38}, count: 2, same: [serial, issuer_der_sha256]}",
             "the certificates", "a precertificate lawfully shares its certificate's number"),
        Fact("octets or digits", "The serial numbers have 16 octets.", "{over: affected, every: {serial_octets: 16}}",
             "the certificates", "32 hex digits are 16 octets; the sign octet of the encoding is not counted"),
        Fact("entropy", "All have at most 63 bits.", "{over: affected, every: {serial_bits: {at_most: 63}}}",
             "many certificates of one generator", "length alone never proves entropy, and one number proves nothing"),
        Fact("short serial", "7 have fewer than 64 bits.",
             "{over: affected, where: {serial_bits: {before: 64}}, count: 7}",
             "the certificates", "half of all random 64-bit numbers are shorter than 64 bits"),
        Fact("sign, range", "1 has a negative serial number.",
             "{over: affected, where: {serial_negative: true}, count: 1}",
             "the certificate as encoded", "-1 is not 255; 20 octets as a number may be 21 as encoded"),
        Fact("sequential", "All 5 have serial numbers of their own.",
             "{over: affected, count: 5, distinct: {serial: 5}}",
             "the certificates", "the order of notBefore is not that of issuance"),
        Fact("subject serialNumber", "The subject's serialNumber is 2158113.",
             "{over: affected, table: names, kind: any, where: {which: subject, type: serialNumber}, "
             "every: {value: '2158113'}}",
             "the certificates", "the same word for another field"),
    ),
    "Dates and validity": (
        Fact("first and last issued", "The first was logged on 2016-01-04, the last on 2016-01-18.",
             "{over: affected, earliest: {earliest_sct: 2016-01-04}, latest: {earliest_sct: 2016-01-18}}",
             "embedded SCTs; notBefore only as a proxy", "notBefore may lie hours from signing: say which clock"),
        Fact("zone of a day", "All begin on Sunday, 20 December 2015, in China.",
             "{over: affected, timezone: Asia/Shanghai, every: {not_before: Sunday 2015-12-20}}",
             "the certificates", "another day in UTC: the verdict says where it is right"),
        Fact("validity length", "Each is valid for 90 days and 1 second.",
             "{over: affected, every: {validity_seconds: 90 days 1 second}}",
             "the certificates", "both ends are included: notAfter - notBefore + 1 s"),
        Fact("over the maximum", "5 are valid for more than 398 days.",
             "{over: affected, where: {validity_days: {after: 398}, "
             "not_before: {from: 2020-09-01, until: 2026-03-14}}, count: 5}",
             "the certificates", "the limit is that of the day of issuance; a CP may be stricter"),
        Fact("back-dated", "Of 6, the SCTs are at least 15 days later than notBefore.",
             "{over: affected, count: 6, gap: {from: not_before, to: earliest_sct, at_least: 15 days}}",
             "embedded SCTs: the signature covers them", "an SCT obtained later by anyone proves nothing"),
        Fact("twin certificate", "Each has a counterpart signed with SHA-256.",
             "{over: affected, pairs: {with: counterparts, by: [dns_names, spki_sha256], "
             "every: {signature_hash: sha256}}}",
             "both certificates", "circumstance, no proof: say so"),
        Fact("forward-dated", "Each begins at most 48 hours after its SCT.",
             "{over: affected, gap: {from: earliest_sct, to: not_before, at_most: 48 hours}}",
             "embedded SCTs", "48 hours hold both ways"),
        Fact("valid past a date", "1,132 end after 2017-01-01.",
             "{over: affected, where: {not_after: {after: 2017-01-01}}, count: 1132}",
             "the certificates", "after the day's end, or after its start: `after` means its end"),
        Fact("identical but one field", "They are identical but for notBefore and serial number.",
             "{over: affected, identical_except: {fields: [serial, not_before], by: spki_sha256}}",
             "the certificates", "signatures differ anyway; extensions are compared as encoded"),
        Fact("short-lived, exempt", "All are short-lived.", "{over: affected, every: {short_lived: true}}",
             "the certificates", "one second more ends it; the limit depends on the day of issuance"),
        Fact("data reuse", "The validation data was too old.",
             "{unchecked: when a domain was validated is in the CA's records alone}",
             _UNCHECKED, "a notBefore says nothing of a validation"),
    ),
    "Precertificates, SCTs, logs, signatures, keys": (
        Fact("pair differs", "Of 645 the precertificate has other policies.",
             "{over: affected, table: pairs, where: {equal: false, first_difference: certificatePolicies}, count: 645}",
             "both, cut from bytes", "order, criticality and encoding count"),
        Fact("orphan precertificate", "4 precertificates have no certificate among the evidence.",
             "{over: [affected, precertificates], table: pairs, where: {certificate: absent}, count: 4}",
             "precertificates, and certificates to look among", "absent from the evidence is not: never issued"),
        Fact("SCT valid", "All SCTs verify.", "{over: affected, table: scts, every: {signature: valid}}",
             "`ct_logs`, and the issuer's certificate", "an unknown log or a missing issuer is not `valid`"),
        Fact("SCT number", "Each has at least 2 SCTs.", "{over: affected, every: {sct_count: {at_least: 2}}}",
             "the certificates", "two SCTs may be of one log: ask the table `scts`; a browser's rule is no BR"),
        Fact("logged", "Each stands in a log.",
             "{over: affected, pairs: {with: found, by: [sha256]}}",
             "log entries (get-entries, data tiles)", "an SCT is a promise, an aggregator's clock its own"),
        Fact("signature hash", "Only 8 were signed with SHA-1 from 2016-01-01 to 2016-06-28.",
             "{over: found, where: {signature_hash: sha1}, count: 8, only: {from: 2016-01-01, until: 2016-06-28}}",
             "a collection declared or derived complete", "a SHA-1 fingerprint is no SHA-1 signature"),
        Fact("key size", "2 have RSA keys of 2,047 bits.",
             "{over: affected, where: {key_type: RSA, key_bits: 2047}, count: 2}",
             "the certificates", "2047 looks like 2048"),
        Fact("exponent", "1 has the public exponent 1.",
             "{over: affected, where: {key_type: RSA, rsa_exponent: 1}, count: 1}",
             "the certificate", "small, even and huge exponents are three faults"),
        Fact("curve, algorithm bytes", "All keys are on P-256.", "{over: affected, every: {curve: P-256}}",
             "the certificates", "the AlgorithmIdentifier's bytes are in `spki_algorithm_der`"),
        Fact("Debian weak key", "None of the keys is weak.", "{over: affected, none: {weak_key: present}}",
             "the optional library of key tests", "a list covers its sizes only"),
        Fact("ROCA", "3 keys have the ROCA fingerprint.",
             "{over: affected, where: {weak_key: {contains: roca}}, count: 3}",
             "the optional library of key tests", "likely weak is not factored"),
        Fact("close primes", "1 key falls to Fermat's method.",
             "{over: affected, where: {weak_key: {contains: fermat}}, count: 1}",
             "the optional library of key tests", "in how many rounds?"),
        Fact("reused, compromised key", "They share 2 keys.", "{over: affected, distinct: {spki_sha256: 2}}",
             "the certificates", "a key's hash, its SPKI's and its identifier are three values"),
    ),
    "Names, profile, validation type": (
        Fact("underscore", "4 have an underscore in a dNSName.",
             "{over: affected, where: {dns_names: {like: '%\\_%'}}, count: 4}",
             "the certificates", "allowed until 2019-04-01 under conditions"),
        Fact("internal name, reserved IP", "1 is for 10.0.0.1.",
             "{over: affected, where: {ip_addresses: {contains: 10.0.0.1}}, count: 1}",
             "the certificates; the registry of the day", "1.1.1.1 is not reserved; `.int` is a real domain"),
        Fact("SAN type", "1 has an e-mail address among its names.",
             "{over: affected, where: {email_addresses: present}, count: 1}",
             "the certificates", "an address in a dNSName is another fault"),
        Fact("wildcard", "2 are for *.example.com.",
             "{over: affected, where: {dns_names: {contains: '*.example.com'}}, count: 2}",
             "the certificates", "by which method it was validated is not in it"),
        Fact("IDN, CN", "The CN of 2 is none of the names.", "{over: affected, where: {cn_in_san: false}, count: 2}",
             "the certificates", "letter for letter, not as displayed"),
        Fact("policy OID, type", "5 lack the policy for EV.",
             "{over: affected, where: {policy_oids: {not: {contains: 2.23.140.1.1}}}, count: 5}",
             "the certificates", "exactly one reserved OID; the type follows the OID, not the subject"),
        Fact("qualifier", "None names its CPS.", "{over: affected, every: {cps_uris: absent}}",
             "the certificates", "two rule books may want opposite things"),
        Fact("EV jurisdiction", "The jurisdiction of 1 is the country ZA.",
             "{over: affected, table: names, kind: any, where: {which: subject, type: jurisdictionC, value: ZA}, "
             "count: 1}",
             "the certificates", "that it is the right one needs a register: `unchecked`"),
        Fact("business category", "The category of all is Private Organization.",
             "{over: affected, table: names, kind: any, where: {which: subject, type: businessCategory}, "
             "every: {value: Private Organization}}",
             "the certificates", "exact strings"),
        Fact("attribute form", "1 has an OU of more than 64 characters.",
             "{over: affected, table: names, kind: any, where: {which: subject, type: OU, characters: {after: 64}}, "
             "count: 1}",
             "the certificates", "characters, not octets; RFC 4514 shows names reversed"),
        Fact("KU, EKU", "3 with EC keys have keyEncipherment.",
             "{over: affected, where: {key_type: EC, key_usage: {contains: keyEncipherment}}, count: 3}",
             "the certificates", "an absent extension is not an empty one"),
        Fact("issuer, chain", "All were issued by Example CA 1.",
             "{over: affected, every: {issuer_cn: Example CA 1}, same: issuer_spki_sha256}",
             "the issuer's certificate", "cross-certificates share name and key"),
        Fact("CA certificate", "1 CA certificate lacks extended key usages.",
             "{over: affected, where: {is_ca: true, extended_key_usage: absent}, count: 1}",
             "the certificates", "the rule has a first day"),
        Fact("lints", "The rule e_sub_cert_aia_missing fired on 2.",
             "{over: affected, violates: {rule: e_sub_cert_aia_missing, count: 2}}",
             "zlint's results; or pkilint, installed",
             "not applicable, not yet in force and pass are three things; a lint is no ruling"),
    ),
    "Revocation and status": (
        Fact("revoked, how many", "All 313 were revoked before 2020-03-05 03:00 UTC.",
             "{over: affected, count: 313, revoked: {before: 2020-03-05T03:00Z}}",
             "CRLs of the issuers", "the date in a CRL is the CA's word; the first CRL that lists it bounds it"),
        Fact("in 24 h / 5 days", "They were revoked from 2016-09-01T10:00Z until 2016-09-02T10:00Z.",
             "{over: affected, revoked: {from: 2016-09-01T10:00Z, until: 2016-09-02T10:00Z}}",
             "CRLs, and the document that dates the report", "the time runs from report or awareness"),
        Fact("CA in 7 days", "The intermediate was revoked by 2016-09-08.",
             "{over: affected, where: {is_ca: true}, revoked: {until: 2016-09-08}}",
             "the CRL of the CA's own issuer", "another CRL than that of its certificates"),
        Fact("reason", "All give superseded as the reason.", "{over: affected, revoked: {reason: superseded}}",
             "CRLs", "absent means unspecified"),
        Fact("OCSP status", "The responder said good for 1.",
             "{over: affected, table: ocsp, where: {status: good}, distinct: {serial: 1}}",
             "signed OCSP responses", "an error answer carries no signature and proves nothing"),
        Fact("freshness", "Each CRL gives at most 10 days until the next.",
             "{over: affected, table: crls, gap: {from: this_update, to: next_update, at_most: 10 days}}",
             "CRLs", "published late is not stated late"),
        Fact("un-revoked, on hold", "2 entries were taken off hold.",
             "{over: affected, table: revocations, where: {reason: removeFromCRL}, count: 2}",
             "CRLs in sequence", "an entry lawfully goes after expiry"),
        Fact("not on the CRL", "The CRLs at hand do not list 05.",
             "{over: affected, table: revocations, none: {serial: '05'}}",
             "a full CRL, or the right shard", "another shard's silence says nothing"),
        Fact("revoked or expired", "27 had expired before 2016-09-05.",
             "{over: affected, where: {not_after: {before: 2016-09-05}}, count: 27}",
             "the certificates, and CRLs for the others", "together they hide which is which: write two claims"),
    ),
    "Process: completeness, timeline, correction": (
        Fact("only, all, none other", "Only 8 were issued from 2016-01-01 to 2016-06-28.",
             "{over: found, count: 8, only: {from: 2016-01-01, until: 2016-06-28}}",
             "a collection declared or derived complete", "where the window reaches further, it is unproven"),
        Fact("list from a log search", "The search gave 120 entries.", "{over: affected, table: lists, count: 120}",
             "the captured answer", "10,000 rows exactly are a random subset: capped"),
        Fact("exhaustive review", "An exhaustive review found 23.",
             "{over: found, count: 23, only: {from: 2016-01-01, until: 2016-06-28}}",
             "a collection declared complete", "words prove nothing"),
        Fact("stopped, resumed", "Nothing was logged from 2016-02-29 03:10 to 05:22 UTC.",
             "{over: affected, none: {earliest_sct: {after: 2016-02-29T03:10Z, before: 2016-02-29T05:22Z}}}",
             "SCTs or log entries of that issuer", "other issuers of the CA"),
        Fact("introduced, fixed", "The first affected begins on 2019-07-25.",
             "{over: affected, earliest: {not_before: 2019-07-25}}",
             "affected and unaffected certificates around it", "a bracket, not a moment"),
        Fact("aware, confirmed", "The report was received on 2016-09-01.",
             "{unchecked: when a message came is in the message, "
             "quote: {document: mail, text: received on 2016-09-01}}",
             "the message, as a pinned document", "deadlines run from the earlier of two times"),
        Fact("correction", "The revised count is 12,152.",
             "{over: affected, count: 12152}",
             "the earlier edition, and `corrections`", "keep the old claim with `stands: false`, or correct it"),
        Fact("CAA", "A CAA record forbade it.", "{unchecked: what the DNS held at issuance is in no certificate}",
             _UNCHECKED, "the DNS now is not the DNS then"),
        Fact("domain validation, tests", "They were tests.",
             "{unchecked: why a certificate was issued is not in it}", _UNCHECKED, "words of the CA alone"),
        Fact("share of estate", "At least 90 % of the CA's certificates are signed with SHA-1.",
             "{over: affected, where: {signature_hash: sha1}, share: {at_least: 90 %}}",
             "the CA's complete set", "a reader's inference is not the CA's count"),
    ),
}  # fmt: skip


def catalogue_markdown() -> str:
    """The text of ``docs/claims.md``."""
    number = sum(len(facts) for facts in FACTS.values())
    lines = ["# What reports state, and how to write it", "", "<!-- Generated by `make generate`; do not edit. -->", ""]
    lines += [
        f"{number} types of facts that real incident reports state. Each example is tested: it compiles, and its "
        "sentence says no figure that it does not state. What certificates cannot settle is "
        "`unchecked`, with its reason, or quoted from a pinned document.",
        "",
        "The collections in the examples:",
        "",
        *(f"- `{name}`: {text}" for name, text in COLLECTIONS.items()),
    ]
    for section, facts in FACTS.items():
        lines += [
            "",
            f"## {section}",
            "",
            "| fact | how it is written | evidence needed | pitfalls |",
            "|---|---|---|---|",
        ]
        for fact in facts:
            written = f"`says: {fact.says}`<br>`{fact.claim[1:-1]}`".replace("|", "\\|")
            lines.append(f"| {fact.name} | {written} | {fact.needs} | {fact.pitfalls} |")
    return "\n".join(lines) + "\n"
