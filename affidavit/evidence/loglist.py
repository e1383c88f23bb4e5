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
    except RecursionError:
        raise _no_list("its JSON is nested too deeply") from None
    except ValueError:
        raise _no_list("it is not JSON") from None
    if not isinstance(data, dict):
        raise _no_list("an object with the member `operators` is wanted")
    operators = _list(data, "operators", required=True)
    if "logs" in data:  # v2: operators by number beside the logs
        names = {repr(one.get("id")): str(one.get("name")) for one in operators}
        listed = [(names.get(repr(_first(one.get("operated_by")))), one) for one in _list(data, "logs")]
    else:
        listed = [
            (str(operator["name"]) if "name" in operator else None, one)
            for operator in operators
            for one in (*_list(operator, "logs"), *_list(operator, "tiled_logs"))
        ]
    if len(listed) > MAX_LOGS:
        raise ValueError(f"a log list of {len(listed):,} logs; at most {MAX_LOGS:,} are read")
    return [_log(operator, one, number) for number, (operator, one) in enumerate(listed, 1)]


def _no_list(reason: str) -> ValueError:
    return ValueError(f"no CT log list of version 2 or version 3: {reason}")


def _list(entry: dict[str, Any], name: str, *, required: bool = False) -> list[dict[str, Any]]:
    """A member that is a list of objects; empty where it is left out."""
    found = entry.get(name)
    if found is None and not required:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _no_list(f"`{name}` is missing" if found is None else f"`{name}` is no list of objects")
    return found


def _first(stated: Any) -> Any:
    return stated[0] if isinstance(stated, list) and stated else None


def _octets(entry: dict[str, Any], name: str, number: int) -> bytes:
    stated = entry.get(name)
    try:
        if isinstance(stated, str):
            return base64.b64decode(stated, validate=True)
    except binascii.Error:
        pass
    raise _no_list(f"`{name}` of log {number} is {'missing' if stated is None else 'no base64'}")


def _log(operator: str | None, entry: dict[str, Any], number: int) -> Log:
    key = _octets(entry, "key", number)
    digest = hashlib.sha256(key).digest()
    # Lists of version 2 as Chrome first had them give no ID: it follows from the key.
    if "log_id" in entry and _octets(entry, "log_id", number) != digest:
        raise ValueError(f"the log {entry.get('description')!r} has another ID than its key's hash")
    url = entry.get("monitoring_url") or entry.get("url")
    if url is not None and "://" not in str(url):
        url = f"https://{url}"
    state, since = _state(entry.get("state"))
    earlier = _list(entry, "previous_operators")
    previous = tuple((str(one.get("name")), _time(one.get("end_time"))) for one in earlier)
    shown = None if url is None else str(url)
    return Log(digest.hex(), str(entry.get("description", "")), key, operator, shown, state, since, previous)


def _state(stated: Any) -> tuple[str | None, datetime | None]:
    if not isinstance(stated, dict) or not stated:
        return None, None
    name, more = next(iter(stated.items()))
    return str(name), _time(more.get("timestamp") if isinstance(more, dict) else None)


def _time(stated: Any) -> datetime | None:
    """An RFC 3339 time as naive UTC; None where there is none."""
    if stated is None:
        return None
    try:
        found = datetime.fromisoformat(str(stated))
    except ValueError:
        raise _no_list(f"{str(stated)[:40]!r} is no time of the form that RFC 3339 gives it") from None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
