"""pkilint, the one module that knows it: its profiles, their rules, and what it says of one certificate.

pkilint reports findings alone. That a rule was held against a certificate and not broken is told from the validators
that ran: each names the codes that it may report. A code whose validators found nothing in the certificate to look at
(or that the certificate's type does not know) is not applicable. Where pkilint could not decode a part, or one of its
validators failed, what it did not report it may not have looked at: then nothing passes.

pkilint is an optional extra; it is imported when a claim asks for it. The functions that lint run in child processes.
"""

import functools
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from types import FrameType
from typing import Any, NamedTuple

INSTALL = "pip install 'affidavit[lint]'"
CRASHED = "base.unhandled_exception"
UNDECODED = "itu.invalid_asn1_syntax"
MAX_OCTETS = 256 * 1024
"""Larger certificates are not linted; they are named as such."""
SECONDS = 10.0
"""So long may one certificate take; the usual one takes three milliseconds."""
_TEXT = 500
_RESULTS = {"FATAL": "fatal", "ERROR": "error", "WARNING": "warn", "NOTICE": "notice", "INFO": "info", "DEBUG": "info"}
"""pkilint's severities (validation.py), the worst first, in the words of the table `lints`."""
PROFILES = {
    "pkix": "RFC 5280",
    "serverauth": "the CA/Browser Forum's TLS Baseline Requirements",
    "smime": "the CA/Browser Forum's S/MIME Baseline Requirements",
    "etsi": "ETSI EN 319 412",
}
"""What a certificate can be linted as; pkilint tells the type within a profile from the certificate itself."""


class Found(NamedTuple):
    """A finding: the rule's code, its severity in the table's words, and where in the certificate it lies."""

    code: str
    result: str
    details: str


class Linted(NamedTuple):
    """What pkilint says of one certificate.

    ``linted_as`` is the type within the profile (empty where it has none), ``source`` the document that the profile
    implements, ``ran`` the codes that were held against something in it; ``failed``: why ``ran`` is empty.
    """

    linted_as: str
    source: str
    ran: tuple[str, ...]
    findings: tuple[Found, ...]
    failed: str | None = None


class Task(NamedTuple):
    """Some certificates (DER) to be linted under a profile."""

    profile: str
    ders: tuple[bytes, ...]


def version() -> str | None:
    """The version of pkilint that is installed; None where it is not."""
    try:
        return metadata.version("pkilint")
    except metadata.PackageNotFoundError:
        return None


def severity(profile: str, code: str) -> str | None:
    """The worst severity that a rule of a profile can have, in the table's words; None where the profile lacks it.

    Needs pkilint, as `codes` does.
    """
    return next((known[code] for known in _each(profile) if code in known), None)


def codes(profile: str) -> list[str]:
    """The codes of all rules of a profile, whatever the certificate's type, in order."""
    return sorted(set().union(*_each(profile)))


def lint(task: Task) -> list[Linted]:
    """What pkilint says of each certificate of a task. Never raises for what stands in one."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # what it logs of a failure of its own comes back as a finding
    try:
        return [_lint(task.profile, der) for der in task.ders]
    finally:
        logging.disable(before)


def _lint(profile: str, der: bytes) -> Linted:
    try:
        with _time_limit(SECONDS):
            return _linted(profile, der)
    except _TooLongError:
        return Linted("", "", (), (), f"pkilint takes longer than {SECONDS:g} s")
    except RecursionError:
        return Linted("", "", (), (), "pkilint cannot read it: nested too deeply")
    except Exception as error:
        return Linted("", "", (), (), f"pkilint cannot read it: {_short(str(error) or type(error).__name__)}")


def _linted(profile: str, der: bytes) -> Linted:
    from pkilint import finding_filter, loader

    document = loader.load_der_certificate(der, "certificate", "certificate")
    made = _PROFILES[profile]()
    kind = made.detect(document)
    if kind is None:
        return Linted("", made.source, (), (), f"pkilint cannot tell which type of the profile {profile} it is")
    validators = _validators(profile, kind)
    results, excluded = finding_filter.filter_results(made.filters(kind), validators.validate(document.root))
    ran: set[str] = set()
    findings: list[Found] = []
    failed = None
    for result, filtered in excluded:
        for _, said in filtered:
            words = f"{result.node.path}: the profile sets this finding aside"
            findings.append(Found(str(said.finding.code), "not applicable", words))
    for result in results:
        ran.update(one.code for one in result.validator.validations)
        for said in result.finding_descriptions:
            code, level = str(said.finding.code), _RESULTS[said.finding.severity.name]
            where = _short(": ".join(filter(None, (result.node.path, said.message))))
            if code == CRASHED:
                failed = f"pkilint's {result.validator.name} failed at {where}"
                continue
            if code == UNDECODED:
                failed = failed or f"pkilint could not decode all of it: {where}"
            findings.append(Found(code, level, where))
    ran.discard(CRASHED)
    passed = () if failed else tuple(sorted(ran))
    return Linted(made.name(kind), made.source, passed, tuple(sorted(findings)), failed)


class _Profile(NamedTuple):
    """How a profile is made: its document, types, their names, a certificate's type, validators and filters."""

    source: str
    types: tuple[Any, ...]
    name: Callable[[Any], str]
    detect: Callable[[Any], Any]
    decoders: Callable[[Any], Any]
    validators: Callable[[Any], Any]
    filters: Callable[[Any], list[Any]]


def _pkix() -> _Profile:
    from pkilint.pkix import certificate, extension, name

    return _Profile(
        PROFILES["pkix"], ("",), str, lambda _: "",
        lambda _: certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        lambda _: [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
        lambda _: [],
    )  # fmt: skip


def _serverauth() -> _Profile:
    from pkilint.cabf import serverauth
    from pkilint.cabf.serverauth import serverauth_constants as constants

    return _Profile(
        f"{PROFILES['serverauth'].removeprefix('the ')} {constants.BR_VERSION}",
        tuple(constants.CertificateType)[::-1],
        lambda kind: str(kind.to_option_str),
        serverauth.determine_certificate_type,
        lambda _: serverauth.create_decoding_validators(),
        serverauth.create_validators,
        serverauth.create_serverauth_finding_filters,
    )


def _smime() -> _Profile:
    from pkilint.cabf import smime
    from pkilint.cabf.smime import smime_constants as constants

    return _Profile(
        f"{PROFILES['smime'].removeprefix('the ')} {constants.BR_VERSION}",
        tuple((level, generation) for level in constants.ValidationLevel for generation in constants.Generation),
        lambda kind: f"{kind[0]}-{kind[1]}",
        smime.determine_validation_level_and_generation,
        lambda _: smime.create_decoding_validators(),
        lambda kind: smime.create_subscriber_validators(*kind),
        lambda _: [],
    )


def _etsi() -> _Profile:
    from pkilint import etsi
    from pkilint.etsi import etsi_constants as constants

    return _Profile(
        f"{PROFILES['etsi']} ({constants.EN_319_412_VERSION})",
        tuple(constants.CertificateType),
        lambda kind: str(kind.to_option_str),
        etsi.determine_certificate_type,
        etsi.create_decoding_validators,
        etsi.create_validators,
        etsi.create_etsi_finding_filters,
    )


_PROFILES: dict[str, Callable[[], _Profile]] = {
    "pkix": functools.cache(_pkix),
    "serverauth": functools.cache(_serverauth),
    "smime": functools.cache(_smime),
    "etsi": functools.cache(_etsi),
}


@functools.cache
def _validators(profile: str, kind: Any) -> Any:
    from pkilint.pkix import certificate

    made = _PROFILES[profile]()
    return certificate.create_pkix_certificate_validator_container(made.decoders(kind), made.validators(kind))


def _each(profile: str) -> Iterator[dict[str, str]]:
    """For each type of a profile its codes with their severities; made one by one, since each takes 0.1 s."""
    for kind in _PROFILES[profile]().types:
        yield _of_type(profile, kind)


@functools.cache
def _of_type(profile: str, kind: Any) -> dict[str, str]:
    order = list(_RESULTS)
    found: dict[str, str] = {}
    for one in sorted(_validators(profile, kind).validations, key=lambda v: -order.index(v.severity.name)):
        if one.code != CRASHED:
            found[str(one.code)] = _RESULTS[one.severity.name]
    return found


class _TooLongError(BaseException):
    """Raised by the alarm; no `except Exception` inside pkilint may swallow it."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # no alarm reaches another thread; the pool's own limit holds
        return

    def ring(_: int, __: FrameType | None) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _short(text: str) -> str:
    return text if len(text) <= _TEXT else text[:_TEXT] + "..."
