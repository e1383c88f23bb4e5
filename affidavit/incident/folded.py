"""Where the characters of a folded or quoted YAML text stand in its file.

YAML joins the lines of such a text and undoes its escapes; this follows it from the file's side. What cannot be
followed has no places: then a message points at where the text begins, and no edit is proposed inside it.
"""

from collections.abc import Sequence

Piece = tuple[int, int, int]
"""An offset in the text, and the line and column (both from 1) where the characters from there on stand."""

_ESCAPES = {"'": {"'": "''"}, '"': {'"': '\\"', "\\": "\\\\"}}


def pieces_of(text: str, lines: Sequence[str], line: int, column: int) -> tuple[Piece, ...]:
    """The pieces of a text that stand in one run in its file; none where it cannot be followed.

    ``line`` and ``column`` (from 1): where the YAML value begins, its quotation mark or indicator included.
    """
    if not 0 < line <= len(lines):
        return ()
    row, at = line - 1, column - 1
    style = lines[row][at : at + 1]
    if style == ">":
        row, at = row + 1, 0
    elif style in _ESCAPES:
        at += 1
    escapes = _ESCAPES.get(style, {})
    found: list[Piece] = []
    follows = (-1, -1)  # where the next character stands if it is of the same piece
    for offset, character in enumerate(text):
        if character in " \n\t":
            here = lines[row][at : at + 1] if row < len(lines) else ""
            if character != "\n" and here == character and lines[row][at:].strip():
                at += 1
                follows = (row, at) if follows == (row, at - 1) else follows
            continue
        while row < len(lines) and not lines[row][at:].strip():
            row, at = row + 1, 0
        if row >= len(lines):
            return ()
        if at == 0:
            at = len(lines[row]) - len(lines[row].lstrip())
        shown = escapes.get(character, character)
        if not lines[row].startswith(shown, at):
            return ()
        if (row, at) != follows:
            found.append((offset, row + 1, at + 1))
        at += len(shown)
        follows = (row, at) if len(shown) == 1 else (-1, -1)
    return tuple(found)
