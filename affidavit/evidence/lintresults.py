"""Results of linters: zlint's and pkilint's JSON to rows of the table ``lints``."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from affidavit.evidence.der import DerError
from affidavit.evidence.item import Fault, Read

ZLINT = {
    "pass": "pass", "na": "not applicable", "ne": "not yet in force", "info": "info", "notice": "notice",
    "warn": "warn", "error": "error", "fatal": "fatal",
}  # fmt: skip
"""zlint's results (lint/result.go: reserved, NA, NE, pass, info, warn, error, fatal) in the table's words."""
PKILINT = {"info": "info", "notice": "notice", "warning": "warn", "error": "error", "fatal": "fatal"}
MAX_RESULTS = 5_000_000
_CODE = re.compile(r"[a-z]{1,4}_[a-z0-9_]{2,200}")
_NAMED = ("sha256", "fingerprint", "fingerprint_sha256", "certificate", "certificate_sha256")


def read(data: bytes) -> Read:
    """The results in a file: one JSON value, or one a line. DerError where nothing in it is a linter's result."""
    found = Read(rows={"lints": []}, source={"form": "linter results"})
    position = 0
    for number, record in enumerate(_records(data, found), 1):
        rows = list(_rows(record, found, number))
        for row in rows:
            position += 1
            if position > MAX_RESULTS:
                raise DerError(f"more than {MAX_RESULTS:,} results")
            found.rows["lints"].append({**row, "position": position})
    if not found.rows["lints"] and not found.faults:
        raise DerError("no result of zlint or pkilint stands in it")
    return found


def _records(data: bytes, found: Read) -> Iterator[Any]:
    """The JSON values of a file; lists of them taken apart."""
    try:
        text = bytes(data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DerError(f"not UTF-8: {error.reason} at octet {error.start}") from None
    try:
        whole = json.loads(text)
        yield from whole if isinstance(whole, list) else [whole]
        return
    except RecursionError:
        raise DerError("JSON nested too deeply") from None
    except ValueError as error:
        if "\n" not in text.strip():
            raise DerError(f"no JSON: {error}") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                found.faults.append(Fault(number, "", f"line {number} is no JSON: {error}"))


def _rows(record: Any, found: Read, number: int) -> Iterator[dict[str, Any]]:
    if not isinstance(record, dict):
        found.faults.append(Fault(number, "", "a result that is no object"))
        return
    lints = record.get("lints", record.get("zlint", record))
    if isinstance(lints, dict) and isinstance(lints.get("lints"), dict):
        record, lints = {**record, **lints}, lints["lints"]
    try:
        common = _common(record)
        if isinstance(record.get("results"), list):
            yield from _pkilint(record["results"], common)
        elif isinstance(lints, dict):
            yield from _zlint(lints, common, found, number)
        else:
            found.faults.append(Fault(number, "", "neither zlint's nor pkilint's form"))
    except (TypeError, ValueError, AttributeError) as error:
        found.faults.append(Fault(number, "", f"neither zlint's nor pkilint's form: {error}"))


def _common(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of certificate, version and profile."""
    digest = None
    for key in _NAMED:
        text = re.sub(r"[:\s]", "", str(record.get(key) or "")).lower()
        if re.fullmatch(r"[0-9a-f]{64}", text):
            digest = text
            break
    if digest is None:
        # Results in a file named for the certificate, as many scripts write them.
        text = str(record.get("file") or record.get("filename") or record.get("path") or "")
        match = re.search(r"(?<![0-9a-f])([0-9a-f]{64})(?![0-9a-f])", text.lower())
        digest = match[1] if match else None
    version = record.get("version") or record.get("zlint_version") or record.get("pkilint_version")
    profile = record.get("profile") or record.get("certificate_type") or record.get("sources")
    return {
        "certificate": digest,
        "version": str(version) if isinstance(version, str | int | float) and version != "" else None,
        "profile": ", ".join(map(str, profile)) if isinstance(profile, list) else str(profile) if profile else None,
    }


def _zlint(lints: Mapping[str, Any], common: dict[str, Any], found: Read, number: int) -> Iterator[dict[str, Any]]:
    seen = False
    for code, value in lints.items():
        if not _CODE.fullmatch(code) or not isinstance(value, dict | str):
            continue
        stated = value.get("result") if isinstance(value, dict) else value
        result = ZLINT.get(str(stated).lower())
        seen = True
        if result is None:
            found.faults.append(Fault(number, code, f"the result {str(stated)[:40]!r} is none of zlint's"))
            continue
        more = value if isinstance(value, dict) else {}
        yield {
            **common,
            "linter": "zlint",
            "code": code,
            "result": result,
            "details": _text(more.get("details")),
            "source_of_rule": _text(more.get("source")),
            "effective": _time(more.get("effective_date")),
        }
    if not seen:
        found.faults.append(Fault(number, "", "no result of zlint stands in it"))


def _pkilint(results: list[Any], common: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in results:
        for finding in one["finding_descriptions"]:
            severity = str(finding["severity"]).lower()
            if severity not in PKILINT:
                raise ValueError(f"the severity {severity[:40]!r} is none of pkilint's")
            where = _text(one.get("node_path"))
            said = _text(finding.get("message"))
            yield {
                **common,
                "linter": "pkilint",
                "code": str(finding["code"]),
                "result": PKILINT[severity],
                "details": ": ".join(filter(None, (where, said))) or None,
            }


def _text(value: Any) -> str | None:
    return str(value)[:2000] if value not in (None, "") else None


def _time(value: Any) -> datetime | None:
    if value in (None, ""):
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
