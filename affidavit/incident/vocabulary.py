"""The closed sets of words in the incident file."""

from typing import Literal

KindName = Literal["certificate", "precertificate", "any"]
ReportKind = Literal["preliminary", "full", "closure", "analysis"]
PositionName = Literal["true", "false", "unproven"]
TableName = Literal["certificates", "scts", "revocations", "problems"]
