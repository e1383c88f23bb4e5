"""The outside judge of certificates in tests: the openssl command."""

import subprocess
from pathlib import Path


def openssl(*arguments: str | Path, given: bytes | None = None, fails: bool = False) -> str:
    """What openssl prints on both channels; it must succeed, or, with ``fails``, must not."""
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert (done.returncode != 0) is fails, said
    return said


def x509_text(der: bytes) -> str:
    """``openssl x509 -text``, names in RFC 2253 order as UTF-8."""
    return openssl("x509", "-inform", "DER", "-noout", "-text", "-nameopt", "RFC2253,utf8,-esc_msb", given=der)


def x509_field(der: bytes, *options: str) -> str:
    """One field, such as ``-serial``, without its label."""
    return openssl("x509", "-inform", "DER", "-noout", *options, given=der).partition("=")[2].strip()
