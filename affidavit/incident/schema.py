"""The incident file's models. The JSON Schema and the guide's reference derive from them.

Values are text here; what they mean is settled when a claim is compiled (affidavit/check/compile.py).
"""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, WithJsonSchema, create_model

from affidavit.check.assertions import ASSERTIONS
from affidavit.incident.fields import Conditions, KeywordModel, Model, OneOrMany, Prose, Reason, Slug, Text
from affidavit.incident.vocabulary import DerivedName, KindName, PositionName, ReportKind, TableName


class Complete(KeywordModel):
    """A declaration that a collection holds everything there is of some scope, over a window.

    It is either sworn (`from`, `until` and `basis`) or derived from what the collection holds (`derived`).
    """

    scope: Text
    """What all of which is held, in words."""
    derived: DerivedName | None = None
    """`log entries`: the window is that over which the collection holds each log's entries without a gap."""
    from_: Text | None = None
    """First day of the window."""
    until: Text | None = None
    """Last day of the window, included."""
    basis: Text | None = None
    """On what grounds: how the collection was made."""
    by: Text | None = None
    """Who declares it."""


class Capture(Model):
    """What is known of an evidence file that it does not say itself."""

    taken: Text | None = None
    """When it was taken: a day in the report's zone, or an instant with Z or an offset."""
    origin: Text | None = None
    """From where: the address asked, the person who sent it."""
    log: Text | None = None
    """The CT log that it is from: its description or URL in a log list, or its log ID in hex."""
    first_index: Text | None = None
    """Index of its first log entry, which an answer to `get-entries` does not hold."""
    tree_size: Text | None = None
    """Size of the log's tree when it was taken."""


class Collection(Model):
    """A named set of evidence files."""

    files: OneOrMany
    """Files or patterns such as `issue-h/*.pem`, below `evidence/<slug>/`."""
    title: Text | None = None
    """What it is, in a few words."""
    note: Prose | None = None
    """Words shown with it (Markdown)."""
    issuers: OneOrMany | None = None
    """Further files whose certificates only help to link others to a trusted one; they are not counted."""
    trust: OneOrMany | None = None
    """Files whose signature makes a certificate evidence, instead of the report's; `mozilla` for the roots that
    certifi ships; or `none`."""
    complete: Complete | None = None
    """Declared completeness: what `only` needs."""
    captures: dict[str, Capture] = Field(default_factory=dict)
    """When and from where single files were taken, by file name."""
    unreadable: dict[str, Reason] = Field(default_factory=dict)
    """Files that are known to be unreadable, each with the reason why they stand here all the same."""


class Document(Model):
    """A document that claims quote: UTF-8 text or Markdown, kept with the evidence and pinned by its hash."""

    file: Text
    """The file, below `evidence/<slug>/`."""
    title: Text
    """What it is, in a few words."""
    by: Text | None = None
    """Whose words it holds."""
    date: Text | None = None
    """When it was sent or published: a day in the report's zone, or an instant with Z or an offset."""
    sha256: Text | None = None
    """SHA-256 of the file in hex. `check` says what to write here; a file that has changed since is an error."""


class Quote(Model):
    """Words of a document."""

    document: Slug
    """The document, by its name under `documents`."""
    text: Text
    """The words as they stand there. White space, quotation marks, dashes and mail quoting are folded; `...` or
    `[...]` stands for words left out."""


# An editor types a plain true or false as a boolean; to us every scalar is text.
_POSITIONS = WithJsonSchema({"enum": [True, False, "true", "false", "unproven"]})


class ClaimBase(Model):
    """One checkable statement, in words and in machine form."""

    says: Text
    """The statement as a sentence. Its figures must be figures that the claim states below."""
    by: Text | None = None
    """Whose statement it is."""
    made: Text | None = None
    """When the statement was made. A time of issuance, logging or revocation that it names cannot lie after."""
    stands: Annotated[PositionName, _POSITIONS] = "true"
    """What the report holds of it: `true`, `false` (shown refuted) or `unproven` (shown to be unknowable)."""
    timezone: Text | None = None
    """Zone of this claim's bare days, instead of the report's."""
    over: OneOrMany | None = None
    """The collection, or collections, that the claim is about."""
    table: TableName = "certificates"
    """The facts table whose rows the claim is about."""
    kind: KindName = "certificate"
    """Whether it is about certificates, precertificates, or `any` of both."""
    where: Conditions | None = None
    """Which rows of the collections: a mapping of column to value, or one SQL expression."""
    note: Prose | None = None
    """Words shown with the claim (Markdown)."""
    unchecked: Reason | None = None
    """Why certificates cannot settle it; instead of assertions."""
    quote: Quote | None = None
    """Words of a pinned document in which the statement was made. That they stand there shows that it was said, not
    that it is so."""
    returns: Text | None = None
    """The value that `sql` is said to return."""


if TYPE_CHECKING:

    class Claim(ClaimBase):
        """A claim with its assertions, each under its key; their types are the assertions' models."""

        def __getattr__(self, name: str) -> Any: ...

else:
    Claim = create_model(
        "Claim",
        __base__=ClaimBase,
        __doc__=ClaimBase.__doc__,
        **{
            assertion.key: (
                assertion.model | None,
                Field(
                    default=None,
                    description=" ".join((assertion.__doc__ or "").split()),
                ),
            )
            for assertion in ASSERTIONS
        },
    )


class Section(Model):
    """A part of the narrative."""

    title: Text
    """Its heading."""
    text: Prose | None = None
    """Markdown; `[words](claim:name)` ties a statement to its claim."""
    file: Text | None = None
    """A Markdown file beside the incident file, instead of `text`."""


class Question(Model):
    """A question, the answer given, and what the evidence shows."""

    asked: Prose
    """The question (Markdown)."""
    by: Text | None = None
    """Who asked."""
    answered: Prose | None = None
    """The answer given (Markdown)."""
    answered_by: Text | None = None
    """Who answered."""
    finding: Prose
    """What the evidence shows (Markdown with claim links)."""


class Event(Model):
    """An entry of the timeline."""

    at: Text
    """A day in the report's zone, or an instant with Z or an offset."""
    text: Prose
    """What happened (Markdown with claim links)."""


class Correction(Model):
    """A published figure that was wrong: what it was, and why it changed."""

    claim: Slug
    """The claim that states it now, or did."""
    date: Text
    """When it was corrected: a day in the report's zone, or an instant with Z or an offset."""
    was: Prose
    """What had been stated (Markdown)."""
    because: Reason
    """How the error came about and was found (Markdown)."""


class Allowed(Model):
    """A figure in the prose that is no fact to be checked."""

    text: Text
    """The figure as it stands in the prose."""
    reason: Reason
    """Why it needs no claim."""


class Suppression(Model):
    """Messages about the report's words, or the report as a whole, that are set aside for a while.

    The report shows them. A claim that is refuted or unproven cannot be set aside, only disputed.
    """

    code: Text
    """The messages' code, as it stands in brackets behind each (docs/codes.md)."""
    reason: Reason
    """Why they are set aside."""
    until: Text
    """The last day of it, a year from now at most; from the next on they count again."""
    claim: Slug | None = None
    """The claim that they are about; all where none is named."""
    text: Text | None = None
    """Words that stand in them; all where none are given."""


class Incident(Model):
    """An incident description: what is stated, and the evidence that it is held against."""

    title: Text
    """Title of the report."""
    kind: ReportKind
    """`preliminary`, `full` or `closure` (CCADB reports), or `analysis` (free form)."""
    date: Text
    """Day of this edition of the report."""
    ca_owner: Text | None = None
    """The CA Owner, as in the CCADB."""
    authors: Annotated[list[Text], Field(default_factory=list)]
    """Who wrote it."""
    timezone: Text = "UTC"
    """IANA name of the zone in which a bare day is meant."""
    evidence_note: Prose | None = None
    """Shown wherever evidence is shown: what it is, and what it is not."""
    trust: OneOrMany | None = None
    """Files whose signature makes a certificate evidence; `mozilla` for the roots that certifi ships; or `none`."""
    ct_logs: OneOrMany | None = None
    """CT log lists (JSON, version 2 or 3) whose keys SCT signatures are verified with."""
    documents: Annotated[dict[Slug, Document], Field(default_factory=dict)]
    """The documents that claims quote, by name."""
    evidence: dict[Slug, Collection]
    """The collections, by name."""
    claims: dict[Slug, Claim]
    """The claims, by name."""
    summary: Prose | None = None
    """The report in short (Markdown with claim links)."""
    sections: Annotated[list[Section], Field(default_factory=list)]
    """The narrative."""
    questions: Annotated[list[Question], Field(default_factory=list)]
    """Questions and answers."""
    timeline: Annotated[list[Event], Field(default_factory=list)]
    """What happened when."""
    corrections: Annotated[list[Correction], Field(default_factory=list)]
    """Figures that an earlier edition stated otherwise. `check --since` asks for one for each that changed."""
    allow: Annotated[list[Allowed], Field(default_factory=list)]
    """Figures in the prose that are no facts to be checked."""
    suppress: Annotated[list[Suppression], Field(default_factory=list)]
    """Messages that are set aside for a while, each with its reason."""
