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
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import click

from affidavit.build import FAULT, Built, build_site
from affidavit.project import Checked, Project
from affidavit.report.progress import saying
from affidavit.report.text import check_text
from affidavit.resources import templates_dir
from affidavit.run import How, Run
from affidavit.settings import FILE
from affidavit.shown import agree, visible

ADDRESS = "127.0.0.1"
HOSTS = ("127.0.0.1", "localhost", "[::1]")
TICK = 0.2
"""Seconds between two looks at the files."""
WAIT = 20.0
"""Seconds for which a page's question whether anything is new stays open."""
PATIENCE = 10.0
"""Seconds that a build under way has to end in when everything ends."""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SCRIPT = b"""\
"use strict";
const built = Number(document.currentScript.dataset.built);
const box = document.createElement("pre");
box.id = "affidavit-live";
box.setAttribute("role", "status");
function show(words) {
  box.textContent = words;
  if (words) document.body.prepend(box); else box.remove();
}
async function follow() {
  let turn = -1, lost = false;
  for (;;) {
    // A browser opens few connections to one server: pages that nobody sees take none.
    if (document.hidden) await new Promise((seen) => document.addEventListener("visibilitychange", seen, {once: true}));
    try {
      const answer = await fetch("/-/state?since=" + turn, {cache: "no-store"});
      const state = await answer.json();
      // One that was started again counts from the beginning: its number says nothing about this page.
      if (state.built !== built || lost) { location.reload(); return; }
      show(state.words);
      turn = state.turn;
    } catch (error) {
      [turn, lost] = [-1, true];
      show("The server has stopped.");
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}
follow();
"""
STYLE = b"""\
#affidavit-live {
  position: sticky; top: 0; z-index: 9; margin: 0; padding: 0.75rem 1rem; max-height: 40vh; overflow: auto;
  white-space: pre-wrap; font: 0.85rem/1.4 monospace;
  background: #fff3f0; color: #7a1200; border-bottom: 3px solid #b3261e;
}
"""
_MARK = b'<link rel="stylesheet" href="/-/live.css"><script src="/-/live.js" data-built="%d" defer></script></head>'


class Live:
    """The state of a site that is built again and again, and what was wrong the last time.

    ``built``: how often pages were written; ``turn``: how often that was tried.
    """

    def __init__(
        self,
        project: Project,
        output: Path,
        how: How,
        say: Callable[[str], Any] = print,
        templates: Path | None = None,
    ) -> None:
        self.project = project
        self.output = output
        self._templates = templates
        # What was built last time is told by a file of the cache; this site ends with the process, and so does that.
        self._environ = {**os.environ, "XDG_CACHE_HOME": str(output.resolve().parent)}
        self._how = how
        self._known: dict[str, tuple[str, Run]] = {}
        self._say = say
        self._changed = threading.Condition()
        self.built = 0
        self.turn = 0
        self.words = ""
        self._stamp: dict[str, tuple[int, int]] = {}
        self._ended = threading.Event()
        self._watching: threading.Thread | None = None

    def stamp(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of every file that the site is made of."""
        found = {}
        for folder in filter(None, (self.project.reports, self.project.evidence, self._templates, templates_dir())):
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
        done = build_site(
            Project(self.project.root),
            self.output,
            templates=self._templates,
            pdf=False,
            environ=self._environ,
            how=self._how,
            known=self._known,
        )
        faults = done.checked is not None and bool(done.checked.faults)
        words = check_text(done.checked) if faults and done.checked is not None else ""
        # A page that stays as it is need not be loaded again to show what is wrong.
        self._now(words, written=not faults or not self.built)
        if faults:
            told = "nothing was built; the pages are as they were" if self.turn > 1 else "nothing was built"
        else:
            told = tally(done.checked) if done.checked is not None else "nothing has changed"
        self._say(f"{time.strftime('%H:%M:%S')} {told} ({time.perf_counter() - begun:.1f} s)")
        if words:
            self._say(words.rstrip())
        return done

    def _now(self, words: str, *, written: bool) -> None:
        with self._changed:
            self.words = words
            self.turn += 1
            self.built += written
            self._changed.notify_all()

    def watch(self) -> None:
        """Build whenever a file has changed, until `stop`."""
        while not self._ended.wait(TICK):
            stamp = self.stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self.build()
                except Exception as error:  # a fault of the program itself: the next change may get round it
                    words = visible(f"a fault of the program itself: {type(error).__name__}: {error}", 500)
                    self._now(words, written=False)
                    self._say(f"affidavit: {words}")

    def start(self) -> None:
        """Build, and go on watching in a thread of its own."""
        self._stamp = self.stamp()
        self.build()
        self._watching = threading.Thread(target=self.watch, daemon=True)
        self._watching.start()

    def stop(self) -> None:
        """End watching, let those go who wait, and let a build end, lest it write what is cleared away."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        if self._watching is not None:
            self._watching.join(PATIENCE)

    def state(self, since: int) -> Mapping[str, Any]:
        """Where it stands; waits a while for a turn after ``since``."""
        with self._changed:
            if since >= 0:
                self._changed.wait_for(lambda: self.turn > since or self._ended.is_set(), timeout=WAIT)
            return {"built": self.built, "turn": self.turn, "words": self.words}


def tally(checked: Checked) -> str:
    """What a build came to, in one line: how many reports there are, and which do not pass."""
    failing = [run.slug for run in checked.runs if not run.passes]
    words = agree(f"built {len(checked.runs)} report(s)")
    return words + (f"; {', '.join(failing)}: does not pass" if failing else "")


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
            if not _own(self.headers.get_all("Host", [])):
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
            parts = [part for part in path.split("/") if part]
            hidden = any(part.startswith(".") or "\0" in part or "\\" in part for part in parts)
            target = live.output.joinpath(*parts) if not hidden else live.output / "."
            try:
                inside = not hidden and target.resolve().is_relative_to(live.output.resolve())
                if inside and target.is_dir():
                    if not path.endswith("/"):
                        self._send(301, "text/plain", b"", body=body, Location="/" + quote("/".join(parts)) + "/")
                        return
                    target = target / "index.html"
                content = target.read_bytes() if inside else None
            except (OSError, ValueError):
                content = None
            if content is None:
                words = live.words or "There is no such page."
                page = (
                    "<!doctype html><html lang=en><head><title>Not there</title></head>"
                    f'<body><pre>{html.escape(words)}</pre><p><a href="/">All reports</a></p></body></html>'
                )
                self._send(404, "text/html; charset=utf-8", _live(page.encode(), live.built), body=body)
                return
            kind = mimetypes.guess_type(target.name)[0] or "application/octet-stream"
            if kind == "text/html":
                kind, content = "text/html; charset=utf-8", _live(content, live.built)
            self._send(200, kind, content, body=body)

        def _refuse(self) -> None:
            self._send(405, "text/plain", b"pages can only be read here\n", body=True, Allow="GET, HEAD")

        do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = _refuse  # noqa: N815 - the base class's names

        def _send(self, status: int, kind: str, content: bytes, *, body: bool, **more: str) -> None:
            self.send_response(status)
            for name, value in (
                ("Content-Type", kind), ("Content-Length", str(len(content))), ("Cache-Control", "no-store"),
                ("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff"),
                ("Cross-Origin-Resource-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"), *more.items(),
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


def _own(stated: Sequence[str]) -> bool:
    """Whether a request's Host names this machine: one header, one of our names, and a port or none."""
    if len(stated) != 1:
        return False
    name, colon, port = stated[0].strip().lower().rpartition(":")
    if not colon or port.endswith("]"):
        name, port = stated[0].strip().lower(), "0"
    return name in HOSTS and port.isascii() and port.isdigit()


def _live(page: bytes, built: int) -> bytes:
    """A page with the script that reloads it; its own policy, which allows none, gives way to the server's."""
    start = page.find(b'<meta http-equiv="Content-Security-Policy"')
    if start >= 0:
        page = page[:start] + page[page.index(b">", start) + 1 :]
    return page.replace(b"</head>", _MARK % built, 1)


def serve(project: Project, port: int, how: How, templates: Path | None) -> int:
    """Build, and serve until Ctrl+C or SIGTERM; the exit status. The pages lie in a folder that ends with it."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    with tempfile.TemporaryDirectory(prefix="affidavit-") as folder:
        live = Live(project, Path(folder) / "site", how, saying(how.progress), templates)
        try:
            serving = server(live, port)
        except OSError as error:
            click.echo(f"affidavit: port {port} cannot be used: {error.strerror}; try --port 0", err=True)
            return FAULT
        signal.signal(signal.SIGTERM, end)
        try:
            live.start()
            click.echo(f"http://{ADDRESS}:{serving.server_address[1]}/  (Ctrl+C ends it)")
            serving.serve_forever()
        except KeyboardInterrupt:
            click.echo("")
        finally:
            live.stop()
            serving.server_close()
    return 0
