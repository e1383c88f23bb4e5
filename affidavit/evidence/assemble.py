"""Facts tables from raw rows: which collection holds what, what is authentic, what belongs together.

Each method writes one table, in the order in which they rest on each other; the small tables that they join are made
in linking.py.
"""

from affidavit.evidence import beside
from affidavit.evidence.database import Database

FILE = "p.file || CASE WHEN r._member = '' THEN '' ELSE '/' || r._member END"


class Assembly(Database):
    """The facts tables as they are put together."""

    large = False
    links = ""
    """Name of the files of links beside the parts."""

    def choose(self) -> None:
        """Of each certificate of a collection the first place, and how often it occurs."""
        self.db.execute(
            f"""CREATE TABLE chosen AS
            SELECT collection, sha256, count(*) AS copies, min(place) AS place, arg_min(found, place) AS found FROM (
              SELECT p.collection, r.sha256, struct_pack(part := r.part, row := r.row) AS found,
                     struct_pack(file := {FILE}, position := r._position) AS place
              FROM raw_certificates r JOIN placed p ON r._source = p.source)
            GROUP BY collection, sha256"""
        )

        self.large = self.is_large()

    def certificates(self) -> None:
        """Table `certificates`; needs `links`, `authorities`, `anchors` and `swapped`."""

        def query(part: int | None) -> str:
            details = self._details(part)
            return f"""SELECT r.* EXCLUDE (part, row, der, precert_tbs_sha256), c.collection, c.copies,
              coalesce(s.precert_tbs_sha256, r.precert_tbs_sha256) AS precert_tbs_sha256,
              c.place.file AS file, c.place.position AS position,
              coalesce(a.authentic, false) OR t.sha256 IS NOT NULL AS authentic,
              a.issuer AS issued_by, l.spki_sha256 AS issuer_spki_sha256
              {"".join(f", {name}.* EXCLUDE (part, row)" for name in details)}
            FROM chosen c
            JOIN {self.raw("certificates", part)} r ON r.part = c.found.part AND r.row = c.found.row
            JOIN collections k ON k.collection = c.collection
            LEFT JOIN {self.beside(self.links, "links", beside.LINKS, part)} l
              ON l.part = c.found.part AND l.row = c.found.row
            LEFT JOIN authorities a ON a.trust = k.trust AND a.subject_der_sha256 = r.issuer_der_sha256
              AND a.spki_sha256 = l.spki_sha256
            LEFT JOIN anchors t ON t.trust = k.trust AND t.sha256 = c.sha256
            LEFT JOIN swapped s ON s.sha256 = c.sha256
            {
                " ".join(
                    f"LEFT JOIN {v} {n} ON {n}.part = c.found.part AND {n}.row = c.found.row"
                    for n, v in details.items()
                )
            }
            WHERE {_only("c.found.part", part)}
            ORDER BY c.collection, r.issuer_cn, r.not_before, c.sha256"""

        self.write_by_part("certificates", query, large=self.large)

    def _details(self, part: int | None) -> dict[str, str]:
        found = {}
        if self.wanted.detail:
            found["d"] = self.beside("details", "made_details", beside.DETAILS, part)
        if self.wanted.weak_key:
            found["w"] = self.beside("weak", "made_weak", beside.WEAK, part)
        return found

    def _certificates(self, part: int | None) -> str:
        return "certificates" if part is None else self.of_part("certificates", part)

    def scts(self) -> None:
        """Table `scts`; needs `logs`, `operators` and, if wanted, `sct_results`."""
        signed = self.wanted.sct_signature
        join = "LEFT JOIN sct_results x ON x.certificate = s.certificate AND x.position = s.position" if signed else ""

        def query(part: int | None) -> str:
            return f"""SELECT s.*, g.log, g.log_state, g.log_state_since, o.operator, c.authentic, c.kind, c.collection
              {", x.signature" if signed else ""}
            FROM (SELECT DISTINCT ON (certificate, position) * FROM {self.raw("scts", part)}) s
            JOIN {self._certificates(part)} c ON c.sha256 = s.certificate
            LEFT JOIN logs g ON g.log_id = s.log_id
            LEFT JOIN operators o ON o.log_id = s.log_id AND (o.since IS NULL OR o.since <= s.timestamp)
              AND (o.until IS NULL OR s.timestamp < o.until)
            {join}
            ORDER BY c.collection, s.certificate, s.position"""

        self.write_by_part("scts", query, large=self.large)

    def crls(self) -> None:
        """Table `crls`, each CRL of a collection once; needs `crl_signers`."""
        self.write(
            "crls",
            f"""SELECT r.*, s.spki_sha256 AS issuer_spki_sha256, s.spki_sha256 IS NOT NULL AS authentic,
              p.collection, {FILE} AS file, r._position AS position
            FROM raw_crls r JOIN placed p ON r._source = p.source
            JOIN collections k ON k.collection = p.collection
            LEFT JOIN crl_signers s ON s.crl = r.sha256 AND s.trust = k.trust
            QUALIFY row_number() OVER (PARTITION BY p.collection, r.sha256 ORDER BY {FILE}, r._position) = 1
            ORDER BY p.collection, file, position""",
        )

    def revocations(self) -> None:
        """Table `revocations`; needs `crls`."""
        self.write(
            "revocations",
            f"""SELECT * REPLACE (CASE WHEN authentic THEN coalesce(min(this_update) FILTER (WHERE authentic)
                OVER (PARTITION BY issuer_der_sha256, issuer_spki_sha256, serial), this_update)
                ELSE this_update END AS first_seen)
            FROM (
              SELECT r.* EXCLUDE (_source), c.issuer_spki_sha256, c.authentic, c.collection, c.file AS source,
                r.this_update AS first_seen,
                row_number() OVER (PARTITION BY c.collection, c.file ORDER BY r._position, r._entry) AS position
              FROM raw_revocations r JOIN placed p ON r._source = p.source
              JOIN crls c ON c.collection = p.collection AND c.sha256 = r.crl AND c.file = {FILE}
                AND c.position = r._position)
            ORDER BY collection, source, serial, position""",
        )

    def ocsp(self) -> None:
        """Table `ocsp`, each response of a collection once; needs `ocsp_signers`."""
        self.write(
            "ocsp",
            f"""SELECT r.* EXCLUDE (_source), s.issuer_spki_sha256, s.responder_certificate, s.delegated,
              coalesce(s.authentic, false) AS authentic, p.collection, {FILE} AS source,
              row_number() OVER (PARTITION BY p.collection, {FILE} ORDER BY r._position, r._entry) AS position
            FROM raw_ocsp r JOIN placed p ON r._source = p.source
            JOIN collections k ON k.collection = p.collection
            LEFT JOIN ocsp_signers s ON s.response = r.response AND s.entry = r._entry AND s.trust = k.trust
            QUALIFY dense_rank() OVER (PARTITION BY p.collection, r.response ORDER BY {FILE}, r._position) = 1
            ORDER BY p.collection, source, position""",
        )

    def log_entries(self) -> None:
        """Table `log_entries`; needs `stated` and `logs`."""
        self.write(
            "log_entries",
            f"""SELECT r.* EXCLUDE (index),
              coalesce(r.index, t.first_index + r._position - 1) AS index,
              coalesce(g.log, t.log, q.log) AS log, g.log_id AS log_id,
              p.collection, {FILE} AS file, r._position AS position
            FROM raw_log_entries r JOIN placed p ON r._source = p.source
            LEFT JOIN stated t ON t.collection = p.collection AND t.file = p.file
            LEFT JOIN (SELECT _source, min(log) AS log FROM raw_sources GROUP BY _source) q
              ON q._source = r._source
            LEFT JOIN logs g ON g.log_id = t.log OR g.log = t.log OR g.url = coalesce(t.log, q.log)
            QUALIFY row_number() OVER (PARTITION BY p.collection, {FILE}, r._position ORDER BY g.log_id) = 1
            ORDER BY p.collection, file, position""",
        )

    def lists(self) -> None:
        """Table `lists`; what is listed counts as held where a certificate of any collection fits."""
        self.write(
            "lists",
            f"""SELECT r.*, p.collection, {FILE} AS file, r._position AS position,
              CASE WHEN coalesce(r.sha256, r.precertificate) IS NOT NULL
                THEN r.sha256 IN (SELECT sha256 FROM certificates) IS TRUE
                  OR r.precertificate IN (SELECT sha256 FROM certificates) IS TRUE
                WHEN r.serial IS NOT NULL THEN EXISTS (SELECT 1 FROM certificates c WHERE c.serial = r.serial
                  AND (r.issuer IS NULL OR contains(r.issuer, c.issuer_cn)))
                ELSE false END AS held
            FROM raw_lists r JOIN placed p ON r._source = p.source ORDER BY p.collection, file, position""",
        )

    def lints(self) -> None:
        """Table `lints`: what linters' results among the evidence say, and `own_lints`, made for this report."""
        self.write(
            "lints",
            f"""WITH known AS (SELECT sha256, bool_or(authentic) AS authentic, any_value(kind) AS kind
              FROM certificates GROUP BY sha256)
            SELECT l.*, coalesce(k.authentic, false) AS authentic, k.kind FROM (
              SELECT r.* EXCLUDE (_source, _member, _position, part, row), p.collection, {FILE} AS file,
                r._position AS position
              FROM raw_lints r JOIN placed p ON r._source = p.source
              UNION ALL BY NAME SELECT * FROM own_lints) l
            LEFT JOIN known k ON k.sha256 = l.certificate
            ORDER BY l.collection, file, position, certificate, code""",
        )

    def sources(self) -> None:
        """Table `sources`; needs `stated`."""
        self.write(
            "sources",
            """SELECT p.collection, p.file, p.octets, p.source AS sha256, s.* EXCLUDE (_source, log, tree_size,
                first_index, last_index), coalesce(t.log, s.log) AS log,
              coalesce(t.tree_size, s.tree_size) AS tree_size,
              coalesce(s.first_index, t.first_index) AS first_index,
              coalesce(s.last_index, t.first_index + s.items - 1) AS last_index, t.taken, t.origin
            FROM placed p JOIN (
              SELECT _source, string_agg(DISTINCT form, ', ' ORDER BY form) AS form, sum(items) AS items,
                sum(certificates) AS certificates, bool_or(capped) AS capped, min(first_index) AS first_index,
                max(last_index) AS last_index, max(tree_size) AS tree_size, any_value(log) AS log
              FROM raw_sources GROUP BY _source) s ON s._source = p.source
            LEFT JOIN stated t ON t.collection = p.collection AND t.file = p.file
            ORDER BY p.collection, p.file""",
        )

    def of_certificates(self, name: str) -> None:
        """Tables `names` and `extensions`, from the raw rows made on demand."""

        def query(part: int | None) -> str:
            within = "r.which, r.position" if name == "names" else "r.position"
            made = self.beside(name, f"all_{name}", beside.MORE[name], part)
            return f"""SELECT r.*, c.authentic, c.kind, c.collection
            FROM (SELECT DISTINCT * EXCLUDE (part, row) FROM {made}) r
            JOIN {self._certificates(part)} c ON c.sha256 = r.certificate
            ORDER BY c.collection, r.certificate, {within}"""

        self.write_by_part(name, query, large=self.large)

    def problems(self) -> None:
        """Table `problems`; needs `excuses` and `lint_faults`."""
        self.write(
            "problems",
            f"""SELECT DISTINCT {FILE} AS file, r._position AS position, nullif(r.field, '') AS field, r.reason,
              coalesce(r.irregular, false) AS irregular, nullif(r.certificate, '') AS certificate, p.collection,
              e.reason AS excused
            FROM raw_faults r JOIN placed p ON r._source = p.source
            LEFT JOIN excuses e ON e.collection = p.collection AND (e.file = p.file OR e.file = {FILE})
            UNION ALL BY NAME
            SELECT DISTINCT c.file, c.position, d.field, d.reason, d.irregular, d.certificate, c.collection,
              e.reason AS excused
            FROM made_detail_faults d JOIN certificates c ON c.sha256 = d.certificate
            LEFT JOIN excuses e
              ON e.collection = c.collection AND (e.file = c.file OR starts_with(c.file, e.file || '/'))
            UNION ALL BY NAME
            SELECT DISTINCT c.file, c.position, 'lints' AS field, f.reason, false AS irregular, f.certificate,
              c.collection, e.reason AS excused
            FROM lint_faults f JOIN certificates c ON c.sha256 = f.certificate
            LEFT JOIN excuses e ON e.collection = c.collection
              AND (e.file = c.file OR starts_with(c.file, e.file || '/'))
            ORDER BY collection, file, position, field, reason, certificate""",
        )


def _only(column: str, part: int | None) -> str:
    return "true" if part is None else f"{column} = {part}"
