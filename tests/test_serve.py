"""The live site: rebuilt on change, the last good one kept, and nobody else's business."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from affidavit.build import build_site
from affidavit.places import cache_folder
from affidavit.project import Project
from affidavit.resources import templates_dir
from affidavit.run import How
from affidavit.serve import Live, server
from tests.interrupts import heeded
from tests.report.test_formats import INCIDENT, project

PASSING = INCIDENT.partition("  wrong:")[0] + "summary: '[3](claim:right) it is'\n"


class Site:
    """A running server, and how to ask it."""

    def __init__(self, live: Live, port: int) -> None:
        self.live, self.port = live, port

    def get(self, path: str, host: str | None = None, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host if host is not None else f"127.0.0.1:{self.port}")
        connection.endheaders()
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def until(self, words: str) -> str:
        """The report's page once it holds some words."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            text = self.get("/small/")[2].decode()
            if words in text:
                return text
            time.sleep(0.1)
        raise AssertionError(f"{words!r} never came")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    root = project(tmp_path / "p", PASSING)
    folder = cache_folder()
    assert folder is not None
    live = Live(Project(root), tmp_path / "site", How(cache=folder / "evidence"), str)
    serving = server(live, 0)
    live.start()
    thread = threading.Thread(target=serving.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield Site(live, serving.server_address[1])
    live.stop()
    serving.shutdown()
    serving.server_close()


def incident(site: Site) -> Path:
    return site.live.project.reports / "small/incident.yaml"


def test_a_change_is_built_and_the_page_reloads(site: Site) -> None:
    status, headers, page = site.get("/small/")
    assert status == 200
    assert b"it is" in page
    assert b"/-/live.js" in page
    assert b"http-equiv" not in page
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    before = json.loads(site.get("/-/state")[2])
    assert f'data-built="{before["built"]}"'.encode() in page
    incident(site).write_text(PASSING.replace("it is", "it truly is"))
    after = json.loads(site.get(f"/-/state?since={before['turn']}")[2])
    assert (after["built"], after["turn"]) == (before["built"] + 1, before["turn"] + 1)
    assert "it truly is" in site.until("it truly is")


def test_what_one_report_says_is_not_taken_for_another(site: Site) -> None:
    root = site.live.project.root
    for place in ("reports", "evidence"):
        shutil.copytree(root / place / "small", root / place / "second")
    site.until("it is")
    end = time.monotonic() + 30
    while site.get("/second/")[0] != 200 and time.monotonic() < end:
        time.sleep(0.1)
    evidence = root / "evidence/small/leaves.pem"
    evidence.write_text(evidence.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
    assert "refuted" in site.until("not what the report holds")
    assert b"not what the report holds" not in site.get("/second/")[2]


def test_the_last_good_site_stays_and_the_fault_is_shown(site: Site) -> None:
    before = json.loads(site.get("/-/state")[2])
    assert before["words"] == ""
    incident(site).write_text("title: broken\n")
    state = json.loads(site.get(f"/-/state?since={before['turn']}")[2])
    assert state["built"] == before["built"]
    assert "[missing-key]" in state["words"]
    assert b"it is" in site.get("/small/")[2]
    incident(site).write_text(PASSING.replace("it is", "it is again"))
    site.until("it is again")
    assert json.loads(site.get("/-/state")[2])["words"] == ""


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "",
        "evil.example:8000",
        "0.0.0.0",
        "a@127.0.0.1",
        "localhost:",
        "localhost:80:80",
        "[::1",
        "localhost.evil.example:80",
    ],
)
def test_another_host_is_refused(site: Site, host: str) -> None:
    for path in ("/small/", "/-/state", "/-/live.js"):
        status, _, content = site.get(path, host)
        assert status == 421
        assert b"it is" not in content


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "localhost:8000", "127.0.0.1", "[::1]", "[::1]:80"])
def test_this_machines_own_names_are_answered(site: Site, host: str) -> None:
    assert site.get("/small/", host)[0] == 200


@pytest.mark.parametrize(
    "path", ["/../p/reports/small/incident.yaml", "/%2e%2e/p/reports/small/incident.yaml",
             "/small/%2e%2e/%2e%2e/secret", "//etc/passwd", "/.affidavit-site",
             "/small/..%5c..%5csecret", "/%00", "/nothing", "/%2fetc", "/%2f%2fetc", "/..", "/../..", "/small/.."],
)  # fmt: skip
def test_nothing_outside_the_site_is_served(site: Site, path: str) -> None:
    (site.live.output.parent / "secret").write_text("secret words")
    status, _, content = site.get(path)
    assert status == 404
    assert b"secret words" not in content
    assert b"title:" not in content
    assert b"root:" not in content


def test_the_server_is_on_loopback_alone(site: Site) -> None:
    serving = server(site.live, 0)
    assert serving.server_address[0] == "127.0.0.1"
    serving.server_close()


def test_heads_and_folders(site: Site) -> None:
    status, headers, content = site.get("/small", method="HEAD")
    assert (status, headers["Location"], content) == (301, "/small/", b"")
    assert site.get("/small/", method="HEAD")[2] == b""
    status, headers, _ = site.get("/", method="POST")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_two_hosts_are_none(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(b"GET /small/ HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.0 421 ")


def test_what_was_missed_between_two_questions_is_told_by_the_next(site: Site) -> None:
    before = json.loads(site.get("/-/state")[2])["turn"]
    for words in ("title: broken\n", "title: [\n"):
        incident(site).write_text(words)
        before = json.loads(site.get(f"/-/state?since={before}")[2])["turn"]
    # A page that saw neither asks for what came after the turn it knows, and waits for nothing.
    state = json.loads(site.get(f"/-/state?since={before - 2}")[2])
    assert state["turn"] == before
    assert "[not-yaml]" in state["words"]


def test_a_changed_template_is_built_and_a_broken_one_shown(tmp_path: Path) -> None:
    root = project(tmp_path / "p", PASSING)
    folder = tmp_path / "templates"
    folder.mkdir()
    page = (templates_dir() / "report.html").read_text("utf-8")
    live = Live(Project(root), tmp_path / "out/site", How(pages=True), lambda _: None, folder)
    live.build()
    before = live.stamp()
    (folder / "report.html").write_text(page.replace("</h1>", "</h1><p>house style</p>", 1), "utf-8")
    assert live.stamp() != before
    live.build()
    assert "house style" in (live.output / "small/index.html").read_text("utf-8")
    (folder / "report.html").write_text(page + "{% if %}", "utf-8")
    live.build()
    assert "[bad-template]" in live.words
    assert "house style" in (live.output / "small/index.html").read_text("utf-8")


def test_a_fault_of_the_program_is_shown_and_the_watch_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = json.loads(site.get("/-/state")[2])["turn"]
    with monkeypatch.context() as patched:

        def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError("by nought")

        patched.setattr("affidavit.serve.build_site", broken)
        incident(site).write_text(PASSING.replace("it is", "it is not built"))
        state = json.loads(site.get(f"/-/state?since={turn}")[2])
    assert "ZeroDivisionError: by nought" in state["words"]
    incident(site).write_text(PASSING.replace("it is", "it is built again"))
    site.until("it is built again")


def test_ended_it_leaves_nothing_behind(tmp_path: Path) -> None:
    root = project(tmp_path / "p", PASSING)
    (tmp_path / "temporary").mkdir()
    environ = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            [sys.executable, "-m", "affidavit", "--root", root, "serve", "--port", "0"],
            env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeded,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            assert any("http://127.0.0.1:" in line for line in process.stdout)
            process.send_signal(number)
            assert process.communicate(timeout=60)[1] == ""
            assert process.returncode == 0
        finally:
            process.kill()
            process.communicate()
        assert not list((tmp_path / "temporary").iterdir())


def test_evidence_in_a_fault_stays_text(site: Site) -> None:
    incident(site).write_text('title: "<script>alert(1)</script>"\n"<b>": 1\n')
    site.get("/-/state?since=1")
    assert b"<b>" not in site.get("/nothing")[2]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("it is", "it is so"),  # words of the narrative: the certificates' pages are taken over
        ("3 certificates are affected", "In all 3 certificates are affected"),  # a claim's: they show it
        ("title: A small incident", "title: Another one"),
        ("timezone: UTC", "timezone: Asia/Shanghai"),
    ],
)
def test_what_is_taken_over_is_what_a_whole_build_would_write(tmp_path: Path, was: str, now: str) -> None:
    root = project(tmp_path / "p", PASSING.replace("trust: none", "trust: none\ntimezone: UTC"))
    live = Live(Project(root), tmp_path / "live", How(pages=True), lambda _: None)
    live.build()
    file = root / "reports/small/incident.yaml"
    assert was in file.read_text()
    file.write_text(file.read_text().replace(was, now))
    live.build()
    build_site(Project(root), tmp_path / "whole", pdf=False, fresh=True, how=How(pages=True))
    contents = [
        {path.relative_to(site): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}
        for site in (tmp_path / "live", tmp_path / "whole")
    ]
    assert contents[0] == contents[1]
    assert any("certificates" in path.parts for path in contents[0])
