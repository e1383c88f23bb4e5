"""Random evidence with random claims about it, true ones, false ones and such that nobody can tell; all from a seed."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.check.case import Row, at, certificate, digest, lint, problem, revocation, run
from tests.check.plain_judge import LISTS, NUMBERS, TIMES, Expr, Judge, Query, World, all_of, any_of, holds, negated

DAYS = ["2015-12-19", "2015-12-20", "2015-12-21"]
CLOCKS = ["00:00:00", "15:59:59", "16:00:00", "16:00:01", "23:59:59"]
BITS = [1024, 2048, 4096]
OIDS = ["1.1", "1.2"]
NAMES = ["www.example.com", "WWW.example.com", "example.org"]
ISSUERS = ["CA One", "CA Two", "Münster CA"]
ZONES = ["UTC", "Asia/Shanghai", "America/New_York"]
DECLARED = ("2015-12-19", "2015-12-20")
COMPLETE = {"scope": "all", "from": DECLARED[0], "until": DECLARED[1], "basis": "an export"}
TOP = {
    "evidence": {
        "a": {"files": "a", "complete": COMPLETE},
        "b": {"files": "b", "complete": {**COMPLETE, "until": "2015-12-31"}},
        "c": {"files": "c", "trust": "none"},
    }
}


@dataclass(frozen=True)
class Wrong:
    """A claim of which the program says otherwise than the plain judge."""

    seed: int
    claim: Mapping[str, Any]
    said: str
    right: str
    rows: list[Row]
    findings: Any


class Draw:
    """Everything random about one world."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.holes = self.choice([0, 0, 0, 0, 0.05, 0.3])

    def choice(self, options: Sequence[Any]) -> Any:
        return self.random.choice(options)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def maybe(self, value: Any) -> Any:
        return None if self.chance(self.holes) else value

    def moment(self) -> Any:
        return at(f"{self.choice(DAYS)} {self.choice(CLOCKS)}")

    def world(self) -> World:
        rows: list[Row] = []
        for number in self.random.sample(range(12), self.choice([0, 1, 2, 4, 6, 8, 12])):
            extensions = [f"2.5.29.17={digest('names')}", f"2.5.29.37={digest(self.choice('xxxxxy'))}"]
            row = certificate(
                number,
                kind="precertificate" if self.chance(0.1) else "certificate",
                key_bits=self.maybe(self.choice(BITS)),
                issuer_cn=self.maybe(self.choice(ISSUERS)),
                not_before=self.maybe(self.moment()),
                earliest_sct=self.maybe(self.moment() + timedelta(days=1)),
                policy_oids=self.maybe([self.choice(OIDS) for _ in range(self.random.randrange(3))]),
                dns_names=[self.choice(NAMES) for _ in range(1 + self.random.randrange(2))],
                path_length=self.maybe(self.choice([0, 1])),
                is_ca=self.maybe(self.chance(0.5)),
                sct_count=self.choice([0, 2]),
                spki_sha256=digest(f"key {number // 6}"),
                extension_digests=extensions,
            )
            first = self.choice("aabc")
            rows.append(row | {"collection": first, "authentic": self.chance(0.9)})
            if self.chance(0.2):
                second = self.choice([name for name in "abc" if name != first])
                rows.append(row | {"collection": second, "authentic": self.chance(0.9)})
        if self.chance(0.03) and rows:
            rows[0]["kind"] = None
        self.random.shuffle(rows)
        entries: list[Row] = []
        listed = self.random.sample(range(12), self.choice([0, 6, 12, 12]))
        for position, number in enumerate([*listed, *listed[:2]], 1):
            entries.append(
                revocation(
                    number,
                    revoked_at=self.maybe(self.moment()),
                    reason=self.maybe(self.choice(["keyCompromise"] * 20 + ["superseded", "removeFromCRL"])),
                    authentic=self.chance(0.95),
                    collection=self.choice("ab"),
                    position=position,
                    **({"issuer_spki_sha256": digest("another")} if self.chance(0.05) else {}),
                )
            )
        states = {name: self.choice([""] * 18 + ["unreadable", "excused"]) for name in "ab"}
        days = {"a": DECLARED, "b": (DECLARED[0], "2015-12-31")}
        lints: list[Row] = []
        share = self.choice([0.8, 1, 1])
        for number in range(12):
            for rule, usual in (("e_a_rule", "error"), ("e_b_rule", "pass")):
                for _ in range(2 if self.chance(0.1) else 1):
                    odd = self.choice(["error", "warn", "pass", "not applicable", "not yet in force", "fatal"])
                    result = odd if self.chance(0.1) else usual
                    if self.chance(share):
                        version = "v1" if self.chance(0.1) else "v3.6.4"
                        lints.append(lint(number, code=rule, result=result, version=version))
        return World(
            rows,
            entries,
            frozenset("c"),
            {n: (at(low), at(high) + timedelta(days=1)) for n, (low, high) in days.items()},
            frozenset(n for n, s in states.items() if s == "unreadable"),
            frozenset(n for n, s in states.items() if s == "excused"),
            lints,
        )

    def time(self) -> str:
        day, clock = self.choice(DAYS), self.choice(CLOCKS)
        text: str = self.choice([day, day, day, f"{day}T{clock}Z", f"{day}T{clock[:5]}Z", f"{day}T{clock}+08:00"])
        return text

    def span(self) -> tuple[str, str]:
        low, high = sorted([self.choice(DAYS), self.choice(DAYS)])
        return low, high

    def value(self, column: str) -> Any:
        """A stated value of a column, in any form of the grammar."""
        word = self.choice(["absent", "present"]) if self.chance(0.1) else None
        if column in TIMES:
            low, high = self.span()
            ends = {self.choice(["from"]): low, self.choice(["until"]): high}
            one = {self.choice(["from", "until", "after", "before"]): self.time()}
            return word or self.choice([self.time(), self.time(), [self.time(), self.time()], ends, one,
                                        {"not": self.time()}])  # fmt: skip
        if column in NUMBERS:
            pool: list[str] = ["0", "1", "2"] if column in ("path_length", "sct_count") else [str(n) for n in BITS]
            low, high = sorted([self.choice(pool), self.choice(pool)], key=int)
            one = {self.choice(["at_least", "at_most", "after", "before", "from", "until"]): low}
            return word or self.choice([low, low, [low, high], {"at_least": low, "at_most": high}, one, {"not": low}])
        if column in LISTS:
            words = NAMES if column == "dns_names" else OIDS
            one = self.choice(words)
            return word or self.choice([one, [one, self.choice(words)], {"contains": one}, {"not": {"contains": one}}])
        if column == "is_ca":
            return word or self.choice(["true", "false", {"not": "true"}])
        if column == "serial":
            full = certificate(self.random.randrange(12))["serial"]
            text = self.choice([full, full.lstrip("0").lower(), ":".join(full[i : i + 2] for i in range(0, 32, 2))])
            return self.choice([text, [text, full], {"not": text}, {"like": f"5%{full[-1]}"}])
        one = self.choice(ISSUERS)
        return word or self.choice(
            [one, [one, ISSUERS[0]], {"not": one}, {"like": self.choice(["CA%", "%_n%", "CA T_o"])}]
        )

    def column(self) -> str:
        name: str = self.choice(["key_bits", "issuer_cn", "not_before", "earliest_sct", "policy_oids", "dns_names",
                            "path_length", "is_ca", "serial", "sct_count"])  # fmt: skip
        return name

    def mapping(self) -> dict[str, Any]:
        columns = {self.column() for _ in range(self.choice([1, 1, 2]))}
        return {column: self.value(column) for column in sorted(columns)}

    def expression(self, zone: str, depth: int = 2) -> Expr:
        """An expression with what it means; comparisons at its leaves, AND, OR and NOT above them."""
        if depth and self.chance(0.5):
            one, two = self.expression(zone, depth - 1), self.expression(zone, depth - 1)
            made = [
                Expr(f"({one.text} AND {two.text})", lambda r: all_of([one.truth(r), two.truth(r)])),
                Expr(f"({one.text} OR {two.text})", lambda r: any_of([one.truth(r), two.truth(r)])),
                Expr(f"NOT ({one.text})", lambda r: negated(one.truth(r))),
            ]
            found: Expr = self.choice(made)
            return found
        bits, low, high = self.choice(BITS), *self.span()
        moment, issuer = self.time(), self.choice(ISSUERS)
        serial = certificate(self.random.randrange(12))["serial"].lstrip("0")

        def leaf(text: str, column: str, stated: Any) -> Expr:
            return Expr(text, lambda row: holds(column, stated, row, zone))

        leaves = [
            leaf(f"key_bits = {bits}", "key_bits", str(bits)),
            leaf(f"{bits} <> key_bits", "key_bits", {"not": str(bits)}),
            leaf(f"key_bits >= {bits}", "key_bits", {"at_least": str(bits)}),
            leaf(f"key_bits NOT IN ({bits}, 512)", "key_bits", {"not": [str(bits), "512"]}),
            leaf(f"{bits} > key_bits", "key_bits", {"before": str(bits)}),
            leaf(f"not_before = '{moment}'", "not_before", moment),
            leaf(f"not_before <> '{moment}'", "not_before", {"not": moment}),
            leaf(f"not_before > '{moment}'", "not_before", {"after": moment}),
            leaf(f"not_before <= '{moment}'", "not_before", {"until": moment}),
            leaf(f"'{moment}' > not_before", "not_before", {"before": moment}),
            leaf(f"not_before BETWEEN '{low}' AND '{high}'", "not_before", {"from": low, "until": high}),
            leaf(f"issuer_cn = '{issuer}'", "issuer_cn", issuer),
            leaf(f"issuer_cn NOT LIKE '{issuer[:2]}%'", "issuer_cn", {"not": {"like": f"{issuer[:2]}%"}}),
            leaf("is_ca", "is_ca", "true"),
            leaf("NOT is_ca", "is_ca", "false"),
            leaf(f"serial = '{serial}'", "serial", serial),
            leaf("path_length IS NULL", "path_length", "absent"),
            leaf("path_length IS NOT NULL", "path_length", "present"),
            leaf("list_contains(dns_names, 'EXAMPLE.org')", "dns_names", {"contains": "EXAMPLE.org"}),
            Expr(f"key_bits IS DISTINCT FROM {bits}", lambda row: row["key_bits"] != bits),
            Expr(f"coalesce(key_bits, {bits}) = {bits}", lambda row: row["key_bits"] in (None, bits)),
        ]
        single: Expr = self.choice(leaves)
        return single

    def condition(self, zone: str) -> Any:
        return self.expression(zone) if self.chance(0.4) else self.mapping()

    def amount(self, near: int) -> Any:
        number = str(max(0, near + self.choice([-1, 0, 0, 0, 1])))
        return self.choice([number, number, {"at_least": number}, {"at_most": number}])

    def assertion(self, key: str, zone: str, near: int) -> Any:
        """A random statement of one assertion; None where this key is none of ours."""
        low, high = self.span()
        match key:
            case "count":
                return self.amount(near)
            case "share":
                shown = self.choice(["0 %", "25 %", "33 %", "33.3 %", "50 %", "66.7 %", "67 %", "100 %", "12.5 %"])
                return self.choice([shown, shown, {"at_least": shown}, {"at_most": shown}])
            case "distinct":
                return {self.column(): self.amount(self.choice([1, 2, near]))}
            case "same":
                return self.choice([self.column(), [self.column(), "issuer"], "dns_names", "kind"])
            case "every" | "none" | "some":
                return self.condition(zone)
            case "between":
                return self.choice([
                    {"not_before": {"from": low, "until": high}},
                    {"key_bits": {"at_least": "1024", "at_most": self.choice(["2048", "4096"])}},
                ])  # fmt: skip
            case "earliest" | "latest":
                column = self.choice(["not_before", "not_before", "key_bits"])
                return {column: self.value(column)}
            case "only":
                return {"from": low, "until": high}
            case "identical_except":
                free = self.choice([["serial"], ["serial", "not_before"], ["serial", "not_before", "2.5.29.37"],
                                    ["serial", "not_before", "extensions"]])  # fmt: skip
                return {"fields": free, "by": self.choice(["spki_sha256", ["spki_sha256", "dns_names"], "issuer_cn"])}
            case "pairs":
                stated: dict[str, Any] = {
                    "with": self.choice("abc"),
                    "by": self.choice(["spki_sha256", "spki_sha256", ["spki_sha256", "dns_names"], "key_bits"]),
                }
                if self.chance(0.5):
                    stated["count"] = self.amount(near)
                if self.chance(0.3):
                    stated["every"] = self.condition(zone)
                if self.chance(0.3):
                    stated["where"] = self.condition(zone)
                return stated
            case "revoked":
                when = {"from": low, "until": high}
                return self.choice(["true", "true", self.time(), when, {"reason": "keyCompromise"},
                                    {"at": when, "reason": "keyCompromise"}])  # fmt: skip
            case "gap":
                ends = ["not_before", "earliest_sct"]
                self.random.shuffle(ends)
                length = self.choice(["0 hours", "8 hours", "1 days", "24 hours", "2 days", "1 seconds"])
                return {"from": ends[0], "to": ends[1], self.choice(["at_least", "at_most"]): length}
            case "violates":
                stated = {"rule": self.choice(["e_a_rule", "e_a_rule", "e_b_rule"])}
                if self.chance(0.6):
                    stated["count"] = self.amount(near if stated["rule"] == "e_a_rule" else 0)
                return stated | ({"version": "v3.6.4"} if self.chance(0.5) else {})
            case "sql":
                bits = self.choice(BITS)
                return self.choice([
                    Query("SELECT count(*) FROM certificates", (), len),
                    Query(f"SELECT count(*) FROM certificates WHERE key_bits = {bits}", ("key_bits",),
                          lambda rows: sum(row["key_bits"] == bits for row in rows)),
                    Query("SELECT max(key_bits) FROM certificates", ("key_bits",),
                          lambda rows: max((row["key_bits"] for row in rows), default=None)),
                    Query("SELECT count(path_length) FROM certificates", (),
                          lambda rows: sum(row["path_length"] is not None for row in rows)),
                    Query("SELECT count(DISTINCT spki_sha256) FROM certificates", ("spki_sha256",),
                          lambda rows: len({row["spki_sha256"] for row in rows})),
                    Query("SELECT bool_and(is_ca) FROM certificates", ("is_ca",),
                          lambda rows: all(row["is_ca"] for row in rows) if rows else None),
                ])  # fmt: skip
        return None

    def claims(self, keys: list[str], world: World) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """Random claims, some for each key; and the parts that totals name."""
        near = sum(row["collection"] == "a" for row in world.certificates)
        made: list[dict[str, Any]] = []
        for key in [*keys, *keys]:
            zone = self.choice(ZONES)
            head: dict[str, Any] = {"over": self.choice(["a", "a", "b", "c", ["a", "b"], ["a", "c"]]), "timezone": zone}
            if self.chance(0.1):
                head["kind"] = self.choice(["precertificate", "any", "any"])
            if self.chance(0.3):
                head["where"] = self.condition(zone)
            if key == "total":
                head = {"timezone": zone}
                stated: Any = [["p", "q"], ["p", "r"], ["q", "r"]][self.random.randrange(3)]
            else:
                stated = self.assertion(key, zone, near)
            if stated is None:
                continue
            more = self.choice(["count", "distinct", "every"])
            both = {} if self.chance(0.6) or more == key else {more: self.assertion(more, zone, near)}
            if key == "sql":
                truth = {"true", "false"} if "bool_and" in stated.text else {str(near), "2048", "4096", "0", "1", "2"}
                both = {**both, "returns": self.choice(sorted(truth))}
            made.append(head | {key: stated} | both)
        for _ in range(2):
            expected = {"table": "revocations", "over": self.choice("ab")}
            reason = self.choice(["keyCompromise", {"not": "superseded"}])
            made.append(expected | {self.choice(["every", "none", "some"]): {"reason": reason}})
        parts = {name: {"over": self.choice("aab"), "where": self.mapping(), "count": "1"} for name in ("p", "q", "r")}
        return {f"c{number}": claim for number, claim in enumerate(made)}, parts


def written(claim: Any) -> Any:
    """A claim as an incident file states it."""
    if isinstance(claim, (Expr, Query)):
        return claim.text
    return {key: written(one) for key, one in claim.items()} if isinstance(claim, dict) else claim


def told_apart(seed: int, keys: list[str]) -> tuple[list[Wrong], dict[tuple[str, str], int]]:
    """The wrong verdicts on one world's claims; and how often each assertion had which outcome."""
    draw = Draw(seed)
    world = draw.world()
    claims, parts = draw.claims(keys, world)
    problems = [problem(collection=name) for name in sorted(world.unreadable)]
    problems += [problem(collection=name, excused="known") for name in sorted(world.excused)]
    stated = {name: written(claim) for name, claim in (claims | parts).items()}
    verdicts = run(stated, world.certificates, top=TOP, revocations=world.revocations, problems=problems,
                   lints=world.lints).verdicts  # fmt: skip
    judge = Judge(world, "UTC")
    wrong: list[Wrong] = []
    seen: dict[tuple[str, str], int] = {}
    for name, claim in (claims | parts).items():
        right, found = judge.outcome(claim, parts), verdicts[name]
        if found.outcome.value != right:
            wrong.append(Wrong(seed, stated[name], found.outcome.value, right, world.certificates, found.findings))
        for key in set(claim) & set(keys):
            seen[key, right] = seen.get((key, right), 0) + 1
    return wrong, seen
