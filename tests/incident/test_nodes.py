"""YAML to a tree of text with places: what is no plain tree of text is refused, with line and column."""

from pathlib import Path

import pytest

from affidavit.incident import nodes
from affidavit.incident.nodes import parse, read_text
from affidavit.types import Diagnostic, InputError, Pos


def refused(text: str) -> Diagnostic:
    with pytest.raises(InputError) as caught:
        parse(text, "incident.yaml")
    (found,) = caught.value.diagnostics
    assert found.pos.file == "incident.yaml"
    return found


def at(found: Diagnostic) -> tuple[str, int, int]:
    return found.code, found.pos.line, found.pos.column


@pytest.mark.parametrize(
    "scalar", ["0123", "12E5", "no", "on", "2016-01-04", "1_000", "0x1F", "~", "null", ".inf", "12:30:45", "<<", "="]
)
def test_scalars_stay_text(scalar: str) -> None:
    assert parse(f"a: {scalar}", "f").plain() == {"a": scalar}
    assert parse(f"{scalar}: a", "f").plain() == {scalar: "a"}


def test_an_empty_value_is_none_and_quotes_are_text() -> None:
    assert parse("a:\nb: ''\nc: \"\"\n", "f").plain() == {"a": None, "b": "", "c": ""}


def test_each_value_and_key_knows_its_place_in_characters() -> None:
    tree = parse("title: 沃通 😀\nclaims:\n  é: {count: 5}\nlist:\n  - x\n  -   y\n", "f")
    assert tree.place(("title",)) == Pos("f", 1, 8)
    assert tree.place(("claims", "é"), key=True) == Pos("f", 3, 3)
    assert tree.place(("claims", "é", "count")) == Pos("f", 3, 14)
    assert tree.place(("claims", "é", "count"), key=True) == Pos("f", 3, 7)
    assert tree.place(("list", 1)) == Pos("f", 6, 7)
    assert tree.place(("claims", "é", "missing")) == Pos("f", 3, 6)
    found = tree.find(("list", 0))
    assert found is not None
    assert found.value == "x"
    assert tree.find(("list", 9)) is None
    assert tree.find(("claims", 0)) is None


def test_places_after_an_astral_character_count_it_once() -> None:
    assert parse("😀: {a: b}", "f").place(("😀", "a")) == Pos("f", 1, 8)


def test_duplicate_keys_are_named_with_both_lines() -> None:
    found = refused("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")
    assert at(found) == ("duplicate-key", 5, 3)
    assert "'c'" in found.message
    assert "line 3" in found.message


@pytest.mark.parametrize("text", ["a: 1\n'a': 2\n", '{a: 1, "a": 2}', "&x a: 1\n*x : 2\n", "<<: a\n<<: b\n"])
def test_duplicate_keys_in_other_dress(text: str) -> None:
    assert refused(text).code == "duplicate-key"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: !!python/object/apply:os.system [ls]", 1, 4),
        ("b: 1\na: !!int 5", 2, 4),
        ("!!map {a: b}", 1, 1),
        ("a: !mine x", 1, 4),
        ("a:\n  - !!str x", 2, 5),
        ("a: !<tag:yaml.org,2002:str> x", 1, 4),
    ],
)
def test_tags_are_refused(text: str, line: int, column: int) -> None:
    assert at(refused(text)) == ("yaml-tag", line, column)


def test_a_second_document_is_refused() -> None:
    assert at(refused("a: 1\n---\nb: 2\n")) == ("many-documents", 2, 1)
    assert parse("---\na: 1\n...\n", "f").plain() == {"a": "1"}


@pytest.mark.parametrize("text", ["", "\n\n", "# words\n"])
def test_an_empty_file_is_named(text: str) -> None:
    assert refused(text).code == "empty-file"


@pytest.mark.parametrize(("text", "line"), [("[a, b]: c", 1), ("x: y\n{a: b}: c", 2), ("? \n: x", 1)])
def test_a_key_that_is_no_text_is_refused(text: str, line: int) -> None:
    found = refused(text)
    assert (found.code, found.pos.line) == ("bad-key", line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1, 2", 1),
        ("a: b: c", 1),
        ("a: 'x", 1),
        ("a:\n\t- b", 2),
        ("a: 1\n b: 2", 2),
        ("- a\nb: c", 2),
        ("@x", 1),
        (": x", 1),
        ("a: [1\nb: 2\n", 1),
    ],
)
def test_what_is_no_yaml_is_named_with_its_place(text: str, line: int) -> None:
    found = refused(text)
    assert found.code == "not-yaml"
    assert found.pos.line == line


@pytest.mark.parametrize(
    ("text", "line", "column", "shown"),
    [
        ("a: b\nc: é\x01x\n", 2, 5, "U+0001"),
        ("a: \x00", 1, 4, "U+0000"),
        ("ü: x\ny: \x1b[31m", 2, 4, "U+001B"),
        ("a: \ufffe", 1, 4, "U+FFFE"),
    ],
)
def test_characters_that_yaml_does_not_allow(text: str, line: int, column: int, shown: str) -> None:
    found = refused(text)
    assert at(found) == ("not-yaml", line, column)
    assert shown in found.message
    assert "\x1b" not in found.message


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_deep_nesting_is_refused_at_its_place(opening: str) -> None:
    found = refused(opening * 100_000)
    assert at(found) == ("too-deep", 1, 1 + nodes.MAX_DEPTH * len(opening))


def test_forty_levels_are_read() -> None:
    deep = "[" * nodes.MAX_DEPTH + "x" + "]" * nodes.MAX_DEPTH
    assert parse(deep, "f").plain()
    assert refused("[" + deep + "]").code == "too-deep"


def test_a_hundred_levels_of_aliases_are_refused() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 101)]
    found = refused("\n".join(lines))
    assert found.code == "alias-bomb"
    # a<n> holds 2 ** (n + 2) - 1 values; up to a10 aliases repeat 8,164 of them, and the first in a11 4,095 more.
    assert (found.pos.line, found.pos.column) == (12, 12)


def test_aliases_do_not_nest_deeper_than_brackets() -> None:
    """Aliases of long chains would give a tree deeper than any code that walks it can go."""
    inner = 35
    lines = ["a0: &a0 " + "[" * inner + "x" + "]" * inner]
    lines += [f"a{n}: &a{n} " + "[" * inner + f"*a{n - 1}" + "]" * inner for n in range(1, 22)]
    found = refused("\n".join(lines))
    assert (found.code, found.pos.line) == ("too-deep", 2)
    chain = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100)]
    found = refused("\n".join(chain))
    assert found.code == "too-deep"
    # Line n + 1 holds n + 1 levels of brackets inside the mapping.
    assert found.pos.line == nodes.MAX_DEPTH


def test_few_aliases_are_values_like_others() -> None:
    tree = parse("a: &x {k: v}\nb: *x\nc: [*x, &y z, *y]\n", "f")
    assert tree.plain() == {"a": {"k": "v"}, "b": {"k": "v"}, "c": [{"k": "v"}, "z", "z"]}
    assert tree.place(("b",)) == Pos("f", 2, 4)
    assert tree.place(("c", 2)) == Pos("f", 3, 15)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: &x [*x]", "alias-loop", 1, 8),
        ("a: &x {k: *x}", "alias-loop", 1, 11),
        ("a: 1\nb: *x", "unknown-alias", 2, 4),
    ],
)
def test_aliases_to_themselves_and_to_nothing(text: str, code: str, line: int, column: int) -> None:
    assert at(refused(text)) == (code, line, column)


def test_more_values_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "MAX_NODES", 100)
    assert at(refused("- x\n" * 101)) == ("file-too-large", 100, 3)
    assert len(parse("- x\n" * 99, "f").plain()) == 99  # type: ignore[arg-type]


# --- files ------------------------------------------------------------------------------------------------------------


def unread(path: Path, limit: int = nodes.MAX_BYTES) -> Diagnostic:
    with pytest.raises(InputError) as caught:
        read_text(path, "shown.yaml", limit)
    (found,) = caught.value.diagnostics
    assert found.pos.file == "shown.yaml"
    return found


def test_a_large_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)  # sparse: it takes no room
    assert unread(path).code == "file-too-large"


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("x" * 10, "ascii")
    assert read_text(path, "f", 10) == "x" * 10
    assert unread(path, 9).code == "file-too-large"


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"\xff", 1, 1),
        (b"a: b\nc: \xe9t\xe9\n", 2, 4),
        ("ü: 沃\xff".encode() + b"\xc0", 1, 6),
        (b"\xef\xbb\xbfa: \xfe", 1, 4),
        (b"a\n\n\xed\xa0\x80", 3, 1),
        (b"ab\xe2\x82", 1, 3),
    ],
)
def test_what_is_no_utf_8_is_named_with_line_and_column(tmp_path: Path, data: bytes, line: int, column: int) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    assert at(unread(path)) == ("not-utf-8", line, column)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffa: b".encode())
    assert read_text(path, "f") == "a: b"


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert unread(tmp_path / "no.yaml").code == "file-missing"
    assert unread(tmp_path).code == "file-unreadable"


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("a: 1\nclaims\n  x: 1\n", (2, 1), "no `: ` after the key", "a key, a colon and a space"),
        ("a: 1\ncount:5\nb: 1\n", (2, 1), "no `: ` after the key", "a key, a colon and a space"),
        ("a:\n  b: 1\n c: 2\n", (3, 2), "does not continue", "same column"),
        ('a: "x\nb: 1\n', (1, 4), "quote that begins here", "at its end"),
        ("a:\n\tb: 1\n", (2, 1), "a tab", "spaces"),
        ("a: Note: this\n", (1, 8), "where no key can stand", "in quotes"),
        ("a: {b: 1\nc: 2\n", (1, 4), "`{` here is not closed", "`}`"),
        ("a: [1, 2\nc: 2\n", (1, 4), "`[` here is not closed", "`]`"),
        ("a: `x`\n", (1, 4), "nothing can begin with '`'", "in quotes"),
        ("a: %x\n", (1, 4), "nothing can begin with '%'", "in quotes"),
        ('a: "\\d"\n', (1, 5), "backslash", "single quotes"),
        ("a: - b\n", (1, 4), "a list cannot begin behind its key", "line of its own"),
        ("a: > b\n", (1, 6), "after `|` or `>`", "next line"),
        ("- a\nb: 1\n", (2, 1), "among the items", "`- `"),
        ("a: ,x\n", (1, 4), "cannot begin so", "in quotes"),
        ("{a: 1}}\n", (1, 7), "after the end", "take it away"),
    ],
)
def test_what_is_no_yaml_is_told_in_plain_words(text: str, place: tuple[int, int], message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, "x.yaml")
    (found,) = caught.value.diagnostics
    assert (found.pos.line, found.pos.column) == place
    assert message in found.message
    assert "while" not in found.message
    assert hint in found.hint
