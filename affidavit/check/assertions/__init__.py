"""The assertions, each in a module of its own with its model, its query, its judgement and its hint."""

from affidavit.check.assertions.count import Count
from affidavit.check.assertions.distinct import Distinct, Same
from affidavit.check.assertions.extremes import Earliest, Latest
from affidavit.check.assertions.gap import Gap
from affidavit.check.assertions.identical import IdenticalExcept
from affidavit.check.assertions.only import Only
from affidavit.check.assertions.pairs import Pairs
from affidavit.check.assertions.revoked import Revoked
from affidavit.check.assertions.rows import Between, Every, NoRow, Some
from affidavit.check.assertions.share import Share
from affidavit.check.assertions.sql import Sql
from affidavit.check.assertions.total import Total
from affidavit.check.assertions.violates import Violates
from affidavit.check.base import Check

ASSERTIONS: tuple[type[Check], ...] = (
    Count, Share, Distinct, Same, Every, NoRow, Some, Earliest, Latest, Between, Total, Only,
    IdenticalExcept, Pairs, Revoked, Gap, Violates, Sql,
)  # fmt: skip

BY_KEY: dict[str, type[Check]] = {assertion.key: assertion for assertion in ASSERTIONS}
if len(BY_KEY) != len(ASSERTIONS):
    raise RuntimeError("two assertions have one key")
