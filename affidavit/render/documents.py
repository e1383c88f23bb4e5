"""Documents and the quotes of claims as pages show them."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from affidavit.render.text import foreign, words
from affidavit.render.values import Table, digest_cell
from affidavit.run import Run
from affidavit.types import Quoted


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A claim's quote: its words, whose document it is and where they stand in it; or what is nearest to them."""

    text: Markup
    source: Markup
    place: Markup
    passage: Markup
    found: bool


def quote_view(quoted: Quoted | None) -> QuoteView | None:
    """A quote for the entry of its claim; the passage is shown where it differs from the quoted words."""
    if quoted is None:
        return None
    source = words(quoted.title)
    if quoted.by:
        source += Markup(", {}").format(words(quoted.by))
    if quoted.date:
        source += Markup(", {}").format(foreign(quoted.date))
    file = Markup("<code>{}</code>").format(foreign(quoted.file, 300))
    if quoted.line is None:
        place = Markup("{} holds nothing like it").format(file)
    elif quoted.last_line and quoted.last_line != quoted.line:
        place = Markup("{}, lines {} to {}").format(file, f"{quoted.line:,}", f"{quoted.last_line:,}")
    else:
        place = Markup("{}, line {}").format(file, f"{quoted.line:,}")
    same = " ".join(quoted.text.split()) == quoted.passage
    return QuoteView(words(quoted.text), source, place, words("" if same else quoted.passage), quoted.found)


def documents_table(run: Run) -> Table | None:
    """The documents of a report, each with the hash that pins it and the claims that quote it."""
    documents = run.report.documents
    if not documents:
        return None
    quoting: dict[str, list[str]] = {name: [] for name in documents}
    for name, verdict in run.verdicts.items():
        if verdict.quoted is not None:
            quoting[verdict.quoted.document].append(name)

    def claims(name: str) -> Markup:
        links = (Markup('<a href="#claim-{0}">{0}</a>').format(claim) for claim in quoting[name])
        return Markup(", ").join(links) or Markup("no claim")

    body = tuple(
        (
            Markup('{}<span class="under">{}</span>').format(
                words(one.title), words(", ".join(part for part in (one.by, one.date) if part))
            ),
            Markup('{}<span class="under">{} octets</span>').format(foreign(one.file, 300), escape(f"{one.octets:,}")),
            claims(name),
            digest_cell(one.sha256),
        )
        for name, one in documents.items()
    )  # fmt: skip
    columns = ("Document", "File", "Quoted by", "SHA-256")
    return Table("Documents", columns, body, ("w-file", "w-part", "w-part", "w-hash"), total=len(body))
