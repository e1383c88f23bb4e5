"""What is worth saying about some certificates, as claims: each with its sentence and its machine form."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlglot

from affidavit.check.engine import DuckDb
from affidavit.evidence.facts import Facts
from affidavit.shown import agree, visible
from affidavit.types import LimitReached

MOST = 6
"""So many values of a column are counted one by one; of more, only how many there are is said."""
SERIALS = 20
_HASHES = {"sha1": "SHA-1", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512",
           "md5": "MD5", "md2": "MD2"}  # fmt: skip
_ONE = {
    " are CA certificates": " is a CA certificate",
    " were ": " was ",
    " are ": " is ",
    " begin ": " begins ",
    " assert that they are ": " asserts that it is ",
}
_LEAVES = "FROM certificates WHERE kind = 'certificate'"


class Plain(str):
    """A value of our own that is written without quotes, as an author would: a day, ``true``."""

    __slots__ = ()


@dataclass(frozen=True)
class Draft:
    """A claim to be: its name, its sentence, and its keys besides."""

    name: str
    says: str
    body: dict[str, Any] = field(default_factory=dict)


def drafts(facts: Facts) -> list[Draft]:
    """The claims that the facts suggest, in the order in which a report tells them."""
    engine = DuckDb(facts.sources())
    try:
        return list(_Observer(engine).all())
    finally:
        engine.close()


class _Observer:
    def __init__(self, engine: DuckDb) -> None:
        self._engine = engine

    def _rows(self, query: str) -> list[dict[str, Any]]:
        try:
            return self._engine.run(sqlglot.parse_one(query, dialect="duckdb"), 1000)  # type: ignore[arg-type]
        except LimitReached:
            return []  # what takes too long to find out is not proposed

    def _number(self, query: str) -> int:
        rows = self._rows(query)
        return int(next(iter(rows[0].values())) or 0) if rows else 0

    def all(self) -> Iterator[Draft]:
        """Every observation."""
        count = self._number(f"SELECT count(*) {_LEAVES}")
        before = self._number("SELECT count(*) FROM certificates WHERE kind = 'precertificate'")
        if count:
            yield Draft("certificates", agree(f"The evidence holds {count:,} certificate(s)."), {"count": count})
        if before:
            says = agree(f"The evidence holds {before:,} precertificate(s).")
            yield Draft("precertificates", says, {"kind": "precertificate", "count": before})
        if not count:
            return
        authorities = self._number(f"SELECT count(*) {_LEAVES} AND is_ca")
        if authorities:
            says = _agreeing(f"{self._of(authorities, count)} are CA certificates.", authorities)
            yield Draft("authorities", says, {"where": {"is_ca": Plain("true")}, "count": authorities})
        yield from self._groups(count)
        yield from self._times(count)
        yield from self._serials(count)
        yield from self._timestamps()
        yield from self._pairs()
        yield from self._revoked(count)

    def _groups(self, count: int) -> Iterator[Draft]:
        """Counts by issuer, hash, key and validity."""
        for name, column, words in (
            ("issued-by", "issuer_cn", "{n} were issued by {v}."),
            ("signed-with", "signature_hash", "{n} are signed with {v}."),
            ("validation", "validation", "{n} assert that they are of type {v}."),
        ):
            yield from self._by(count, name, column, words)
        keys = self._rows(
            f"SELECT key_type, key_bits, count(*) AS n {_LEAVES} GROUP BY ALL ORDER BY n DESC, key_type, key_bits"
        )
        if len(keys) <= MOST:
            for number, row in enumerate(keys, 1):
                if row["key_type"] and row["key_bits"]:
                    says = (
                        f"{self._of(row['n'], count)} {_keys(row['key_type'], row['n'])} of {row['key_bits']:,} bits."
                    )
                    where = {"key_type": row["key_type"], "key_bits": row["key_bits"]}
                    yield Draft(f"key-{number}", says, {"where": where, "count": row["n"]})
        days = self._rows(f"SELECT validity_days AS v, count(*) AS n {_LEAVES} GROUP BY ALL ORDER BY n DESC, v")
        known = [row for row in days if row["v"] is not None]
        if len(known) <= MOST:
            for row in known:
                says = f"{self._of(row['n'], count)} are valid for {row['v']:,} days."
                body = {"where": {"validity_days": row["v"]}, "count": row["n"]}
                yield Draft(f"valid-for-{row['v']}-days".replace("--", "-"), _agreeing(says, row["n"]), body)
        elif len(known) == len(days):
            low, high = min(row["v"] for row in known), max(row["v"] for row in known)
            says = f"Each is valid for at least {low:,} days and at most {high:,} days."
            yield Draft("validity", says, {"every": {"validity_days": {"at_least": low, "at_most": high}}})

    def _by(self, count: int, name: str, column: str, words: str) -> Iterator[Draft]:
        found = self._rows(f"SELECT {column} AS v, count(*) AS n {_LEAVES} GROUP BY ALL ORDER BY n DESC, v")
        known = [row for row in found if row["v"] is not None and visible(row["v"]) == row["v"]]
        if len(found) > MOST:
            if len(known) == len(found) and column == "issuer_cn" and len(found) < 1000:
                yield Draft(
                    "issuers", f"They were issued under {len(found):,} names.", {"distinct": {column: len(found)}}
                )
            return
        if len(known) < len(found):
            return  # rows without a value would leave open whether a claim is about them
        for number, row in enumerate(known, 1):
            says = words.format(n=self._of(row["n"], count), v=_HASHES.get(row["v"], row["v"]))
            body = {"where": {column: row["v"]}, "count": row["n"]}
            yield Draft(f"{name}-{number}", _agreeing(says, row["n"]), body)

    @staticmethod
    def _of(number: int, count: int) -> str:
        if number == count:
            return (
                "1 certificate"
                if number == 1
                else "Both certificates"
                if number == 2
                else f"All {number:,} certificates"
            )
        return f"{number:,} of the certificates"

    def _times(self, count: int) -> Iterator[Draft]:
        """The first and last day of issuance, and a day on which many begin."""
        span = self._rows(f"SELECT min(not_before) AS low, max(not_before) AS high, count(not_before) AS n {_LEAVES}")
        if not span or span[0]["n"] != count:
            return
        low, high = span[0]["low"], span[0]["high"]
        body = {"earliest": {"not_before": _day(low)}, "latest": {"not_before": _day(high)}}
        if low.date() == high.date():
            says = _agreeing(f"{self._of(count, count)} begin on {_day(low)} (UTC).", count)
            yield Draft("issued", says, {"count": count, "every": {"not_before": _day(low)}})
            return
        says = f"The first of the certificates begins on {_day(low)}, the last on {_day(high)} (UTC)."
        yield Draft("issued", says, body)
        most = self._rows(
            f"SELECT CAST(not_before AS DATE) AS d, count(*) AS n {_LEAVES} GROUP BY ALL ORDER BY n DESC, d LIMIT 1"
        )
        if most and most[0]["n"] > max(1, count // 5):
            says = f"{self._of(most[0]['n'], count)} begin on {most[0]['d']} (UTC)."
            yield Draft("busiest-day", says, {"where": {"not_before": Plain(most[0]["d"])}, "count": most[0]["n"]})

    def _serials(self, count: int) -> Iterator[Draft]:
        """Serial numbers that one issuer gave to several certificates (RFC 5280 4.1.2.2 wants each once)."""
        shared = self._rows(
            f"SELECT issuer, serial, count(*) AS n {_LEAVES} AND serial IS NOT NULL GROUP BY ALL HAVING count(*) > 1 "
            "ORDER BY n DESC, serial, issuer"
        )
        for number, row in enumerate(shared[:MOST], 1):
            says = f"{row['n']:,} certificates from the same issuer share the serial number {row['serial']}."
            where = {"serial": row["serial"], "issuer": row["issuer"]}
            yield Draft(f"shared-serial-{number}", says, {"where": where, "count": row["n"]})
        different = self._number(f"SELECT count(DISTINCT serial) {_LEAVES}")
        if different and count > 1:
            numbers = f"{different:,} different serial numbers" if different > 1 else "1 serial number between them"
            says = f"The {count:,} certificates have {numbers}."
            yield Draft("serials", says, {"count": count, "distinct": {"serial": different}})

    def _timestamps(self) -> Iterator[Draft]:
        """SCTs a day and more away from notBefore: a back-dated certificate carries its own proof."""
        for name, test, says in (
            ("logged-late", "earliest_sct > not_before + INTERVAL 1 DAY",
             "Of {n} the earliest SCT is more than a day later than notBefore."),
            ("logged-early", "earliest_sct < not_before - INTERVAL 1 DAY",
             "Of {n} the earliest SCT is more than a day earlier than notBefore."),
        ):  # fmt: skip
            number = self._number(f"SELECT count(*) {_LEAVES} AND {test}")
            if number:
                words = agree(f"{number:,} certificate(s)")
                where = f"sct_count > 0 and {test}"
                yield Draft(name, says.format(n=words), {"where": where, "count": number})

    def _pairs(self) -> Iterator[Draft]:
        """Precertificates without their certificate, and pairs that differ."""
        alone = self._number("SELECT count(*) FROM pairs WHERE certificate IS NULL")
        if alone:
            says = agree(f"{alone:,} precertificate(s) have no certificate among the evidence.")
            yield Draft(
                "precertificates-alone", says, {"table": "pairs", "where": {"certificate": "absent"}, "count": alone}
            )
        unequal = self._number("SELECT count(*) FROM pairs WHERE NOT equal")
        if unequal:
            differ = "certificate differs" if unequal == 1 else "certificates differ"
            says = f"{unequal:,} {differ} from the precertificate with the same serial number."
            # Of one that stands alone it is open whether it differs: only pairs of which both are at hand are meant.
            both = {"precertificate": "present", "certificate": "present", "equal": Plain("false")}
            yield Draft("unequal-pairs", says, {"table": "pairs", "where": both, "count": unequal})

    def _revoked(self, count: int) -> Iterator[Draft]:
        """How many a CRL lists, and from when until when."""
        listed = self._rows(
            "SELECT c.serial AS serial, min(r.revoked_at) AS low, max(r.revoked_at) AS high FROM certificates c "
            "JOIN revocations r ON r.serial = c.serial AND r.issuer_spki_sha256 = c.issuer_spki_sha256 "
            "WHERE c.kind = 'certificate' GROUP BY ALL ORDER BY ALL"
        )
        if not listed or any(row["low"] is None for row in listed):
            return
        low, high = min(row["low"] for row in listed), max(row["high"] for row in listed)
        body: dict[str, Any] = {"count": len(listed), "revoked": {"from": _day(low), "until": _day(high)}}
        if len(listed) < count:
            if len(listed) > SERIALS:
                return
            body = {"where": {"serial": [row["serial"] for row in listed]}, **body}
        when = f"on {_day(low)}" if low.date() == high.date() else f"from {_day(low)} until {_day(high)}"
        yield Draft("revoked", f"{self._of(len(listed), count)} are revoked, {when} (UTC).", body)


def _day(moment: datetime) -> Plain:
    return Plain(f"{moment:%Y-%m-%d}")


def _keys(kind: str, number: int) -> str:
    """``have RSA keys``, ``has an RSA key``."""
    return f"have {kind} keys" if number != 1 else f"has {'an' if kind[0] in 'ERX' else 'a'} {kind} key"


def _agreeing(says: str, number: int) -> str:
    """``1 of the certificates is``: one of several takes its verb in the singular."""
    if number != 1:
        return says
    for many, one in _ONE.items():
        says = says.replace(many, one, 1)
    return says
