"""``identical_except``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from affidavit.check.assertions.pairs import comparable, find_columns
from affidavit.check.base import SCOPE, Check, Context, count_where
from affidavit.check.conditions import ValueProblem, disjunction
from affidavit.incident.fields import Model, OneOrMany
from affidavit.tables import Column
from affidavit.types import Finding, Outcome, did_you_mean

#: Fields of a TBSCertificate (RFC 5280 4.1) and the columns that hold them.
FIELDS = {
    "version": ("version",),
    "serial": ("serial",),
    "signature_algorithm": ("signature_algorithm",),
    "issuer": ("issuer_der_sha256",),
    "not_before": ("not_before",),
    "not_after": ("not_after",),
    "subject": ("subject_der_sha256",),
    "public_key": ("spki_sha256",),
}
#: Extensions by name, beside their dotted OIDs.
EXTENSIONS = {
    "subject_alt_name": "2.5.29.17",
    "basic_constraints": "2.5.29.19",
    "key_usage": "2.5.29.15",
    "extended_key_usage": "2.5.29.37",
    "certificate_policies": "2.5.29.32",
    "subject_key_id": "2.5.29.14",
    "authority_key_id": "2.5.29.35",
    "crl_distribution_points": "2.5.29.31",
    "authority_information_access": "1.3.6.1.5.5.7.1.1",
    "sct_list": "1.3.6.1.4.1.11129.2.4.2",
    "poison": "1.3.6.1.4.1.11129.2.4.3",
}


class IdenticalModel(Model):
    """Which certificates belong together, and in which fields alone they differ."""

    fields: OneOrMany
    """Fields in which they may differ: version, serial, signature_algorithm, issuer, not_before,
    not_after, subject, public_key, extensions, or one extension by name or OID."""
    by: OneOrMany | None = None
    """Columns that certificates which belong together share; without it all rows belong together."""


@dataclass(frozen=True)
class IdenticalExcept(Check):
    """Certificates that belong together are identical but for the fields named.

    Names, keys and extensions are compared as encoded, extension by extension and in their order; version,
    serial number, signature algorithm and times by value. The unique identifiers of version 2 (RFC 5280
    4.1.2.8) are not compared.
    """

    key = "identical_except"
    model = IdenticalModel
    example = "identical_except: {fields: [serial, not_before], by: spki_sha256}"
    by: tuple[Column, ...]
    excepted: tuple[str, ...]

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "IdenticalExcept":
        if context.table.name != "certificates":
            raise ValueProblem("identical_except is about certificates")
        names = [stated.fields] if isinstance(stated.fields, str) else list(stated.fields)
        known = [*FIELDS, *EXTENSIONS, "extensions"]
        for index, name in enumerate(names):
            if name not in known and not all(part.isascii() and part.isdigit() for part in name.split(".")):
                hint = did_you_mean(name, known)
                raise ValueProblem(f"{name!r} is no field of a certificate", hint, ("fields", index))
        if not (set(FIELDS) - set(names)) and "extensions" in names:
            raise ValueProblem("nothing is left to be compared", path=("fields",))
        by = find_columns(context.table, stated.by, "by") if stated.by is not None else ()
        words = "identical but for " + ", ".join(names)
        if by:
            words += ", among those that share " + ", ".join(c.name for c in by)
        return cls(by, tuple(names), stated=words)

    def _compared(self) -> dict[str, exp.Expr]:
        found: dict[str, exp.Expr] = {}
        for name, columns in FIELDS.items():
            if name not in self.excepted:
                for column in columns:
                    found[name] = exp.column(column)
        if "extensions" not in self.excepted:
            oids = [EXTENSIONS.get(n, n) for n in self.excepted if n in EXTENSIONS or n[:1].isdigit()]
            text = "extension_digests"
            for oid in oids:
                # The OID is one of ours or made of digits and dots alone.
                text = f"list_filter({text}, x -> NOT starts_with(x, '{oid}='))"
            found["extensions"] = sqlglot.parse_one(f"array_to_string({text}, ' ')", read="duckdb")
        return found

    def query(self) -> exp.Query:
        compared = self._compared()
        groups = exp.select(exp.alias_(count_where(), "members")).from_(SCOPE)
        if self.by:
            groups = groups.group_by(*(comparable(c) for c in self.by))
        for name, node in compared.items():
            differing = exp.Count(this=exp.Distinct(expressions=[node.copy()]))
            groups = groups.select(exp.alias_(differing, f"d_{name}"))
        differ = disjunction([exp.GT(this=exp.column(f"d_{n}"), expression=exp.Literal.number(1)) for n in compared])
        single = exp.EQ(this=exp.column("members"), expression=exp.Literal.number(1))
        null_tests = [exp.Is(this=node.copy(), expression=exp.Null()) for node in compared.values()]
        null_tests += [exp.Is(this=exp.column(c.name), expression=exp.Null()) for c in self.by]
        nulls = exp.select(count_where(disjunction(null_tests))).from_(SCOPE)
        return exp.select(
            exp.alias_(count_where(), "groups"),
            exp.alias_(count_where(single), "alone"),
            exp.alias_(count_where(differ), "differing"),
            *(
                exp.alias_(
                    count_where(exp.GT(this=exp.column(f"d_{n}"), expression=exp.Literal.number(1))),
                    f"differ_{n}",
                )
                for n in compared
            ),
            exp.alias_(nulls.subquery(), "nulls"),
        ).from_(groups.subquery("g"))

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        groups, alone, differing = (int(measured[k]) for k in ("groups", "alone", "differing"))
        observed = f"{groups - differing - alone:,} of {groups:,} group(s) identical otherwise"
        if measured["nulls"]:
            hint = f"{int(measured['nulls']):,} row(s) lack a field to compare"
            return self.found(Outcome.UNPROVEN, observed, hint, "null-values")
        if differing:
            which = [n for n in self._compared() if measured[f"differ_{n}"]]
            return self.found(Outcome.REFUTED, observed, "they differ in " + ", ".join(which) + " too", "identical")
        if alone or not groups:
            hint = f"{alone:,} certificate(s) have nothing to be compared with"
            return self.found(Outcome.UNPROVEN, observed, hint, "single-row")
        return self.found(Outcome.VERIFIED, observed)
