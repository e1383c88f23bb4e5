"""``serve``: builds, serves on loopback, builds again on change, and keeps the last good site where that fails.

Pages are served as they were built but for one script that reloads them and shows what is wrong; the site that is
published has none. Requests with another Host than this machine's own are refused: a page elsewhere on the web may
otherwise read what is served here through a name that it points at 127.0.0.1 (DNS rebinding).
"""

import contextlib
import html
import http.server
import json
import mimetypes
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from affidavit.build import Built, build_site
from affidavit.project import Project
from affidavit.report.text import check_text
from affidavit.run import How, Run
from affidavit.settings import FILE

ADDRESS = "127.0.0.1"
HOSTS = ("127.0.0.1", "localhost", "[::1]")
TICK = 0.2
"""Seconds between two looks at the files."""
WAIT = 20.0
"""Seconds for which a page's question whether anything is new stays open."""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SCRIPT = b"""\
"use strict";
const box = document.createElement("pre");
box.id = "affidavit-live";
function show(words) {
  box.textContent = words;
  if (words) document.body.prepend(box); else box.remove();
}
async function ask(number) {
  try {
    const answer = await fetch("/-/state?since=" + number, {cache: "no-store"});
    const state = await answer.json();
    if (number >= 0 && state.built > number) { location.reload(); return; }
    show(state.words);
    number = state.built;
  } catch (error) {
    show("The server has stopped.");
    await new Promise((done) => setTimeout(done, 1000));
  }
  ask(number);
}
ask(-1);
"""
STYLE = b"""\
#affidavit-live {
  position: sticky; top: 0; z-index: 9; margin: 0; padding: 0.75rem 1rem; max-height: 40vh; overflow: auto;
  white-space: pre-wrap; font: 0.85rem/1.4 monospace;
  background: #fff3f0; color: #7a1200; border-bottom: 3px solid #b3261e;
}
"""
_MARK = b'<link rel="stylesheet" href="/-/live.css"><script src="/-/live.js" defer></script></head>'


class Live:
    """The state of a site that is built again and again: how often it was, and what was wrong the last time."""

    def __init__(self, project: Project, output: Path, how: How, say: Callable[[str], Any] = print) -> None:
        self.project = project
        self.output = output
        self._how = how
        self._known: dict[str, tuple[str, Run]] = {}
        self._say = say
        self._changed = threading.Condition()
        self.built = 0
        self.words = ""
        self._stamp: dict[str, tuple[int, int]] = {}
        self._ended = threading.Event()

    def stamp(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of every file that the site is made of."""
        found = {}
        for folder in (self.project.reports, self.project.evidence):
            for path in folder.rglob("*"):
                try:
                    status = path.stat()
                except OSError:
                    continue
                found[str(path)] = (status.st_size, status.st_mtime_ns)
        for name in (FILE, "pyproject.toml"):
            with contextlib.suppress(OSError):
                status = (self.project.root / name).stat()
                found[name] = (status.st_size, status.st_mtime_ns)
        return found

    def build(self) -> Built:
        """Build once; what is wrong is kept for the pages, and the last good site with it."""
        begun = time.perf_counter()
        done = build_site(Project(self.project.root), self.output, pdf=False, how=self._how, known=self._known)
        faults = done.checked is not None and bool(done.checked.faults)
        words = check_text(done.checked) if faults and done.checked is not None else ""
        with self._changed:
            self.words = words
            # A page that stays as it is need not be loaded again to show what is wrong.
            self.built += 0 if faults and self.built else 1
            self._changed.notify_all()
        self._say(f"{time.strftime('%H:%M:%S')} {done.words} ({time.perf_counter() - begun:.1f} s)")
        if words:
            self._say(words.rstrip())
        return done

    def watch(self) -> None:
        """Build whenever a file has changed, until `stop`."""
        while not self._ended.wait(TICK):
            stamp = self.stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self.build()

    def start(self) -> None:
        """Build, and go on watching in a thread of its own."""
        self._stamp = self.stamp()
        self.build()
        threading.Thread(target=self.watch, daemon=True).start()

    def stop(self) -> None:
        """End watching, and let those go who wait."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()

    def state(self, since: int) -> Mapping[str, Any]:
        """How often the site was built and what is wrong; waits a while for something newer than ``since``."""
        with self._changed:
            words = self.words
            if since >= 0:
                self._changed.wait_for(
                    lambda: self.built > since or self.words != words or self._ended.is_set(), timeout=WAIT
                )
            return {"built": self.built, "words": self.words}


def server(live: Live, port: int) -> http.server.ThreadingHTTPServer:
    """A server of a live site on loopback; OSError where the port is taken."""

    class Handler(http.server.BaseHTTPRequestHandler):
        server_version = "affidavit"
        sys_version = ""
        timeout = 60

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            host = (self.headers.get("Host") or "").rpartition(":")
            name = host[0] if host[1] and host[2].isdigit() else host[2]
            if name not in HOSTS:
                self._send(421, "text/plain", b"this server answers to 127.0.0.1 and localhost alone\n", body=body)
                return
            address = urlsplit(self.path)
            if address.path == "/-/state":
                since = address.query.removeprefix("since=")
                state = live.state(int(since) if since.lstrip("-").isdigit() and len(since) < 9 else -1)
                self._send(200, "application/json", json.dumps(state).encode(), body=body)
            elif address.path == "/-/live.js":
                self._send(200, "text/javascript", SCRIPT, body=body)
            elif address.path == "/-/live.css":
                self._send(200, "text/css", STYLE, body=body)
            else:
                self._file(unquote(address.path), body=body)

        def _file(self, path: str, *, body: bool) -> None:
            parts = [part for part in PurePosixPath(path).parts if part != "/"]
            target = live.output.joinpath(*parts)
            if target.is_dir():
                if not path.endswith("/"):
                    self.send_response(301)
                    self.send_header("Location", "/" + "/".join(parts) + "/")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                target = target / "index.html"
            hidden = any(part.startswith(".") or "\0" in part or "\\" in part for part in parts)
            try:
                inside = not hidden and target.resolve().is_relative_to(live.output.resolve())
                content = target.read_bytes() if inside else None
            except (OSError, ValueError):
                content = None
            if content is None:
                words = live.words or "There is no such page."
                page = (
                    f"<!doctype html><html lang=en><head><title>Not there</title></head><pre>{html.escape(words)}</pre>"
                )
                self._send(404, "text/html; charset=utf-8", _live(page.encode()), body=body)
                return
            kind = mimetypes.guess_type(target.name)[0] or "application/octet-stream"
            if kind == "text/html":
                kind, content = "text/html; charset=utf-8", _live(content)
            self._send(200, kind, content, body=body)

        def _send(self, status: int, kind: str, content: bytes, *, body: bool) -> None:
            self.send_response(status)
            for name, value in (
                ("Content-Type", kind), ("Content-Length", str(len(content))), ("Cache-Control", "no-store"),
                ("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff"),
                ("Cross-Origin-Resource-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"),
            ):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not told: what is built is."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A browser that went away is no fault."""

    return Server((ADDRESS, port), Handler)


def _live(page: bytes) -> bytes:
    """A page with the script that reloads it; its own policy, which allows none, gives way to the server's."""
    start = page.find(b'<meta http-equiv="Content-Security-Policy"')
    if start >= 0:
        page = page[:start] + page[page.index(b">", start) + 1 :]
    return page.replace(b"</head>", _MARK, 1)
