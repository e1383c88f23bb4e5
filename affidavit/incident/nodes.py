"""YAML text to a tree of plain values in which each value knows its line and column.

Scalars stay text. Duplicate keys, tags, documents beyond the first, and files that are too large, too
deep or grow through aliases are errors. The tree is built from the parser's events, so no depth of
nesting can exhaust the stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from affidavit.incident.yamlwords import words
from affidavit.types import Diagnostic, InputError, Pos

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40
MAX_NODES = 2_000_000
MAX_ALIASED_NODES = 10_000

Loader = getattr(yaml, "CLoader", yaml.Loader)


@dataclass(slots=True)
class Node:
    """A YAML value: text, a list of nodes, or a mapping of text to node; ``None`` for an empty value."""

    pos: Pos
    value: "str | list[Node] | dict[str, Node] | None"
    keys: dict[str, Pos] = field(default_factory=dict)
    literal: bool = False
    size: int = 1
    height: int = 1

    def plain(self) -> object:
        """The bare value, without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def find(self, path: tuple[str | int, ...]) -> "Node | None":
        """The node at a path of keys and indexes, or None."""
        node = self
        for step in path:
            if isinstance(node.value, dict) and str(step) in node.value:
                node = node.value[str(step)]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            else:
                return None
        return node

    def place(self, path: tuple[str | int, ...], *, key: bool = False) -> Pos:
        """Where a path stands; of the deepest part that exists. ``key``: where its key stands."""
        node, pos = self, self.pos
        for index, step in enumerate(path):
            last = index == len(path) - 1
            if isinstance(node.value, dict) and str(step) in node.value:
                pos = node.keys[str(step)] if key and last else node.value[str(step)].pos
                node = node.value[str(step)]
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                pos = node.pos
            # A step that is not in the file (a union's tag in a validation path) is passed over.
        return pos


def _fail(pos: Pos, code: str, message: str, hint: str = "") -> InputError:
    return InputError(Diagnostic(pos, code, message, hint))


def _end_of(text: str, shown: str) -> Pos:
    """Where the character after a text stands."""
    return Pos(shown, text.count("\n") + 1, len(text) - text.rfind("\n"))


def read_text(path: Path, shown: str, limit: int = MAX_BYTES) -> str:
    """A UTF-8 text file; errors name the file and, for bad bytes, line and column."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        raise _fail(Pos(shown), "file-missing", "there is no such file") from None
    except OSError as error:
        raise _fail(Pos(shown), "file-unreadable", f"cannot be read: {error.strerror}") from None
    if len(data) > limit:
        raise _fail(Pos(shown), "file-too-large", f"is larger than {limit:,} bytes", "split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        pos = _end_of(error.object[: error.start].decode("utf-8"), shown)
        raise _fail(pos, "not-utf-8", f"byte {error.start} is not UTF-8", "save it as UTF-8") from None


def parse(text: str, shown: str) -> Node:
    """The tree of a YAML document; InputError with line and column on anything else.

    ``shown`` is the file's name in messages.
    """

    def place(mark: yaml.Mark) -> Pos:
        return Pos(shown, mark.line + 1, mark.column + 1)

    try:
        # Events are taken one at a time: a limit stops the parser before it reads on.
        return _compose(yaml.parse(text, Loader=Loader), place, shown)
    except yaml.MarkedYAMLError as error:
        mark, what, hint = words(error, text)
        raise _fail(place(mark) if mark else Pos(shown), "not-yaml", f"is not valid YAML: {what}", hint) from None
    except yaml.reader.ReaderError as error:
        # The position counts octets or characters, as the library was built; the character itself is found.
        bad = error.character if isinstance(error.character, int) else ord(error.character)
        before = text[: max(text.find(chr(bad)), 0)]
        message = f"holds the character U+{bad:04X}, which YAML does not allow"
        raise _fail(_end_of(before, shown), "not-yaml", message) from None
    except yaml.YAMLError as error:
        raise _fail(Pos(shown), "not-yaml", f"is not valid YAML: {' '.join(str(error).split())}") from None


def _compose(events: Iterator[yaml.Event], place, shown: str) -> Node:  # type: ignore[no-untyped-def]
    stack: list[tuple[Node, str | None, Pos | None]] = []
    anchors: dict[str, Node] = {}
    open_anchors: set[str] = set()
    anchor_of: dict[int, str] = {}
    root: Node | None = None
    count = aliased = documents = 0

    def attach(node: Node) -> None:
        nonlocal root
        if not stack:
            root = node
            return
        parent, key, key_pos = stack[-1]
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif isinstance(parent.value, dict):
            if key is None:
                if not isinstance(node.value, str):
                    raise _fail(node.pos, "bad-key", "a key must be a word or text")
                if node.value in parent.value:
                    first = parent.keys[node.value]
                    raise _fail(
                        node.pos,
                        "duplicate-key",
                        f"the key {node.value!r} stands here a second time (first at line {first.line})",
                        "remove or rename one of the two",
                    )
                stack[-1] = (parent, node.value, node.pos)
            else:
                parent.value[key] = node
                parent.keys[key] = key_pos or node.pos
                stack[-1] = (parent, None, None)

    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _fail(
                    place(event.start_mark),
                    "many-documents",
                    "a second YAML document begins here",
                    "keep one",
                )
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                raise _fail(place(event.start_mark), "alias-loop", f"the alias *{event.anchor} refers to itself")
            target = anchors.get(event.anchor or "")
            if target is None:
                raise _fail(place(event.start_mark), "unknown-alias", f"no anchor &{event.anchor} stands before this")
            aliased += target.size
            if aliased > MAX_ALIASED_NODES:
                raise _fail(
                    place(event.start_mark),
                    "alias-bomb",
                    f"aliases repeat more than {MAX_ALIASED_NODES:,} values",
                    "write the values out",
                )
            pos = place(event.start_mark)
            if len(stack) + target.height > MAX_DEPTH + 1:
                raise _fail(pos, "too-deep", f"nests deeper than {MAX_DEPTH} levels through aliases", "flatten it")
            attach(Node(pos, target.value, target.keys, target.literal, target.size, target.height))
        elif isinstance(event, (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            count += 1
            pos = place(event.start_mark)
            if event.tag is not None and event.tag != "!":
                raise _fail(pos, "yaml-tag", f"the tag {event.tag!r} has no meaning here", "remove it")
            if count > MAX_NODES:
                raise _fail(pos, "file-too-large", f"holds more than {MAX_NODES:,} values", "split the report")
            if isinstance(event, yaml.ScalarEvent):
                empty = event.value == "" and event.style not in ("'", '"', "|", ">")
                node = Node(pos, None if empty else event.value, literal=event.style in ("|", ">"))
                attach(node)
                if event.anchor:
                    anchors[event.anchor] = node
                continue
            node = Node(pos, {} if isinstance(event, yaml.MappingStartEvent) else [])
            if len(stack) >= MAX_DEPTH:
                raise _fail(pos, "too-deep", f"nests deeper than {MAX_DEPTH} levels", "flatten it")
            if event.anchor:
                open_anchors.add(event.anchor)
                anchor_of[id(node)] = event.anchor
            stack.append((node, None, None))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            node = stack.pop()[0]
            if name := anchor_of.pop(id(node), None):
                open_anchors.discard(name)
                anchors[name] = node
            attach(node)
    if root is None:
        raise _fail(Pos(shown), "empty-file", "is empty", "write `title:` and `claims:`; see docs/guide.md")
    return root
