"""CT log lists: the keys, operators and states of logs (log list schema v3, and v2 as it was before)."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MAX_LOGS = 10_000


@dataclass(frozen=True, slots=True)
class Log:
    """A CT log: its description, its key as SubjectPublicKeyInfo, who operates it, and its state.

    ``previous`` are earlier operators with the time at which each ended; times are naive UTC.
    """

    log_id: str
    description: str
    key: bytes
    operator: str | None = None
    url: str | None = None
    state: str | None = None
    state_since: datetime | None = None
    previous: tuple[tuple[str, datetime | None], ...] = ()

    def operators(self) -> list[tuple[str, datetime | None, datetime | None]]:
        """Operators with the times from which (included) and until which (not included) they were."""
        if self.operator is None:
            return []
        found: list[tuple[str, datetime | None, datetime | None]] = []
        since: datetime | None = None
        for name, until in sorted(self.previous, key=lambda one: one[1] or datetime(1, 1, 1)):
            found.append((name, since, until))
            since = until
        return [*found, (self.operator, since, None)]

    def operator_at(self, time: datetime) -> str | None:
        """Who operated the log at a time (naive UTC)."""
        for name, since, until in self.operators():
            if (since is None or since <= time) and (until is None or time < until):
                return name
        return None


def read_log_list(text: str) -> list[Log]:
    """The logs of a CT log list (JSON, version 3 or 2), those retired and rejected included.

    ValueError says what is wrong with it. A log whose ``log_id`` is not the SHA-256 of its key is refused (RFC 6962
    3.2).
    """
    try:
        data = json.loads(text)
        operators = data["operators"]
        if "logs" in data:  # v2: operators by number beside the logs
            names = {one["id"]: str(one["name"]) for one in operators}
            listed = [(names.get(next(iter(one.get("operated_by") or [-1]))), one) for one in data["logs"]]
        else:
            listed = [
                (str(operator["name"]) if "name" in operator else None, one)
                for operator in operators
                for one in (*operator.get("logs", ()), *operator.get("tiled_logs", ()))
            ]
        if len(listed) > MAX_LOGS:
            raise ValueError(f"a log list of {len(listed):,} logs; at most {MAX_LOGS:,} are read")
        return [_log(operator, one) for operator, one in listed]
    except (KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ValueError(f"no CT log list of version 2 or 3: {type(error).__name__}: {error}") from None


def _log(operator: str | None, entry: Any) -> Log:
    key = base64.b64decode(entry["key"], validate=True)
    digest = hashlib.sha256(key).digest()
    # Lists of version 2 as Chrome first had them give no ID: it follows from the key.
    if "log_id" in entry and base64.b64decode(entry["log_id"], validate=True) != digest:
        raise ValueError(f"the log {entry.get('description')!r} has another ID than its key's hash")
    url = entry.get("monitoring_url") or entry.get("url")
    if url is not None and "://" not in str(url):
        url = f"https://{url}"
    state, since = _state(entry.get("state"))
    previous = tuple((str(one["name"]), _time(one.get("end_time"))) for one in entry.get("previous_operators") or ())
    return Log(digest.hex(), str(entry.get("description", "")), key, operator, url, state, since, previous)


def _state(stated: Any) -> tuple[str | None, datetime | None]:
    if not isinstance(stated, dict) or not stated:
        return None, None
    name, more = next(iter(stated.items()))
    return str(name), _time(more.get("timestamp") if isinstance(more, dict) else None)


def _time(stated: Any) -> datetime | None:
    """An RFC 3339 time as naive UTC; None where there is none."""
    if stated is None:
        return None
    found = datetime.fromisoformat(str(stated))
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
