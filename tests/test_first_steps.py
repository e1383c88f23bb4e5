"""What somebody meets first: help that teaches, and messages that lead on."""

import json
import os
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from affidavit.cli import cli
from testpki.build import Authority
from tests.report.test_formats import INCIDENT, project

COMMANDS = sorted(cli.commands)
PASSING = INCIDENT.partition("  wrong:")[0] + "summary: '[3](claim:right) it is'\n"


def run(*arguments: str, root: Path | None = None, came: bytes = b"") -> Result:
    return CliRunner().invoke(cli, [*(["--root", str(root)] if root else []), *arguments], input=came)


def test_the_list_of_commands_is_told_whole_on_a_narrow_terminal() -> None:
    listed = run("--help").output.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.strip().splitlines()] == COMMANDS
    assert "..." not in listed


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_what_help_shows_can_be_called(name: str) -> None:
    text = run(*([name] if name else []), "--help").output
    shown = re.findall(r"^ {4}(?:.* \| )?affidavit (\S.*?)(?:  .*)?$", text, re.MULTILINE)
    assert shown or name in ("serve", "completion")
    for line in shown:
        words = shlex.split(line.partition(" > ")[0])
        command = cli.commands[words[0]]
        context = command.make_context(words[0], words[1:], parent=click.Context(cli))
        assert context.command is command


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_option_says_what_it_is_for(name: str) -> None:
    command: click.Command = cli.commands[name] if name else cli
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help


def test_a_report_s_claims_are_listed_and_the_way_on_is_shown(tmp_path: Path) -> None:
    root = project(tmp_path, INCIDENT)
    found = run("explain", "small", root=root)
    assert found.exit_code == 1
    assert re.search(r"^  \+ right +verified: ", found.output, re.MULTILINE)
    assert re.search(r"^  x wrong +refuted: ", found.output, re.MULTILINE)
    assert "affidavit explain small CLAIM" in found.output
    assert run("explain", "small", "right", root=root).exit_code == 0
    assert run("explain", "small", root=project(tmp_path / "other", PASSING)).exit_code == 0


@pytest.mark.parametrize("arguments", [("check",), ("build",), ("explain", "one", "two")])
def test_where_there_is_no_report_the_way_to_one_is_named(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    found = run(*arguments, root=tmp_path)
    assert found.exit_code == 2
    assert "affidavit new REPORT --from FOLDER" in found.output
    assert ":1:1:" not in found.output  # what was called has no lines


def test_formats_for_machines_have_a_line_for_what_has_none(tmp_path: Path) -> None:
    found = run("check", "--format", "github", root=tmp_path)
    assert found.exit_code == 2
    assert "line=1,col=1" in found.output


def test_build_is_as_quiet_and_as_wordy_as_it_is_asked_to_be(tmp_path: Path) -> None:
    root = project(tmp_path, PASSING)
    assert run("build", "--no-pdf", "--quiet", root=root).output == ""
    assert "  + right: verified" in run("build", "--no-pdf", "--fresh", "--verbose", root=root).output
    (root / "reports/small/incident.yaml").write_text(INCIDENT)
    assert "does not pass" in run("build", "--no-pdf", "--quiet", root=root).output


def test_detail_without_json_is_told_what_it_is_for(tmp_path: Path) -> None:
    root = project(tmp_path, PASSING)
    found = run("check", "--detail", root=root)
    assert found.exit_code == 2
    assert "add --format json" in found.output
    assert run("check", "--detail", "--format", "json", root=root).exit_code == 0


def test_the_schema_is_printed_as_it_is_shipped() -> None:
    shipped = Path(__file__).resolve().parents[1] / "affidavit.schema.json"
    assert run("schema").output == shipped.read_text("utf-8")


class TestInspect:
    def test_standard_input(self) -> None:
        certificate = Authority.root("Test Root").certificate.pem()
        found = run("inspect", "-", "--format", "json", came=certificate.encode())
        assert found.exit_code == 0
        rows = json.loads(found.output)["certificates"]
        assert [(row["subject_cn"], row["file"]) for row in rows] == [("Test Root", "-")]
        assert run("inspect", "-").exit_code == 2

    def test_more_than_any_file_may_hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("affidavit.evidence.inspect.MAX_FILE_OCTETS", 1000)
        assert "[file-too-large]" not in run("inspect", "-", came=b"x" * 1000).output
        assert "[file-too-large]" in run("inspect", "-", came=b"x" * 1001).output

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "root.pem").write_text("")
        os.mkfifo(tmp_path / "pipe")
        for name, words in (
            ("rot.pem", "did you mean 'root.pem'?"),
            ("", "is a folder"),
            ("pipe", "`-` reads standard input"),
            ("no/folder/either", "there is no such file"),
        ):
            found = run("inspect", str(tmp_path / name))
            assert found.exit_code == 2
            assert words in found.output
