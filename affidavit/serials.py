"""Serial numbers and hashes as people write them, and as the tables hold them."""

import re

_HEX = re.compile(r"-?[0-9A-F]+")


def show_serial(number: int) -> str:
    """A serial number as the tables hold it: upper-case hex, whole octets, ``-`` before a negative one."""
    magnitude = abs(number)
    octets = max(1, (magnitude.bit_length() + 7) // 8)
    return ("-" if number < 0 else "") + magnitude.to_bytes(octets, "big").hex().upper()


def clean_hex(text: str) -> str:
    """Hex digits without colons, blanks, a leading 0x and case differences (upper case)."""
    bare = re.sub(r"[:\s]", "", text).upper()
    return re.sub(r"^(-?)0X", r"\1", bare)


def parse_serial(text: str) -> int:
    """The number that a written serial number stands for; ValueError if it is not hexadecimal.

    Serial numbers are compared as numbers: a dropped leading zero changes nothing (design.md, section 5).
    """
    bare = clean_hex(text)
    if not text.isascii() or not _HEX.fullmatch(bare):
        raise ValueError(f"{text!r} is no serial number: hexadecimal digits are wanted")
    return int(bare, 16)


def written_short(text: str) -> bool:
    """Whether a serial number was written with half an octet: a leading zero was dropped."""
    return len(clean_hex(text).lstrip("-")) % 2 == 1
