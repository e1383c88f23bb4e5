"""Quotes: the words of a claim's ``quote`` looked for in the document that it names.

A document proves that somebody said it, never that it is so: a quote that is found verifies nothing by itself. One that
is not found leaves its claim unproven, whatever else holds, since nobody is shown to have stated it.
"""

from dataclasses import dataclass

from affidavit.check.base import Figures
from affidavit.incident.documents import Document
from affidavit.types import Finding, Outcome, Pos, Quoted

KEY = "quote"


@dataclass(frozen=True)
class Quotation:
    """A claim's quote, with the document that it is of and the place of its words in the incident file."""

    document: Document
    text: str
    pos: Pos

    @property
    def stated(self) -> str:
        """What is looked for, and where."""
        return f"“{self.text}” stands in {self.document.title}"

    @property
    def figures(self) -> Figures:
        """The figures of its words."""
        return Figures(texts=(self.text,))

    def look(self) -> tuple[Finding, Quoted]:
        """Whether the words stand in the document: the finding, and what there is to show."""
        document = self.document
        passage = document.words.find(self.text)
        if passage is None:
            near = document.words.nearest(self.text)
            quoted = self._quoted(near.line if near else None, None, near.text if near else "", found=False)
            if near is None:
                observed, hint = f"{document.file} holds nothing like it", ""
            else:
                observed = f"nearest to it is line {near.line:,} of {document.file}: “{near.text}”"
                hint = "; ".join(near.differences)
            return Finding(KEY, Outcome.UNPROVEN, self.stated, observed, hint, "quote-not-found", self.pos), quoted
        lines = f"line {passage.line:,}"
        if passage.last_line != passage.line:
            lines = f"lines {passage.line:,} to {passage.last_line:,}"
        observed = f"{lines} of {document.file}"
        hint = ""
        if passage.left_out:
            observed += f": “{passage.text}”"
            if passage.denial_left_out:
                hint = "the words that the quote leaves out deny something: read them"
        finding = Finding(KEY, Outcome.VERIFIED, self.stated, observed, hint, "", self.pos)
        return finding, self._quoted(passage.line, passage.last_line, passage.text, found=True)

    def _quoted(self, line: int | None, last_line: int | None, passage: str, *, found: bool) -> Quoted:
        one = self.document
        return Quoted(
            one.name, one.title, one.by, one.date, one.file, one.sha256, self.text, found, line, last_line, passage
        )
