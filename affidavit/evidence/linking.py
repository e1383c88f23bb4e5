"""What pieces of evidence say about each other: whose key signed what, and which of that is trusted.

The outcome stands in small tables of an assembly, which its SQL joins: `links`, `authorities`, `anchors`, `swapped`,
`crl_signers`, `ocsp_signers`, `logs`, `operators`, `sct_results`.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from affidavit.evidence import beside, pairs, status, workers
from affidavit.evidence.assemble import Assembly
from affidavit.evidence.authentic import Authorities, final_issuer, precert_tbs
from affidavit.evidence.beside import Job
from affidavit.evidence.certificate import Certificate, read_certificate, sha256
from affidavit.evidence.database import B, N, T, W
from affidavit.evidence.der import DerError
from affidavit.evidence.facts import Progress
from affidavit.evidence.item import ItemKind
from affidavit.evidence.loglist import Log, read_log_list

MAX_ISSUERS = 50_000
"""So many certificates at hand are tried as issuers; CAs, chains and trusted ones first."""
IN_PROCESS = 20_000
SCT_BATCH = 4096


class Linking:
    """Links the evidence of an assembly, once, for all its collections."""

    def __init__(self, assembly: Assembly, progress: Progress, processes: int | None = None) -> None:
        self.assembly = assembly
        self.progress = progress
        self.processes = processes or os.cpu_count() or 1
        self.issuers = self._issuers()
        self.authorities = Authorities.among(self.issuers.values())
        self.anchors = self._anchors()
        self.authentic = [self.authorities.authentic(anchors) for anchors in self.anchors]

    def _issuers(self) -> dict[str, Certificate]:
        """The certificates that may have issued others: those trusted, those of chains, CAs, and those so named."""
        found = {}
        query = f"""
            SELECT sha256, any_value(der), min(rank) AS rank FROM (
              SELECT sha256, der, 1 AS rank FROM raw_issuers
              UNION ALL
              SELECT sha256, der, CASE WHEN _source IN (SELECT source FROM trusted UNION SELECT source FROM linking)
                THEN 0 WHEN is_ca THEN 2 ELSE 3 END AS rank
              FROM raw_certificates
              WHERE is_ca OR _source IN (SELECT source FROM trusted UNION SELECT source FROM linking)
                OR subject_der_sha256 IN (SELECT issuer_der_sha256 FROM raw_certificates))
            GROUP BY sha256 ORDER BY rank, sha256 LIMIT {MAX_ISSUERS}"""
        for digest, der, _ in self.assembly.rows(query):
            try:
                found[digest] = read_certificate(der)
            except (DerError, ValueError, IndexError):
                continue  # it was read once when it is evidence: its fault is known
        return found

    def _anchors(self) -> list[frozenset[str]]:
        """For each list of trusted files the certificates in it."""
        found: list[set[str]] = [set() for _ in self.assembly.trusts]
        query = "SELECT t.trust, r.sha256 FROM raw_certificates r JOIN trusted t ON t.source = r._source"
        for trust, digest in self.assembly.rows(query):
            found[trust].add(digest)
        return [frozenset(some) for some in found]

    def certificates(self) -> None:
        """Tables `links`, `authorities`, `anchors` and `swapped`; and `details`, where wanted."""
        keys = self.authorities.keys(frozenset().union(*self.anchors))
        name = f"links-{beside.keys_digest(keys)}"
        needs = self.assembly.folder / "keys.parquet"
        beside.save_keys(needs, keys)
        self._beside(name, "links", "verifying signatures", str(needs))
        self.assembly.links = name
        self.assembly.beside(name, "links", beside.LINKS)
        needs.unlink()
        rows = []
        for trust, anchors in enumerate(self.anchors):
            rows += [{**row, "trust": trust} for row in self.authorities.table(anchors)]
        self.assembly.small(
            "authorities", rows, trust=N, subject_der_sha256=T, spki_sha256=T, issuer=T, authentic=B
        )  # fmt: skip
        listed = [{"trust": n, "sha256": one} for n, some in enumerate(self.anchors) for one in sorted(some)]
        self.assembly.small("anchors", listed, trust=N, sha256=T)
        self._swapped()
        self._details()

    def _swapped(self) -> None:
        """Precertificates of precertificate signing certificates: what they come to under their final issuer."""
        signing = [c for c in self.issuers.values() if final_issuer(c, self.authorities) is not None]
        rows = []
        for one in signing:
            query = """SELECT DISTINCT r.sha256, r.der FROM raw_certificates r JOIN links l
                ON l.part = r.part AND l.row = r.row
                WHERE r.issuer_der_sha256 = ? AND l.spki_sha256 = ? AND r.kind = 'precertificate'"""
            mine = self.assembly.rows(query, one.row["subject_der_sha256"], one.row["spki_sha256"])
            final = final_issuer(one, self.authorities)
            for digest, der in mine:
                tbs = precert_tbs(read_certificate(der), one)
                if final is not None and tbs is not None:
                    rows.append(
                        {"sha256": digest, "precert_tbs_sha256": sha256(tbs),
                         "issuer_der_sha256": sha256(final.subject_der), "spki": final.spki}
                    )  # fmt: skip
        self.assembly.small(
            "swapped", rows, sha256=T, precert_tbs_sha256=T, issuer_der_sha256=T, spki=pa.binary()
        )  # fmt: skip

    def _details(self) -> None:
        """What is computed on demand of each certificate, and what of it failed: `made_detail_faults`."""
        wanted = self.assembly.wanted
        if wanted.detail or wanted.names or wanted.extensions:
            self._beside("details", "details", "reading details")
            self.assembly.beside("detail_faults", "made_detail_faults", beside.FAULTS)
        else:
            self.assembly.small("made_detail_faults", [], **{f.name: f.type for f in beside.FAULTS})
        if wanted.weak_key:
            self._beside("weak", "weak", "testing keys")

    def _beside(self, name: str, what: str, words: str, needs: str = "") -> None:
        """Compute something of all parts' certificates, in this process where they are few."""
        parts = [part for part in self.assembly.parts if "certificates" in part.tables]
        jobs = [
            Job(str(part.folder), name, what, needs, _size(part.file("certificates")))
            for part in parts
            if not (part.folder / f"{name}.parquet").is_file()
        ]
        total, done = sum(job.rows for job in jobs), 0
        if total <= IN_PROCESS or len(jobs) < 2:
            for job in jobs:
                self.progress(words, done, total)
                done += beside.run(job)
            return
        with workers.Pool(min(self.processes, len(jobs)), 4 * 1024**3, 3600.0) as pool:
            for job, result in pool.map(beside.run, jobs):
                if isinstance(result, workers.Failure):
                    beside.run(job)  # once more here, so that the reason is seen
                done += job.rows
                self.progress(words, done, total)

    def logs(self, logs: Iterable[Log]) -> dict[str, bytes]:
        """Tables `logs` and `operators`, from the log lists given and those among the evidence; keys by log ID."""
        found = {log.log_id: log for log in logs}
        for (data,) in self.assembly.rows(
            "SELECT der FROM raw_blobs WHERE kind = ? ORDER BY sha256", str(ItemKind.LOG_LIST)
        ):
            try:
                found = {log.log_id: log for log in read_log_list(bytes(data).decode("utf-8"))} | found
            except ValueError:
                continue
        self.assembly.small(
            "logs",
            [
                {"log_id": log.log_id, "log": log.description, "log_state": log.state,
                 "log_state_since": log.state_since, "url": log.url}
                for log in found.values()
            ],
            log_id=T, log=T, log_state=T, log_state_since=W, url=T,
        )  # fmt: skip
        self.assembly.small(
            "operators",
            [
                {"log_id": log.log_id, "operator": name, "since": since, "until": until}
                for log in found.values()
                for name, since, until in log.operators()
            ],
            log_id=T, operator=T, since=W, until=W,
        )  # fmt: skip
        return {log.log_id: log.key for log in found.values()}

    def scts(self, keys: dict[str, bytes]) -> None:
        """Table `sct_results`, where wanted; needs the table `certificates`."""
        if not self.assembly.wanted.sct_signature:
            return
        query = """SELECT c.sha256, r.der, coalesce(s.spki, i.spki) FROM (SELECT sha256,
                any_value(issuer_spki_sha256) AS issuer_spki_sha256 FROM certificates WHERE sct_count > 0
                GROUP BY sha256) c
            JOIN (SELECT sha256, arg_min(found, collection) AS found FROM chosen GROUP BY sha256) h ON h.sha256 = c.sha256
            JOIN raw_certificates r ON r.part = h.found.part AND r.row = h.found.row
            LEFT JOIN issuer_keys i ON i.spki_sha256 = c.issuer_spki_sha256
            LEFT JOIN swapped s ON s.sha256 = c.sha256"""
        issuers = {c.row["spki_sha256"]: c.spki for c in self.issuers.values()}
        self.assembly.small(
            "issuer_keys",
            [{"spki_sha256": k, "spki": v} for k, v in sorted(issuers.items())], spki_sha256=T, spki=pa.binary(),
        )  # fmt: skip
        ((total,),) = self.assembly.rows("SELECT count(DISTINCT sha256) FROM certificates WHERE sct_count > 0")
        rows: list[dict[str, Any]] = []
        tasks = ((tuple(r[1] for r in some), tuple(r[2] for r in some), keys, tuple(r[0] for r in some))
                 for some in self.assembly.batches(query, SCT_BATCH))  # fmt: skip
        done = 0
        for task in tasks:
            for digest, results in zip(task[3], beside.verify_sct_rows(task[:3]), strict=True):
                rows += [{"certificate": digest, "position": n, "signature": r} for n, r in enumerate(results, 1)]
            done += len(task[3])
            self.progress("verifying SCTs", done, total)
        self.assembly.small("sct_results", rows, certificate=T, position=N, signature=T)

    def crls(self) -> None:
        """Table `crl_signers`: under whose key each CRL verifies, for each list of trusted files."""
        rows = []
        for digest, data in self._blobs(ItemKind.CRL):
            head = status.crl_head(bytes(data))
            for trust, anchors in enumerate(self.anchors):
                signer = status.crl_signer(head, self._candidates(trust), self.authentic[trust], anchors)
                if signer is not None:
                    rows.append({"crl": digest, "trust": trust, "spki_sha256": signer.row["spki_sha256"]})
        self.assembly.small("crl_signers", rows, crl=T, trust=N, spki_sha256=T)

    def ocsp(self) -> None:
        """Table `ocsp_signers`: who signed each OCSP response, for each list of trusted files."""
        rows: list[dict[str, Any]] = []
        for digest, data in self._blobs(ItemKind.OCSP):
            head = status.ocsp_head(bytes(data))
            for trust, anchors in enumerate(self.anchors):
                for entry, cert_id in enumerate(head.cert_ids, 1):
                    found = status.ocsp_signer(
                        head, cert_id, self._candidates(trust), self.authentic[trust], anchors
                    )  # fmt: skip
                    rows.append(
                        {
                            "response": digest, "entry": entry, "trust": trust,
                            "issuer_spki_sha256": found.issuer.row["spki_sha256"] if found.issuer else None,
                            "responder_certificate": found.responder.row["sha256"] if found.responder else None,
                            "delegated": found.delegated, "authentic": found.authentic,
                        }
                    )  # fmt: skip
        self.assembly.small(
            "ocsp_signers", rows, response=T, entry=N, trust=N, issuer_spki_sha256=T, responder_certificate=T,
            delegated=B, authentic=B,
        )  # fmt: skip

    def _blobs(self, kind: str) -> Sequence[tuple[str, bytes]]:
        found = self.assembly.rows(
            "SELECT DISTINCT sha256, der FROM raw_blobs WHERE kind = ? ORDER BY sha256", str(kind)
        )  # fmt: skip
        return [(digest, der) for digest, der in found]

    def _candidates(self, trust: int) -> Sequence[Certificate]:
        return list(self.issuers.values())

    def pairs(self) -> None:
        """The table `pairs`, where wanted: equality is told by hashes, only differing pairs are looked into."""
        if not self.assembly.wanted.pairs:
            return
        query = """WITH halves AS (
              SELECT c.*, coalesce(s.issuer_der_sha256, c.issuer_der_sha256) AS final_issuer FROM certificates c
              LEFT JOIN swapped s ON s.sha256 = c.sha256),
            pre AS (SELECT * FROM halves WHERE kind = 'precertificate'),
            fin AS (SELECT * FROM halves WHERE kind = 'certificate')
            SELECT p.sha256 AS precertificate, f.sha256 AS certificate, coalesce(f.serial, p.serial) AS serial,
              coalesce(f.issuer, p.issuer) AS issuer, p.precert_tbs_sha256 = f.precert_tbs_sha256 AS equal,
              coalesce(p.authentic, true) AND coalesce(f.authentic, true) AS authentic,
              p.collection AS pre_collection, f.collection AS fin_collection
            FROM pre p FULL JOIN fin f ON p.final_issuer = f.final_issuer AND p.serial = f.serial
            WHERE p.sha256 IS NOT NULL OR f.sct_count > 0"""
        self.assembly.db.execute(f"CREATE TABLE matched AS {query}")
        rows = []
        for pre, fin in self.assembly.rows(
            "SELECT DISTINCT precertificate, certificate FROM matched WHERE NOT equal ORDER BY ALL"
        ):
            first, second = (read_certificate(self._der(digest)) for digest in (pre, fin))
            rows.append(
                {"precertificate": pre, "certificate": fin, "first_difference": pairs.first_difference(first, second)}
            )
        self.assembly.small("differences", rows, precertificate=T, certificate=T, first_difference=T)
        self.assembly.write(
            "pairs",
            """SELECT m.precertificate, m.certificate, m.serial, m.issuer, m.equal, d.first_difference,
              bool_and(m.authentic) AS authentic, m.collection
            FROM (SELECT *, unnest(list_distinct([x FOR x IN [pre_collection, fin_collection] IF x IS NOT NULL]))
              AS collection FROM matched) m
            LEFT JOIN differences d ON d.precertificate = m.precertificate AND d.certificate = m.certificate
            GROUP BY ALL ORDER BY m.collection, m.serial, m.precertificate, m.certificate""",
        )

    def _der(self, digest: str) -> bytes:
        ((der,),) = self.assembly.rows("SELECT der FROM raw_certificates WHERE sha256 = ? LIMIT 1", digest)
        return bytes(der)


def _size(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)
