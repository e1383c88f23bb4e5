"""The JSON Schema in an editor: yaml-language-server offers, explains and refuses keys by it.

Needs that server (`make editor`, which asks npm for it); skipped where it is not at hand. Nothing is fetched here.
"""

import json
import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = (os.environ.get("YAML_LANGUAGE_SERVER", ""), str(ROOT / "node_modules/.bin/yaml-language-server"))
SERVER = next((one for one in PLACES if one and Path(one).is_file()), shutil.which("yaml-language-server"))
SECONDS = 30.0
pytestmark = pytest.mark.skipif(SERVER is None, reason="yaml-language-server is not at hand: `make editor` installs it")
TEXT = (
    """\
title: A test
kind: analysis
date: 2026-11-23
trust: none
evidence:
  a: {files: "*.pem"}
claims:
  one:
    says: Three are affected.
    over: a
    count: 3
"""
    + "    \n"
)
"""An incident file whose last line is blank: there a key is asked for."""


class Client:
    """As much of the Language Server Protocol as the test needs, over standard input and output."""

    def __init__(self, root: Path) -> None:
        assert SERVER is not None
        self._process = subprocess.Popen([SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._buffer = b""
        self._number = 0
        self.told: list[dict[str, Any]] = []
        self._schemas = {(ROOT / "affidavit.schema.json").as_uri(): "*.yaml"}
        self.ask("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": {"textDocument": {
            "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
            "hover": {"contentFormat": ["markdown"]}}}})  # fmt: skip
        self.tell("initialized", {})
        settings = {"yaml": {"schemas": self._schemas, "validate": True, "hover": True, "completion": True,
                             "schemaStore": {"enable": False}}}  # fmt: skip
        self._settings = settings["yaml"]
        self.tell("workspace/didChangeConfiguration", {"settings": settings})

    def tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        number = self._number
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def errors(self, uri: str) -> list[str]:
        """What the server says of a document once it has read the schema and checked it."""
        while True:
            for message in self.told:
                params = message.get("params") or {}
                if message["method"] == "textDocument/publishDiagnostics" and params["uri"] == uri:
                    return [one["message"] for one in params["diagnostics"]]
            self._receive()

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        """The next message; what the server itself asks is answered with the settings, or with nothing."""
        until = time.monotonic() + SECONDS
        assert self._process.stdout is not None
        while True:
            if match := re.match(rb"(?:[^\r\n]+\r\n)*?Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n", self._buffer):
                end = match.end() + int(match[1])
                if len(self._buffer) >= end:
                    message: dict[str, Any] = json.loads(self._buffer[match.end() : end])
                    self._buffer = self._buffer[end:]
                    break
            left = until - time.monotonic()
            assert left > 0, "the server does not answer"
            if select.select([self._process.stdout], [], [], left)[0]:
                self._buffer += os.read(self._process.stdout.fileno(), 1 << 16)
        if "method" in message and "id" in message:
            items = message.get("params", {}).get("items", []) if isinstance(message.get("params"), dict) else []
            result = [self._settings if item.get("section") == "yaml" else {} for item in items] or None
            self._send({"id": message["id"], "result": result})
        elif "method" in message:
            self.told.append(message)
        return message

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(tmp_path)
    yield made
    made.close()


def opened(client: Client, text: str, folder: Path) -> str:
    uri = (folder / "incident.yaml").as_uri()
    document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
    client.tell("textDocument/didOpen", {"textDocument": document})
    client.errors(uri)  # by then it has the schema
    return uri


def test_a_fact_s_keys_are_offered_with_what_they_mean(client: Client, tmp_path: Path) -> None:
    uri = opened(client, TEXT, tmp_path)
    position = {"line": TEXT.count("\n") - 1, "character": 4}
    found = client.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
    offered = {item["label"]: item for item in found["items"]}
    assert {"where", "every", "distinct", "stands", "quote", "earliest", "note"} <= offered.keys()
    assert "count" not in offered  # it stands there already
    words = offered["every"]["documentation"]
    assert "Each of the claim's rows fulfils the condition" in (words if isinstance(words, str) else words["value"])


@pytest.mark.parametrize(
    ("lines", "offered"),
    [
        ("    where:\n      ", {"key_bits", "is_ca", "serial", "first_difference"}),
        ("    distinct:\n      ", {"serial", "spki_sha256"}),
        ("    earliest:\n      ", {"not_before", "revoked_at"}),
        ("    every:\n      not_before:\n        ", {"from", "until", "before", "like"}),
        ("    where:\n      key_type: ", {"RSA", "EC"}),
        ("    same: ", {"serial", "issuer"}),
        ("    table: ", {"certificates", "pairs", "revocations"}),
        ("    stands: ", {"true", "false", "unproven"}),
        ("    violates:\n      ", {"rule", "linter", "profile"}),
    ],
)
def test_columns_and_words_are_offered(client: Client, tmp_path: Path, lines: str, offered: set[str]) -> None:
    text = TEXT.rstrip(" \n") + "\n" + lines
    uri = opened(client, text + "\n", tmp_path)
    position = {"line": text.count("\n"), "character": len(text) - text.rfind("\n") - 1}
    found = client.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
    assert offered <= {item["label"] for item in found["items"]}


def test_a_key_is_explained_where_the_pointer_rests(client: Client, tmp_path: Path) -> None:
    uri = opened(client, TEXT, tmp_path)
    position = {"line": TEXT[: TEXT.index("count:")].count("\n"), "character": 6}
    found = client.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})
    contents = found["contents"]
    assert "How many certificates" in (contents if isinstance(contents, str) else contents["value"])


@pytest.mark.parametrize(
    ("right", "wrong", "word"),
    [
        ("count: 3", "cuont: 3", "cuont"),
        ("kind: analysis", "kind: novel", "novel|analysis"),
        ("count: 3", "where: {isuer_cn: x}", "isuer_cn"),
        ("count: 3", "distinct: {serail: 1}", "serail"),
        ("count: 3", "every: {key_bits: {at_lest: 1}}", "at_lest"),
        ("count: 3", "same: serail", "serail|Valid values"),
    ],
)
def test_a_wrong_word_is_an_error(client: Client, tmp_path: Path, right: str, wrong: str, word: str) -> None:
    uri = opened(client, TEXT.replace(right, wrong), tmp_path)
    assert any(re.search(word, message) for message in client.errors(uri))
