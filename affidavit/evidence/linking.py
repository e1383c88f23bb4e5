"""What pieces of evidence say about each other: whose key signed what, and which of that is trusted.

The outcome stands in small tables of an assembly, which its SQL joins: `links`, `authorities`, `anchors`, `swapped`,
`crl_signers`, `ocsp_signers`, `logs`, `operators`, `sct_results`.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
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
SCT_BATCH = 2048


class Linking:
    """Links the evidence of an assembly, once, for all its collections."""

    def __init__(self, assembly: Assembly, progress: Progress, processes: int | None = None) -> None:
        self.assembly = assembly
        self.progress = progress
        self.processes = processes or os.cpu_count() or 1
        self.issuers = self._issuers()
        self.authorities = Authorities.among(self.issuers.values())
        self.anchors = self._anchors()
        self.signing: list[Certificate] = []
        self.authentic = [self.authorities.authentic(anchors) for anchors in self.anchors]

    def _issuers(self) -> dict[str, Certificate]:
        """The certificates that may have issued others: those trusted, those of chains, CAs, and those so named."""
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
        rows = [(digest, der) for digest, der, _ in self.assembly.rows(query)]
        return {one.row["sha256"]: one for one in _readable(rows)}

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
        self.signing = [c for c in self.issuers.values() if final_issuer(c, self.authorities) is not None]
        rows = []
        for one in self.signing:
            query = """SELECT DISTINCT r.sha256, r.der FROM raw_certificates r JOIN links l
                ON l.part = r.part AND l.row = r.row
                WHERE r.issuer_der_sha256 = ? AND l.spki_sha256 = ? AND r.kind = 'precertificate'"""
            mine = self.assembly.rows(query, one.row["subject_der_sha256"], one.row["spki_sha256"])
            final = final_issuer(one, self.authorities)
            for digest, der in mine:
                tbs = precert_tbs(read_certificate(bytes(der)), one)
                if final is not None:
                    rows.append(
                        {"sha256": digest, "precert_tbs_sha256": None if tbs is None else sha256(tbs),
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
            JOIN (SELECT sha256, arg_min(found, collection) AS found FROM chosen GROUP BY sha256) h
              ON h.sha256 = c.sha256
            JOIN raw_certificates r ON r.part = h.found.part AND r.row = h.found.row
            LEFT JOIN issuer_keys i ON i.spki_sha256 = c.issuer_spki_sha256
            LEFT JOIN swapped s ON s.sha256 = c.sha256"""
        issuers = {c.row["spki_sha256"]: c.spki for c in self.issuers.values()}
        self.assembly.small(
            "issuer_keys",
            [{"spki_sha256": k, "spki": v} for k, v in sorted(issuers.items())], spki_sha256=T, spki=pa.binary(),
        )  # fmt: skip
        ((total,),) = self.assembly.rows("SELECT count(DISTINCT sha256) FROM certificates WHERE sct_count > 0")
        tasks = (
            beside.SctTask(tuple(r[0] for r in some), tuple(r[1] for r in some), tuple(r[2] for r in some), keys)
            for some in self.assembly.batches(query, SCT_BATCH)
        )
        schema = pa.schema([("certificate", T), ("position", N), ("signature", T)])
        found, done = [], 0
        for task, results in self._verified(tasks, total):
            rows = [
                {"certificate": digest, "position": position, "signature": result}
                for digest, some in zip(task.digests, results, strict=True)
                for position, result in enumerate(some, 1)
            ]
            found.append(pa.RecordBatch.from_pylist(rows, schema=schema))
            done += len(task.digests)
            self.progress("verifying SCTs", done, total)
        db = self.assembly.db
        db.register("found", pa.Table.from_batches(found, schema))
        db.execute("CREATE TABLE sct_results AS SELECT * FROM found")
        db.unregister("found")

    def _verified(
        self, tasks: Iterator[beside.SctTask], total: int
    ) -> Iterator[tuple[beside.SctTask, list[list[str]]]]:
        """Each task with its results, in this process where they are few; never more than some tasks at hand."""
        if total <= IN_PROCESS or self.processes == 1:
            yield from ((task, beside.verify_sct_rows(task)) for task in tasks)
            return
        with workers.Pool(self.processes, 4 * 1024**3, 3600.0) as pool:
            while some := list(islice(tasks, 4 * self.processes)):
                for task, result in pool.map(beside.verify_sct_rows, some):
                    # Once more here, so that the reason is seen.
                    yield task, beside.verify_sct_rows(task) if isinstance(result, workers.Failure) else result

    def crls(self) -> None:
        """Table `crl_signers`: under whose key each CRL verifies, for each list of trusted files."""
        rows = []
        candidates = status.Candidates(self.issuers.values())
        for digest, data in self._blobs(ItemKind.CRL):
            head = status.crl_head(data)
            for trust, anchors in enumerate(self.anchors):
                signer = status.crl_signer(head, candidates, self.authentic[trust], anchors)
                if signer is not None:
                    rows.append({"crl": digest, "trust": trust, "spki_sha256": signer.row["spki_sha256"]})
        self.assembly.small("crl_signers", rows, crl=T, trust=N, spki_sha256=T)

    def ocsp(self) -> None:
        """Table `ocsp_signers`: who signed each OCSP response, for each list of trusted files."""
        rows: list[dict[str, Any]] = []
        candidates: status.Candidates | None = None
        for digest, data in self._blobs(ItemKind.OCSP):
            candidates = candidates or status.Candidates(self.issuers.values(), self._responders())
            head = status.ocsp_head(data)
            for trust, anchors in enumerate(self.anchors):
                signers = status.ocsp_signers(head, candidates, self.authentic[trust], anchors)
                for entry, found in enumerate(signers, 1):
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

    def _responders(self) -> list[Certificate]:
        """Certificates of delegated responders in files of their own; those inside the responses are there already."""
        query = f"""SELECT sha256, any_value(der) FROM raw_certificates
            WHERE list_contains(extended_key_usage, 'OCSPSigning')
            GROUP BY sha256 ORDER BY sha256 LIMIT {MAX_ISSUERS}"""
        return _readable(self.assembly.rows(query))

    def _blobs(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """Each CRL or OCSP response once, few at a time: some are large."""
        seen = set()
        for some in self.assembly.batches(f"SELECT sha256, der FROM raw_blobs WHERE kind = '{kind}'", 64):
            for digest, data in some:
                if digest not in seen:
                    seen.add(digest)
                    yield digest, bytes(data)

    def pairs(self) -> None:
        """The table `pairs`, where wanted; needs `certificates`, `chosen` and `swapped`.

        Those of an issuer and serial number that are one precertificate and one certificate, equal by their hashes,
        are joined by SQL; `pairs.pairs` is asked only where there are more of them, or they differ.
        """
        if not self.assembly.wanted.pairs:
            return
        db = self.assembly.db
        db.execute(
            """CREATE TABLE halves AS SELECT c.sha256, any_value(c.kind) AS kind, any_value(c.serial) AS serial,
              any_value(c.issuer) AS issuer, any_value(c.sct_count) > 0 AS promised,
              any_value(coalesce(s.issuer_der_sha256, c.issuer_der_sha256)) AS final_issuer,
              any_value(c.precert_tbs_sha256) AS tbs
            FROM certificates c LEFT JOIN swapped s ON s.sha256 = c.sha256
            WHERE c.kind IN ('precertificate', 'certificate') GROUP BY c.sha256"""
        )
        db.execute(
            """CREATE TABLE families AS SELECT final_issuer, serial, count(*) = 2 AND count(DISTINCT tbs) = 1
                AND count(tbs) = 2 AS simple
            FROM halves GROUP BY final_issuer, serial HAVING count(DISTINCT kind) = 2 AND serial IS NOT NULL"""
        )
        self.assembly.small(
            "compared", self._compared(), precertificate=T, certificate=T, serial=T, issuer=T, equal=B,
            first_difference=T,
        )  # fmt: skip
        db.execute(
            """CREATE TABLE matched AS
            SELECT p.sha256 AS precertificate, f.sha256 AS certificate, f.serial, f.issuer, true AS equal,
              NULL AS first_difference
            FROM families m JOIN halves p ON p.final_issuer = m.final_issuer AND p.serial = m.serial
              AND p.kind = 'precertificate'
            JOIN halves f ON f.final_issuer = m.final_issuer AND f.serial = m.serial AND f.kind = 'certificate'
            WHERE m.simple
            UNION ALL BY NAME SELECT * FROM compared
            UNION ALL BY NAME
            SELECT CASE WHEN kind = 'precertificate' THEN sha256 END AS precertificate,
              CASE WHEN kind = 'certificate' THEN sha256 END AS certificate, h.serial, h.issuer
            FROM halves h ANTI JOIN families m ON m.final_issuer = h.final_issuer AND m.serial = h.serial
            WHERE h.kind = 'precertificate' OR h.promised"""
        )
        # Of a half that stands in other collections alone it counts whether all of them trust it.
        self.assembly.write(
            "pairs",
            """WITH held AS (SELECT sha256, collection, authentic FROM certificates),
            places AS (
              SELECT precertificate, certificate, collection FROM matched JOIN held ON sha256 = precertificate
              UNION
              SELECT precertificate, certificate, collection FROM matched JOIN held ON sha256 = certificate),
            whole AS (SELECT sha256, bool_and(authentic) AS every FROM held GROUP BY sha256)
            SELECT m.*, l.collection, coalesce(p.authentic, pw.every, true) AND coalesce(f.authentic, fw.every, true)
              AS authentic
            FROM matched m JOIN places l ON l.precertificate IS NOT DISTINCT FROM m.precertificate
              AND l.certificate IS NOT DISTINCT FROM m.certificate
            LEFT JOIN held p ON p.sha256 = m.precertificate AND p.collection = l.collection
            LEFT JOIN held f ON f.sha256 = m.certificate AND f.collection = l.collection
            LEFT JOIN whole pw ON pw.sha256 = m.precertificate
            LEFT JOIN whole fw ON fw.sha256 = m.certificate
            ORDER BY l.collection, m.serial, m.precertificate, m.certificate""",
        )

    def _compared(self) -> Iterator[dict[str, Any]]:
        """The rows of `pairs.pairs` for those of one issuer and serial number, where they are not simply equal."""
        query = """SELECT m.final_issuer, m.serial, r.der FROM families m
            JOIN halves h ON h.final_issuer = m.final_issuer AND h.serial = m.serial
            JOIN (SELECT sha256, arg_min(found, collection) AS found FROM chosen GROUP BY sha256) c
              ON c.sha256 = h.sha256
            JOIN raw_certificates r ON r.part = c.found.part AND r.row = c.found.row
            WHERE NOT m.simple ORDER BY m.final_issuer, m.serial, h.sha256"""
        rows = (row for some in self.assembly.batches(query) for row in some)
        for _, family in groupby(rows, key=itemgetter(0, 1)):
            members = (read_certificate(bytes(der)) for _, _, der in family)
            yield from pairs.pairs(members, self.signing)


def _readable(rows: Iterable[tuple[Any, ...]]) -> list[Certificate]:
    """Certificates of some rows (SHA-256, DER) as issuers.

    Without those that cannot be read, or whose name or key cannot be matched (BER): as evidence their fault is known.
    """
    found = []
    for _, data in rows:
        try:
            one = read_certificate(bytes(data))
        except (DerError, ValueError, IndexError):
            continue
        if None not in (one.row["subject_der_sha256"], one.row["spki_sha256"]):
            found.append(one)
    return found


def _size(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)
