"""HTML to PDF: nothing fetched, nothing dropped unseen, the same bytes each time.

WeasyPrint goes on where something is amiss (a style sheet that is missing, a link to nowhere, a glyph that no
font has) and says so in its log. Here each such message makes the build fail; the exceptions are named below.
"""

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

from affidavit.render.data import certificates_csv, verdicts_json
from affidavit.render.fonts import installed_coverage, missing_diagnostics, show_missing
from affidavit.times import parse_time
from affidavit.types import AffidavitError, Diagnostic, InputError, Pos, Severity

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from affidavit.incident.load import Report
    from affidavit.run import Run

TEMPLATES = "https://templates.invalid/"
"""Where the renderer believes the templates to be (RFC 6761: no such host exists). A made-up place keeps the
paths of the machine that builds out of the document."""

LINK_SCHEMES = frozenset({"http", "https", "mailto"})
"""Schemes of links that a printed report keeps; relative ones lead into the site, and nowhere from a PDF."""

# A library too old or missing makes subsetting slower; what is drawn is the same.
_HARMLESS = (re.compile(r"Using fontTools instead of HarfBuzz-Subset"),)
_NOTDEF = re.compile(
    r"\.notdef glyph rendered for Unicode string unsupported by fonts: .*\(U\+([0-9A-F]{4,6})\)", re.DOTALL
)


class RenderError(AffidavitError):
    """A document cannot be rendered as it should be; nothing was written."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file embedded in the PDF. ``relationship`` is its AFRelationship (ISO 32000-2, 7.11.3)."""

    name: str
    data: bytes
    description: str
    media_type: str
    relationship: Literal["Source", "Data", "Alternative", "Supplement", "Unspecified"]


@dataclass(frozen=True)
class Pdf:
    """A rendered document: its bytes, how many pages it has, and what to tell people about it."""

    data: bytes
    pages: int
    warnings: tuple[Diagnostic, ...] = ()


def document_date(report: "Report", environ: Mapping[str, str]) -> datetime:
    """The date that a document carries: the report's own, never the clock's.

    A bare day is midnight UTC of that calendar day. ``SOURCE_DATE_EPOCH`` bounds it from above; a malformed
    value is an InputError, as its specification (1.1) demands.
    """
    stated = parse_time(report.incident.date, report.incident.timezone)
    day = datetime.combine(stated.local_day, time(), UTC)
    moment = day if stated.is_day else stated.start.replace(tzinfo=UTC)
    text = environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return moment
    try:
        if not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII):
            raise ValueError
        bound = datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        words = f"{text[:40]!r} is no number of seconds since 1970-01-01T00:00:00Z"
        raise InputError(Diagnostic(Pos("SOURCE_DATE_EPOCH"), "bad-source-date-epoch", words)) from None
    return min(moment, bound)


def report_pdf(run: "Run", html: str, base: Path | Sequence[Path], environ: Mapping[str, str]) -> Pdf:
    """The PDF of a checked report from its print HTML; verdicts, certificates, incident file attached."""
    source = run.report.text.encode()
    attached = (
        Attached("certificates.csv", certificates_csv(run), "All certificates", "text/csv", "Data"),
        Attached("incident.yaml", source, "What this report was made from", "application/yaml", "Source"),
        Attached("verdicts.json", verdicts_json(run), "Claims with verdicts", "application/json", "Data"),
    )
    return render_pdf(
        html,
        base=base,
        name=f"{run.slug}/report.pdf",
        title=run.report.incident.title,
        date=document_date(run.report, environ),
        generator=f"Affidavit {run.version}",
        attachments=attached,
    )


def render_pdf(
    html: str,
    *,
    base: Path | Sequence[Path],
    name: str,
    title: str,
    date: datetime,
    generator: str = "Affidavit",
    attachments: Sequence[Attached] = (),
    identifier: bytes | None = None,
) -> Pdf:
    """A tagged PDF of an HTML page.

    ``base``: the folder, or folders in order of precedence, whose style sheets the page may use. ``name``:
    what diagnostics call the document. ``date``: aware; creation and modification date of the document and
    of all it carries. ``identifier``: the document's permanent /ID; by default a digest of all that
    goes in. Raises RenderError for anything that WeasyPrint would pass over, and for any reference that leaves
    the templates.
    """
    folders = [base] if isinstance(base, Path) else list(base)
    files = sorted(attachments, key=lambda file: file.name)
    moment = date.astimezone(UTC)
    if identifier is None:
        identifier = _digest(html, title, generator, moment, files)
    lacking: frozenset[int] = frozenset()
    while True:
        with _messages() as messages:
            data, pages, warnings = _render(html, folders, name, title, moment, generator, files, identifier, lacking)
        drawn = frozenset(int(m[1], 16) for text in messages if (m := _NOTDEF.fullmatch(text)))
        if not drawn - lacking:
            break
        # A font claims a character and has no glyph for it after all: print that one visibly, too.
        lacking |= drawn
    harmless = {text for text in messages if any(p.match(text) for p in _HARMLESS)}
    faults = list(dict.fromkeys(text for text in messages if text not in harmless))
    if faults:
        raise RenderError(*(Diagnostic(Pos(name), "render", _printable(text)) for text in faults))
    notes = [Diagnostic(Pos(name), "render", _printable(t), "", Severity.WARNING) for t in sorted(harmless)]
    return Pdf(data, pages, (*warnings, *notes))


def _digest(html: str, title: str, generator: str, moment: datetime, files: Sequence[Attached]) -> bytes:
    whole = hashlib.sha256()
    for part in (html, title, generator, moment.isoformat(), *(f.name for f in files)):
        whole.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
    for file in files:
        whole.update(hashlib.sha256(file.data).digest())
    return whole.hexdigest()[:32].encode()


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text[:500])


@contextmanager
def _messages() -> Iterator[list[str]]:
    """What WeasyPrint logs at WARNING or above in this thread."""
    found: list[str] = []
    thread = threading.get_ident()

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                found.append(record.getMessage())

    log = logging.getLogger("weasyprint")
    handler = Collector(logging.WARNING)
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.WARNING)
    try:
        yield found
    finally:
        log.setLevel(level)
        log.removeHandler(handler)


def template_fetcher(folders: Sequence[Path]) -> Any:
    """A WeasyPrint URL fetcher that serves style sheets of some folders; all else is a fatal error."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class TemplateFetcher(URLFetcher):  # type: ignore[misc]
        """Serves ``*.css`` below the template folders."""

        def fetch(self, url: str, _headers: object = None) -> Any:
            """The style sheet at a URL below TEMPLATES."""
            found = _template(url, folders)
            if found is None:
                raise FatalURLFetchingError(f"refused to fetch {url}")
            return URLFetcherResponse(url, found.read_bytes(), {"Content-Type": "text/css; charset=utf-8"})

    return TemplateFetcher(allowed_protocols=())


def _template(url: str, folders: Sequence[Path]) -> Path | None:
    """The style sheet that a URL names, if it lies below one of the folders, links followed."""
    if not url.startswith(TEMPLATES):
        return None
    path = unquote(url.removeprefix(TEMPLATES).partition("?")[0].partition("#")[0])
    if not path.endswith(".css") or "\0" in path or "\\" in path:
        return None
    for folder in folders:
        whole = folder.resolve()
        target = (whole / path.lstrip("/")).resolve()
        if target.is_relative_to(whole) and target.is_file():
            return target
    return None


def _stand_alone(root: "Element") -> None:
    """Take away links that lead nowhere once the page is a file of its own, or that no report needs."""
    for element in root.iter("a"):
        href = (element.get("href") or "").strip()
        if href.startswith("#"):
            continue
        try:
            scheme = urlsplit(href).scheme.lower()
        except ValueError:
            scheme = ""
        if scheme not in LINK_SCHEMES:
            element.attrib.pop("href", None)


def _render(
    html: str, folders: Sequence[Path], name: str, title: str, moment: datetime, generator: str,
    files: Sequence[Attached], identifier: bytes, lacking: frozenset[int],
) -> tuple[bytes, int, list[Diagnostic]]:  # fmt: skip
    import weasyprint
    from weasyprint.urls import FatalURLFetchingError

    try:
        page = weasyprint.HTML(string=html, base_url=TEMPLATES, url_fetcher=template_fetcher(folders))
        _stand_alone(page.etree_element)
        missing = show_missing(page.etree_element, installed_coverage(), lacking)
        document = page.render()
        # The page's own <meta> dates do not count: what the document says of itself is given here.
        about = document.metadata
        about.title, about.generator = title, generator
        about.created = about.modified = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        attached = [
            weasyprint.Attachment(
                string=file.data, name=file.name, description=file.description, created=moment,
                modified=moment, relationship=file.relationship, url_fetcher=page.url_fetcher,
            )
            for file in files
        ]  # fmt: skip
        data = document.write_pdf(
            attachments=attached, pdf_identifier=identifier, pdf_tags=True, finisher=_finisher(files)
        )
    except FatalURLFetchingError as error:
        # A BaseException, so that WeasyPrint itself does not swallow it.
        hint = "a report uses its templates' style sheets only"
        raise RenderError(Diagnostic(Pos(name), "fetch-refused", _printable(str(error)), hint)) from None
    return data, len(document.pages), missing_diagnostics(missing, name)


def _finisher(files: Sequence[Attached]) -> Callable[[Any, Any], None]:
    """What WeasyPrint leaves open outside of PDF/A, as its hook just before the file is written.

    Media types that are not guessed from this machine's tables, and how each attachment relates to the
    document (associated files, ISO 32000-2, 14.13).
    """

    def finish(_document: Any, pdf: Any) -> None:
        import pydyf  # type: ignore[import-untyped]

        if not files:
            return
        names = pdf.objects[int(pdf.catalog["Names"]["EmbeddedFiles"].split()[0])]["Names"]
        pdf.catalog["AF"] = pydyf.Array()
        for file, reference in zip(files, names[1::2], strict=True):
            specification = pdf.objects[int(reference.split()[0])]
            specification["AFRelationship"] = f"/{file.relationship}"
            stream = pdf.objects[int(specification["EF"]["F"].split()[0])]
            stream.extra["Subtype"] = "/" + file.media_type.replace("/", "#2f")
            pdf.catalog["AF"].append(reference)

    return finish
