"""Scripts that set no blanks between words."""

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Their characters, for a set in a pattern: kana, and Chinese ideographs with their extensions."""
