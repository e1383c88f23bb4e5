"""Foreign text made visible, and counted words that agree with their number."""

import pytest

from affidavit.shown import agree, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[2J", "<U+001B>[2J"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\u200bb", "a<U+200B>b"),
        ("\u6c83\u901a", "\u6c83\u901a"),
        ("line\nline", "line<U+000A>line"),
        ("\x85", "<U+0085>"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, shown: str):
    assert visible(text) == shown


def test_long_text_is_cut_and_says_so():
    assert visible("x" * 1005, 5) == "xxxxx... (1,000 more characters)"


@pytest.mark.parametrize(
    ("text", "agreed"),
    [
        ("1 row(s) say otherwise", "1 row says otherwise"),
        ("2 row(s) say otherwise", "2 rows say otherwise"),
        ("0 row(s) have no serial", "0 rows have no serial"),
        ("1 row(s) have no serial", "1 row has no serial"),
        ("1,001 value(s) of serial", "1,001 values of serial"),
        ("21 row(s) do", "21 rows do"),
    ],
)
def test_words_agree_with_their_number(text: str, agreed: str):
    assert agree(text) == agreed
