"""Makes the reconstructed evidence of the founding case, always the same bytes.

    python evidence/wosign-2016/reconstruct.py [--check] [FOLDER]

writes beside itself, or into FOLDER. With ``--check`` nothing is written: files that differ, are
missing or are too many are named, and the exit status is 1 if there are any. What is known and what
is assumed stands in README.md; keys come from seeds and are worthless as secrets.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, product
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from testpki import Authority, Certificate, Log, Revoked, asn1, bundle, log_list, rsa_key, rsa_public_key  # noqa: E402
from testpki.build import Options  # noqa: E402
from testpki.keys import stream  # noqa: E402

NOTE = "Reconstructed from published figures, not the original certificates: see README.md."
OWNER = "Reconstruction, not WoSign CA Limited"
CRL_URL = "http://crl.reconstruction.example/server.crl"

# Known: the figures of the case.
ENGLISH_SERIAL, ENGLISH_COUNT = 0x056D1570DA645BF6B44C0A7077CC6769, 313
CHINESE_SERIAL, CHINESE_COUNT = 0x0D3BBDC3A0175E38F9D0070CD050986A, 27
CATEGORY_1 = 6
SUNDAY_UTC_19TH, SUNDAY_UTC_20TH, OTHER_API = 22, 40, 2  # 62 on Sunday 2015-12-20 in China, and 2
ONLY_EIGHT = 8
# Known: Sunday 2015-12-20 in China, as its three edges in UTC.
SUNDAY = ("2015-12-19T16:00:00Z", "2015-12-20T00:00:00Z", "2015-12-20T15:59:59Z")
# Assumed: the period of issue H and the days after its fix.
ISSUE_H = ("2015-04-09", "2015-04-10", "2015-04-11", "2015-04-12", "2015-04-13", "2015-04-14")
ISSUE_H_CHINESE = ("2015-04-10", "2015-04-11", "2015-04-12", "2015-04-13")
AFTER_FIX = ("2015-04-15", "2015-04-16", "2015-04-17", "2015-04-20", "2015-04-21", "2015-04-22")
# Assumed: notBefore of the two certificates of the other API, and of the two issued later in 2016.
API_STARTS = ("2015-12-22T06:41:17Z", "2015-12-24T02:08:53Z")
STARTS_2016 = ("2016-02-03T07:25:40Z", "2016-05-17T03:50:12Z")
# Assumed: no SHA-1 certificate outlives 2016; 2016-12-29T16:00:00Z is midnight in China.
SHA1_END = "2016-12-29T16:00:00Z"

ADJECTIVES = (
    "Amber Birch Cedar Coral Crimson Dapper Eager Fabled Gentle Golden Hidden Ivory Jolly Keen Lively Mellow"
    " Nimble Olive Placid Quiet Rustic Silver Tidy Upland Velvet"
).split()
NOUNS = (
    "Anchor Beacon Bridge Canyon Comet Garden Harbour Island Kettle Lantern Meadow Mill Orchard Pebble Quarry"
    " River Summit Tower Valley Window"
).split()
HANZI = {
    "青山": "qingshan",
    "白云": "baiyun",
    "长河": "changhe",
    "明月": "mingyue",
    "春风": "chunfeng",
    "秋水": "qiushui",
    "松石": "songshi",
    "竹林": "zhulin",
    "梅花": "meihua",
    "金桥": "jinqiao",
    "玉泉": "yuquan",
    "东湖": "donghu",
    "西岭": "xiling",
    "南园": "nanyuan",
    "北辰": "beichen",
    "晨光": "chenguang",
    "星海": "xinghai",
    "云帆": "yunfan",
    "远航": "yuanhang",
    "天池": "tianchi",
}
TRADES = {
    "科技有限公司": "keji",
    "贸易有限公司": "maoyi",
    "物流有限公司": "wuliu",
    "教育咨询有限公司": "jiaoyu",
    "信息服务有限公司": "xinxi",
}
PLACES = (
    ("北京市", "北京市"),
    ("广东省", "深圳市"),
    ("上海市", "上海市"),
    ("浙江省", "杭州市"),
    ("四川省", "成都市"),
)
LATIN_PLACES = (
    ("Beijing", "Beijing"),
    ("Guangdong", "Shenzhen"),
    ("Shanghai", "Shanghai"),
    ("Zhejiang", "Hangzhou"),
)


@dataclass(frozen=True)
class Subscriber:
    """An invented organisation: its name and its host names, under a domain reserved by RFC 2606."""

    subject: asn1.Name
    dns: list[str]


@dataclass
class Subscribers:
    """Invented organisations, none twice, and a public key for each certificate."""

    latin: Iterator[tuple[int, tuple[str, str]]] = field(
        default_factory=lambda: iter(enumerate(product(NOUNS, ADJECTIVES)))
    )
    chinese: Iterator[tuple[int, tuple[str, str]]] = field(
        default_factory=lambda: iter(enumerate(product(TRADES, HANZI)))
    )
    keys: Iterator[int] = field(default_factory=count)
    taken: Iterator[int] = field(default_factory=count)

    def next(self, *, chinese: bool | None = None) -> Subscriber:
        """The next organisation: with a Chinese name if asked for, else one in six."""
        number = next(self.taken)
        if chinese or (chinese is None and number % 6 == 5):
            at, (trade, word) = next(self.chinese)
            place, organisation = PLACES[at % len(PLACES)], f"示例{word}{trade}"
            domain = f"{HANZI[word]}-{TRADES[trade]}.test"
        else:
            at, (noun, adjective) = next(self.latin)
            place, organisation = LATIN_PLACES[at % len(LATIN_PLACES)], f"Example {adjective} {noun} Ltd"
            domain = (
                f"{adjective}-{noun}".lower() + (".example", ".test", ".example.com", ".example.net")[at % 4]
            )
        dns = [[domain, f"www.{domain}"], [f"*.{domain}", domain], [f"mail.{domain}"], [f"pay.{domain}"]][
            at % 4
        ]
        subject = [("C", "CN"), ("ST", place[0]), ("L", place[1]), ("O", organisation), ("CN", dns[0])]
        return Subscriber(subject, dns)

    def options(self, not_before: str, not_after: str, **more: object) -> tuple[str, Options]:
        """Name and options of the next subscriber's certificate."""
        chinese = more.pop("chinese", None)
        assert chinese is None or isinstance(chinese, bool)
        subscriber = self.next(chinese=chinese)
        options = {
            "not_before": not_before,
            "not_after": not_after,
            "subject": subscriber.subject,
            "dns": subscriber.dns,
            "key": rsa_public_key(next(self.keys)),
            "policies": ["ov"],
            **more,
        }
        return subscriber.dns[0], options  # type: ignore[return-value]


def text(instant: datetime) -> str:
    """An instant as ISO 8601 with Z."""
    return instant.isoformat().replace("+00:00", "Z")


def spread(first: str, last: str, number: int) -> list[str]:
    """Instants with whole seconds from first to last, both included, unevenly apart and all different."""
    start, end = asn1.moment(first), asn1.moment(last)
    step = (end - start) / (number - 1)
    made = []
    for at in range(number):
        jitter = stream(f"spread {first} {at}", 1)[0] / 256 * 0.8 if 0 < at < number - 1 else 0.0
        made.append((start + (at + jitter) * step).replace(microsecond=0))
    made[-1] = end
    return [text(instant) for instant in made]


def office_hours(days: tuple[str, ...], number: int) -> list[str]:
    """Instants between 09:00 and 18:00 in China, so that UTC and China agree on the day."""
    share = [number // len(days) + (1 if at < number % len(days) else 0) for at in range(len(days))]
    return [
        instant
        for day, many in zip(days, share, strict=True)
        for instant in spread(f"{day}T01:02:11Z", f"{day}T09:57:48Z", many)
    ]


def years_after(start: str, years: int) -> str:
    """The same day some years later, less one second."""
    instant = asn1.moment(start)
    return text(instant.replace(year=instant.year + years) - timedelta(seconds=1))


def ca_options(cn: str, seed: str, length: int) -> tuple[str, Options]:
    """Options of a CA certificate with an RSA-2048 key from a seed, valid 2009 through 2029."""
    return cn, {
        "subject": [("C", "CN"), ("O", OWNER), ("CN", cn)],
        "key": rsa_key(f"wosign-2016 {seed}"),
        "not_before": "2009-08-08T01:00:05Z",
        "not_after": "2029-08-08T01:00:05Z",
        "path_length": length,
    }


def issue_h(english: Authority, chinese: Authority, people: Subscribers) -> dict[str, list[Certificate]]:
    """340 certificates with two serial numbers, and a dozen from the days after the fix."""
    shared = []
    for number, start in enumerate(office_hours(ISSUE_H, ENGLISH_COUNT)):
        name, options = people.options(start, years_after(start, 1 + number % 3), serial=ENGLISH_SERIAL)
        shared.append(english.issue(name, **options))
    named = []
    for number, start in enumerate(office_hours(ISSUE_H_CHINESE, CHINESE_COUNT)):
        name, options = people.options(
            start, years_after(start, 1 + number % 3), serial=CHINESE_SERIAL, chinese=True
        )
        named.append(chinese.issue(name, **options))
    later = []
    for number, start in enumerate(office_hours(AFTER_FIX, 12)):
        by_chinese = number % 3 == 2
        name, options = people.options(start, years_after(start, 1 + number % 3), chinese=by_chinese or None)
        later.append((chinese if by_chinese else english).issue(name, **options))
    return {"issue-h/english.pem": shared, "issue-h/chinese.pem": named, "issue-h/after-fix.pem": later}


def issue_s(server: Authority, api: Authority, people: Subscribers) -> dict[str, list[Certificate]]:
    """The SHA-1 certificates beside category 1: 56 of the Sunday, 2 of the other API, 2 of 2016."""

    def sha1(by: Authority, start: str) -> Certificate:
        name, options = people.options(
            start, SHA1_END, hash="sha1", crl_url=CRL_URL if by is server else None
        )
        return by.issue(name, **options)

    last_of_19th = text(asn1.moment(SUNDAY[1]) - timedelta(seconds=1))
    starts = spread(SUNDAY[0], last_of_19th, SUNDAY_UTC_19TH - CATEGORY_1)
    starts += spread(SUNDAY[1], SUNDAY[2], SUNDAY_UTC_20TH)
    return {
        "issue-s/sunday.pem": [sha1(server, start) for start in starts],
        "issue-s/other-api.pem": [sha1(api, start) for start in API_STARTS[:OTHER_API]],
        "issue-s/2016.pem": [sha1(server, start) for start in STARTS_2016[: ONLY_EIGHT - CATEGORY_1]],
    }


def category_1(server: Authority, logs: list[Log], people: Subscribers) -> dict[str, list[Certificate]]:
    """Six SHA-1 certificates, their precertificates, and the SHA-256 counterparts with the same key."""
    starts = spread("2015-12-19T16:20:33Z", "2015-12-19T23:34:09Z", CATEGORY_1)
    logged = spread("2016-01-04T02:11:46Z", "2016-01-04T08:47:20Z", CATEGORY_1)
    made: dict[str, list[Certificate]] = {"sha1": [], "precertificates": [], "sha256": []}
    for number, (start, at) in enumerate(zip(starts, logged, strict=True)):
        arrival = asn1.moment(at)

        def scts(first: datetime, salt: str) -> list[object]:
            delays = stream(f"delay {salt}", 2)
            return [
                log.sct(first + timedelta(milliseconds=731 * turn + delays[turn]))
                for turn, log in enumerate(logs)
            ]

        name, options = people.options(start, SHA1_END, crl_url=CRL_URL, hash="sha1")
        options["scts"] = scts(arrival, f"sha1 {number}")  # type: ignore[typeddict-item]
        precertificate, certificate = server.pair(name, **options)
        made["precertificates"].append(precertificate)
        made["sha1"].append(certificate)
        options["hash"], options["not_before"] = "sha256", at
        options["scts"] = scts(arrival + timedelta(seconds=11 + 4 * number), f"sha256 {number}")  # type: ignore[typeddict-item]
        made["sha256"].append(server.issue(name, **options))
    return {f"category-1/{part}.pem": certificates for part, certificates in made.items()}


def evidence() -> dict[str, bytes]:
    """Every file of the reconstruction: path relative to the folder, and content."""
    people = Subscribers()
    name, options = ca_options("Reconstructed Root CA", "root", 1)
    root = Authority.root(name, **options)
    authorities = {}
    for part, cn in {
        "english": "WoSign Class 3 OV Server CA",
        "chinese": "沃通第三类OV服务器证书",
        "server": "Reconstructed Server CA",
        "api": "Reconstructed API Server CA",
    }.items():
        name, options = ca_options(cn, part, 0)
        authorities[part] = root.intermediate(name, **options)
    logs = [Log("Reconstruction test log 1"), Log("Reconstruction test log 2")]

    server = authorities["server"]
    certificates: dict[str, list[Certificate]] = {
        "trust/root.pem": [root.certificate],
        **{f"intermediates/{part}.pem": [by.certificate] for part, by in authorities.items()},
        **issue_h(authorities["english"], authorities["chinese"], people),
        **issue_s(server, authorities["api"], people),
        **category_1(server, logs, people),
    }
    files = {path: bundle(listed, NOTE).encode("ascii") for path, listed in certificates.items()}
    revoked = [
        Revoked(certificate.serial, at, "superseded")
        for certificate, at in zip(
            certificates["category-1/sha1.pem"],
            spread("2016-08-29T02:14:05Z", "2016-08-31T08:52:37Z", CATEGORY_1),
            strict=True,
        )
    ]
    crl = server.crl(
        revoked, this_update="2016-09-19T02:00:00Z", next_update="2016-09-26T02:00:00Z", number=412
    )
    files["category-1/issuer.crl"] = crl.der
    listed = log_list(logs, operator="Reconstruction", at="2016-09-19T00:00:00Z")
    files["logs.json"] = listed.encode("ascii")
    sums = [f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(files.items())]
    files["SHA256SUMS"] = "".join(sums).encode("ascii")
    return files


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Writes each file beside its place, then renames it there."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(target.name + ".new")
        beside.write_bytes(content)
        beside.replace(target)


def differences(folder: Path, files: dict[str, bytes]) -> list[str]:
    """What the folder has other than it should: one line each."""
    found = []
    for path, content in files.items():
        target = folder / path
        if not target.is_file():
            found.append(f"{path}: missing")
        elif target.read_bytes() != content:
            found.append(f"{path}: differs")
    made_here = {"README.md", "reconstruct.py"}
    for target in sorted(folder.rglob("*")):
        path = target.relative_to(folder).as_posix()
        if target.is_file() and path not in files and path not in made_here and "__pycache__" not in path:
            found.append(f"{path}: not made by this script")
    return found


def main() -> int:
    """Parses the call, writes or compares; returns the exit status."""
    parser = argparse.ArgumentParser(description="Makes the reconstructed evidence of the founding case.")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE, help="default: the script's own folder")
    call = parser.parse_args()
    files = evidence()
    if not call.check:
        write(call.folder, files)
        return 0
    found = differences(call.folder, files)
    print("\n".join(found) or f"{len(files)} files as made")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
