"""Values of the facts tables as HTML: times, hashes, serial numbers, names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from affidavit.render.text import CELL_LIMIT, FIELD_LIMIT, code, foreign, link, short_hash, tag
from affidavit.tables import Column, Kind
from affidavit.times import Span, show_duration, to_zone

NOTHING = Markup('<span class="nothing">none</span>')


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is shown: each row's cells are final; ``widths`` name the columns' classes."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Markup, ...], ...]
    widths: tuple[str, ...] = ()
    more: Markup = field(default_factory=Markup)
    total: int = 0

    @property
    def size(self) -> str:
        """``wide`` where there are more columns than a narrow column of text bears."""
        return "wide" if len(self.columns) > 5 else "usual"


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value, as a line of a list."""

    name: str
    value: Markup


def _stamp(moment: datetime) -> str:
    return f"{moment.year:04d}-{moment:%m-%d %H:%M:%S}" + (
        f".{moment.microsecond // 1000:03d}" if moment.microsecond else ""
    )


def time(moment: datetime | None, zone: str = "UTC") -> Markup:
    """A UTC time, with the local time below it where the zone is another."""
    if moment is None:
        return NOTHING
    iso = _stamp(moment).replace(" ", "T") + "Z"
    utc = tag("time", _breakable(_stamp(moment), "UTC"), {"datetime": iso})
    local = to_zone(moment, zone)
    if zone == "UTC" or local.utcoffset() == timedelta(0):
        return utc
    shown = _breakable(_stamp(local.replace(tzinfo=None)), zone)
    return utc + Markup(" ") + tag("span", shown, {"class": "local"})


def _breakable(stamp: str, zone: str) -> Markup:
    """A time that a line breaks between day, time of day and zone only."""
    day, _, clock = stamp.partition(" ")
    last = f"{clock} UTC" if zone == "UTC" else clock
    rest = "" if zone == "UTC" else f" {zone}"
    return Markup('<span class="nb">{}</span> <span class="nb">{}</span>{}').format(day, last, rest)


def span_start(span: Span, zone: str) -> tuple[str, str]:
    """A stated time in its zone, and in UTC where that differs (else empty); of a day, when it begins."""
    local = to_zone(span.start, zone)
    same = local.utcoffset() == timedelta(0)
    if span.is_day:
        weekday = f"{local:%A}"
        utc = "" if same else f"from {_minute(span.start)} UTC"
        return f"{weekday} {local.year:04d}-{local:%m-%d}", utc
    form = _minute if span.precision == "minute" else _stamp
    utc = f"{form(span.start)} UTC"
    return (utc, "") if same else (f"{form(local.replace(tzinfo=None))} {zone}", utc)


def _minute(moment: datetime) -> str:
    return f"{moment.year:04d}-{moment:%m-%d %H:%M}"


def label(row: Mapping[str, Any], limit: int = 80) -> Markup:
    """What a certificate is called in lists: its common name, else its first host name, else its subject."""
    names: Sequence[str] = row.get("dns_names") or ()
    text = row.get("subject_cn") or (names[0] if names else "") or row.get("subject")
    return foreign(text, limit) if text else Markup("(no name)")


def certificate_link(digest: str, content: object, prefix: str) -> Markup:
    """A link to a certificate's page; ``prefix`` leads to the report's folder of certificates."""
    return link(f"{prefix}{digest}/index.html", content)


def short_link(digest: str, prefix: str, known: Mapping[str, Any]) -> Markup:
    """A short hash that leads to the certificate's page, where it has one."""
    shown = code(short_hash(digest))
    return certificate_link(digest, shown, prefix) if digest in known else shown


def distinguished(text: str, limit: int = FIELD_LIMIT) -> Markup:
    """A distinguished name, which lines break between its parts first."""
    return foreign(text, limit).replace(",", Markup(",<wbr>"))


def digest_cell(digest: str | None) -> Markup:
    """A whole hash; may break anywhere."""
    return tag("code", digest, {"class": "hash"}) if digest else NOTHING


def texts(values: Iterable[str] | None, limit: int = 50) -> Markup:
    """A list of text from outside; long ones cut with the number of the rest."""
    if values is None:
        return Markup('<span class="nothing">not readable</span>')
    every = list(values)
    if not every:
        return NOTHING
    items = Markup("").join(tag("li", foreign(value)) for value in every[:limit])
    if len(every) > limit:
        items += tag("li", f"... ({len(every) - limit:,} more)")
    return tag("ul", items, {"class": "values"})


def cell(value: Any, column: Column | None, zone: str, limit: int = CELL_LIMIT) -> Markup:
    """A value of any column, as its kind is written."""
    kind = column.kind if column else Kind.TEXT
    if value is None:
        return Markup('<span class="nothing">no value</span>')
    if kind is Kind.TIME and isinstance(value, datetime):
        return time(value, zone)
    if kind in (Kind.HEX, Kind.SERIAL):
        return digest_cell(str(value))
    if kind is Kind.SECONDS:
        return Markup("{} s <span class='local'>{}</span>").format(f"{value:,}", show_duration(value))
    if kind is Kind.BOOLEAN:
        return escape("yes" if value else "no")
    if kind is Kind.INTEGER and isinstance(value, int):
        return escape(f"{value:,}")
    if isinstance(value, list | tuple):
        return foreign(", ".join(str(v) for v in value), limit) if value else NOTHING
    if column is not None and column.name in ("subject", "issuer"):
        return distinguished(str(value), limit)
    return foreign(str(value), limit)
