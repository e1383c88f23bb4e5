"""What columns are called elsewhere: by openssl, browsers, reports. For hints alone: no column goes by two names."""

from affidavit.tables import Table
from affidavit.types import nearest

#: Column: the words, written as column names are.
_ELSEWHERE = {
    "serial": "serial_number serialnumber sn",
    "sha256": "fingerprint sha256_fingerprint fingerprint_sha256 thumbprint sha_256 hash certificate_hash",
    "dns_names": "san sans subject_alt_name subject_alt_names subject_alternative_name subject_alternative_names "
    "subjectaltname domain domains domain_names host hosts hostname hostnames fqdn fqdns dnsname dnsnames",
    "not_before": "issued issued_on issued_at issuance issuance_date valid_from start start_date notbefore",
    "not_after": "expires expiry expires_on expiry_date expiration expiration_date valid_to valid_until valid_through "
    "end end_date notafter",
    "validity_days": "validity validity_period lifetime days",
    "key_bits": "key_size keysize key_length bits modulus_bits",
    "key_type": "key_algorithm public_key_algorithm algorithm",
    "curve": "key_curve named_curve ec_curve",
    "spki_sha256": "public_key public_key_hash spki spki_hash key_hash pubkey",
    "signature_hash": "hash_algorithm digest digest_algorithm",
    "signature_algorithm": "signature sigalg",
    "subject_cn": "common_name cn commonname",
    "issuer_cn": "issued_by_cn issuer_common_name ca ca_name issuing_ca",
    "extended_key_usage": "eku ekus extended_key_usages extendedkeyusage",
    "key_usage": "ku keyusage",
    "subject_key_id": "ski subject_key_identifier",
    "authority_key_id": "aki authority_key_identifier",
    "policy_oids": "policy policies certificate_policies policy_oid",
    "is_ca": "ca_certificate basic_constraints authority",
    "path_length": "pathlen path_len",
    "sct_count": "scts number_of_scts",
    "revoked_at": "revocation_date revocation_time revoked_on revoked",
    "reason": "reason_code revocation_reason crl_reason",
}
_COLUMN = {word: column for column, words in _ELSEWHERE.items() for word in words.split()}


def hint(table: Table, name: str) -> str:
    """What to write instead of a column that a table does not have."""
    word = "_".join(name.lower().replace("-", " ").split())
    offered = [_COLUMN[word]] if _COLUMN.get(word) in table.names else nearest(name, table.names)
    if offered:
        return "did you mean " + " or ".join(map(repr, offered)) + "?"
    return f"docs/tables.md lists the columns of {table.name}"
