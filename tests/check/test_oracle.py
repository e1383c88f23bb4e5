"""A plain judge, slow and obvious and without SQL, says the same as the program on random tables.

``AFFIDAVIT_ORACLE`` sets how many tables are drawn (each is asked some twenty claims).
"""

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from affidavit.check.assertions import BY_KEY
from tests.check.case import Row, at, certificate, digest, revocation, run

TABLES = int(os.environ.get("AFFIDAVIT_ORACLE", "13"))
V, R, U = "verified", "refuted", "unproven"
DAYS = ["2015-12-19", "2015-12-20", "2016-01-04"]
BITS = [1024, 2048, 4096]
OIDS = ["1.1", "1.2"]


def table(draw: random.Random) -> list[Row]:
    def maybe(value: Any) -> Any:
        return None if draw.random() < holes else value

    holes = draw.choice([0, 0, 0.15, 0.6])
    rows = []
    for number in draw.sample(range(12), draw.randrange(7)):
        row = certificate(
            number,
            key_bits=maybe(draw.choice(BITS)),
            issuer_cn=maybe(draw.choice(["CA One", "CA Two"])),
            not_before=maybe(at(f"{draw.choice(DAYS)} {draw.choice(['00:00', '15:59:59', '16:00', '23:59:59'])}")),
            earliest_sct=maybe(at(f"{draw.choice(DAYS)} 16:00")),
            policy_oids=maybe([draw.choice(OIDS) for _ in range(draw.randrange(3))]),
            spki_sha256=digest(f"key {number // 2}"),
        )
        first = draw.choice("ab")
        rows.append(row | {"collection": first, "authentic": draw.random() < 0.9})
        if draw.random() < 0.2:
            rows.append(rows[-1] | {"collection": "ab".replace(first, "")})
    return rows


def scope(rows: list[Row], over: str, where: Callable[[Row], bool | None]) -> tuple[list[Row], str]:
    """The rows that a claim is about, each certificate once; or why nothing can be said."""
    chosen: dict[str, Row] = {}
    open_rows = False
    for name in over:
        looked_at = [row for row in rows if row["collection"] == name and row["authentic"]]
        if not looked_at:
            return [], U
        for row in looked_at:
            if where(row) is None:
                open_rows = True
            elif where(row):
                chosen.setdefault(row["sha256"], row)
    return list(chosen.values()), U if open_rows else ""


def every(answers: list[bool | None]) -> str:
    if False in answers:
        return R
    return U if None in answers else V


def none(answers: list[bool | None]) -> str:
    if True in answers:
        return R
    return U if None in answers else V


def some(answers: list[bool | None]) -> str:
    if True in answers:
        return V
    return U if None in answers else R


def yes(truth: bool) -> str:
    return V if truth else R


def day(value: datetime | None, shift: int = 0) -> str | None:
    return None if value is None else (value + timedelta(hours=shift)).date().isoformat()


def known(value: Any, test: Callable[[Any], bool]) -> bool | None:
    return None if value is None else test(value)


def claims(draw: random.Random, rows: list[Row]) -> list[tuple[dict[str, Any], str]]:
    """Random claims, each with the outcome that it ought to have."""
    made: list[tuple[dict[str, Any], str]] = []
    over = draw.choice(["a", "b", "ab"])
    bits, date, oid = draw.choice(BITS), draw.choice(DAYS), draw.choice(OIDS)
    zone, shift = draw.choice([("UTC", 0), ("Asia/Shanghai", 8)])
    conditions: list[tuple[Any, Callable[[Row], bool | None]]] = [
        (None, lambda r: True),
        ({"key_bits": str(bits)}, lambda r: known(r["key_bits"], lambda v: v == bits)),
        (f"key_bits <> {bits}", lambda r: known(r["key_bits"], lambda v: v != bits)),
        ({"issuer_cn": "present"}, lambda r: r["issuer_cn"] is not None),
    ]
    where, keep = draw.choice(conditions)
    mine, trouble = scope(rows, over, keep)
    n = len(mine)

    def add(stated: dict[str, Any], truth: Callable[[], str], *, size: bool = False) -> None:
        head: dict[str, Any] = {"over": list(over), "timezone": zone}
        if where is not None:
            head["where"] = where
        expected = trouble or (U if not mine and not size else truth())
        made.append((head | stated, expected))

    number = max(0, n + draw.choice([-1, 0, 0, 1]))
    add({"count": str(number)}, lambda: yes(n == number), size=True)
    add({"count": {"at_least": str(number)}}, lambda: yes(n >= number), size=True)
    for column in ("key_bits", "issuer_cn"):
        values = [row[column] for row in mine]
        add({"distinct": {column: str(number)}}, lambda v=values: U if None in v else yes(len(set(v)) == number))  # type: ignore[misc]
        add({"same": column}, lambda v=values: U if None in v or n == 1 else yes(len(set(v)) == 1))  # type: ignore[misc]
    tests: list[tuple[Any, Callable[[Row], bool | None]]] = [
        *conditions[1:],
        ({"not_before": date}, lambda r: known(day(r["not_before"], shift), lambda v: v == date)),
        ({"not_before": {"not": date}}, lambda r: known(day(r["not_before"], shift), lambda v: v != date)),
        (f"not_before > '{date}'", lambda r: known(day(r["not_before"], shift), lambda v: v > date)),
        ({"key_bits": [str(bits), "512"]}, lambda r: known(r["key_bits"], lambda v: v in (bits, 512))),
        ({"policy_oids": [oid]}, lambda r: known(r["policy_oids"], lambda v: set(v) == {oid})),
        ({"policy_oids": {"contains": oid}}, lambda r: known(r["policy_oids"], lambda v: oid in v)),
        ({"policy_oids": "absent"}, lambda r: known(r["policy_oids"], lambda v: not v)),
        (f"key_bits IN ({bits}, 7) AND NOT is_ca", lambda r: known(r["key_bits"], lambda v: v == bits)),
    ]
    for key, judge in (("every", every), ("none", none), ("some", some)):
        stated, test = draw.choice(tests)
        add({key: stated}, lambda j=judge, t=test: j([t(row) for row in mine]))  # type: ignore[misc]
    low, high = sorted([date, draw.choice(DAYS)])
    inside = [known(day(row["not_before"], shift), lambda v: low <= v <= high) for row in mine]
    add({"between": {"not_before": {"from": low, "until": high}}}, lambda: every(inside))
    starts = [row["not_before"] for row in mine]
    for key, pick in (("earliest", min), ("latest", max)):
        add({key: {"not_before": date}}, lambda p=pick: U if None in starts else yes(day(p(starts), shift) == date))  # type: ignore[misc]
    gaps = [
        None if row["not_before"] is None or row["earliest_sct"] is None else row["earliest_sct"] - row["not_before"]
        for row in mine
    ]
    limit = draw.choice([0, 1, 15, 16])

    def gap(least: bool) -> str:
        sure = [g for g in gaps if g is not None]
        if len(sure) < len(gaps):
            return U
        if least:
            return yes(all(g >= timedelta(days=limit) for g in sure))
        if any(g > timedelta(days=limit) for g in sure):
            return R
        return U if any(g < timedelta(0) for g in sure) else V

    ends = {"from": "not_before", "to": "earliest_sct"}
    add({"gap": ends | {"at_least": f"{limit} days"}}, lambda: gap(True))
    add({"gap": ends | {"at_most": f"{limit} days"}}, lambda: gap(False))
    others = [row for row in rows if row["collection"] == "b" and row["authentic"]]
    paired = sum(any(o["spki_sha256"] == r["spki_sha256"] and o["sha256"] != r["sha256"] for o in others) for r in mine)
    add({"pairs": {"with": "b", "by": "spki_sha256"}}, lambda: yes(paired == n) if others else U)
    few = {"with": "b", "by": "spki_sha256", "count": str(number)}
    add({"pairs": few}, lambda: yes(paired == number) if others else U)

    free = draw.random() < 0.5

    def identical() -> str:
        if None in starts and not free:
            return U
        groups: dict[str, list[Any]] = {}
        for row in mine:
            groups.setdefault(row["spki_sha256"], []).append(0 if free else row["not_before"])
        if any(len(set(group)) > 1 for group in groups.values()):
            return R
        return U if any(len(group) == 1 for group in groups.values()) else V

    add(
        {"identical_except": {"fields": ["serial", "not_before"] if free else "serial", "by": "spki_sha256"}}, identical
    )

    def revoked() -> str:
        listed = [int(row["serial"], 16) % 2 == 0 for row in mine]
        if date != "2015-12-20" and any(listed):
            return R
        return V if all(listed) else U

    add({"revoked": {"at": f"{date}T12:00Z"}}, revoked)
    sums = [row["key_bits"] for row in mine]
    add({"sql": f"SELECT count(*) FROM certificates WHERE key_bits = {bits}", "returns": str(number)},
        lambda: U if None in sums else yes(sums.count(bits) == number))  # fmt: skip
    window = {"from": "2016-01-01", "until": draw.choice(["2016-06-28", "2016-06-29"])}
    complete = window["until"] == "2016-06-28" and zone == "UTC" and over == "a"
    add({"only": window}, lambda: V if complete else U, size=True)
    return made


def total(draw: random.Random, rows: list[Row]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A total of two random parts."""
    parts, scopes, trouble = {}, [], ""
    for name in ("p", "q"):
        over, bits = draw.choice(["a", "b"]), draw.choice(BITS)
        parts[name] = {"over": over, "where": {"key_bits": str(bits)}, "count": "1"}
        mine, why = scope(rows, over, lambda r, b=bits: known(r["key_bits"], lambda v: v == b))  # type: ignore[misc]
        scopes.append({row["sha256"] for row in mine})
        trouble = trouble or why
    whole = scopes[0] | scopes[1]
    number = max(0, len(whole) + draw.choice([0, 0, 1]))
    if trouble:
        expected = U
    elif scopes[0] & scopes[1] or len(whole) != number:
        expected = R
    else:
        expected = V if whole else U
    return parts, {"total": ["p", "q"], "count": str(number)}, expected


COMPLETE = {"scope": "all", "from": "2016-01-01", "until": "2016-06-28", "basis": "an export"}
TOP = {"evidence": {"a": {"files": "a", "complete": COMPLETE}, "b": {"files": "b"}}}


@pytest.mark.parametrize("seed", range(TABLES))
def test_the_plain_judge_agrees(seed: int) -> None:
    draw = random.Random(seed)
    rows = table(draw)
    entries = [revocation(n, revoked_at=at("2015-12-20 12:00:30"), collection=c) for n in range(0, 12, 2) for c in "ab"]
    asked = claims(draw, rows)
    parts, whole, expected = total(draw, rows)
    stated = {f"c{number}": claim for number, (claim, _) in enumerate(asked)}
    verdicts = run(stated | parts | {"whole": whole}, rows, top=TOP, revocations=entries).verdicts
    for number, (claim, outcome) in enumerate([*asked, (whole, expected)]):
        name = f"c{number}" if number < len(asked) else "whole"
        assert verdicts[name].outcome == outcome, (claim, verdicts[name].findings, rows)


def test_every_assertion_is_asked() -> None:
    draw = random.Random(0)
    rows = table(draw)
    asked = {key for claim, _ in claims(draw, rows) for key in claim} | set(total(draw, rows)[1])
    assert set(BY_KEY) <= asked


def test_all_outcomes_occur() -> None:
    """A judge that always said one thing would agree with little."""
    found: dict[str, set[str]] = {}
    for seed in range(300):
        draw = random.Random(seed)
        rows = table(draw)
        for claim, outcome in claims(draw, rows):
            for key in set(claim) & set(BY_KEY):
                found.setdefault(key, set()).add(outcome)
    assert all({V, U} <= outcomes for outcomes in found.values())
    assert all(R in outcomes for key, outcomes in found.items() if key != "only")
