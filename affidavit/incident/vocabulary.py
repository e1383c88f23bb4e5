"""The closed sets of words in the incident file."""

from typing import Literal

KindName = Literal["certificate", "precertificate", "any"]
ReportKind = Literal["preliminary", "full", "closure", "analysis"]
PositionName = Literal["true", "false", "unproven"]
TableName = Literal[
    "certificates", "scts", "crls", "revocations", "ocsp", "log_entries", "lists", "lints", "pairs", "names",
    "extensions", "sources", "problems",
]  # fmt: skip
LinterName = Literal["zlint", "pkilint"]
DerivedName = Literal["log entries"]
