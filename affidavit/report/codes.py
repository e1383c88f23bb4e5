"""Every code of a message, with what it means and what to do: declared once; docs/codes.md and SARIF's rules follow.

A code never changes its meaning. Each assertion's key is a code, too: that of a claim which it refutes.
"""

from typing import NamedTuple

from affidavit.check.assertions import ASSERTIONS


class Code(NamedTuple):
    """A code: what the message is about, in a sentence, and what to do about it."""

    name: str
    means: str
    todo: str


_DECLARED = (
    # What evidence says of claims.
    Code("refuted", "The evidence contradicts the claim.",
         "Correct the statement, or say `stands: false` if the report disputes it."),
    Code("unproven", "The evidence neither bears the claim out nor contradicts it.",
         "Add the evidence that is missing, or say `stands: unproven`."),
    Code("verified", "The evidence bears out a claim that the report disputes.",
         "Remove `stands`, or state what was meant."),
    Code("unchecked", "Certificates cannot settle the claim.", "Nothing; the report shows it apart, with its reason."),
    Code("no-evidence", "There is no row to look at, or a collection has no files.",
         "Name the files, or correct the collection."),
    Code("not-authentic", "No signature leads from the rows to a certificate that the collection trusts.",
         "Add the issuers under `trust`, or say `trust: none` and why."),
    Code("other-kind", "The rows are precertificates where certificates were asked for, or the other way round.",
         "Say `kind:` if they are meant."),
    Code("undecided-rows", "A column that `where` needs has no value in some rows: it is open whether they are meant.",
         "Ask for `present` or `absent`, or narrow the claim."),
    Code("empty-scope", "No row is left after `where`; nothing is verified by absence.",
         "Correct `where`, or state `count: 0`."),
    Code("nothing-checked", "No assertion of the claim came to a finding.", "State what is to hold."),
    Code("half-read", "A certificate among the evidence could be read in part only, and the claim needs the rest.",
         "See the table `problems` for what failed."),
    Code("half-read-null", "The claim asks for what is missing, and a certificate was read in part only.",
         "See the table `problems` for what failed."),
    Code("null-values", "Some rows have no value to compare.", "Narrow the claim to rows that have one."),
    Code("unreadable-evidence", "Files of the claim's collections could not be read.",
         "Repair them, or list them under `unreadable` with the reason."),
    Code("limit-reached", "The check was stopped at a limit of time or memory.", "Simplify the expression."),
    Code("check-failed", "The check itself failed.", "Report it: it is a fault of the program."),
    Code("impossible-date", "A statement tells as past what lies after the statement itself.", "Correct the date."),
    Code("backward-gap", "The two times stand the other way round.", "Exchange `from` and `to`."),
    Code("single-row", "One row alone cannot agree or differ.", "Widen the claim, or state `count: 1`."),
    Code("no-partners", "No row of the other collection has the same values.", "Check `with` and `by`."),
    Code("no-rows", "The query gives no row.", "Correct the query."),
    Code("not-comparable", "What the query returns cannot be compared with what is stated.", "Correct `returns`."),
    Code("entries-differ", "Revocation lists disagree about a certificate.", "Say which of them is meant."),
    Code("not-listed", "No revocation list of the certificate's issuer names it.", "Add the CRL or OCSP response."),
    Code("linter-missing", "pkilint is to be run and is not installed.",
         "Install it: `pip install 'affidavit[lint]'`."),
    Code("no-lint-result", "Some certificates have no result of the linter about the rule.",
         "Add zlint's results; for pkilint see the table `problems`."),
    Code("lints-differ", "Linters' results about a certificate and rule differ, or tell nothing.",
         "Say which `version` and `profile` are meant."),
    Code("not-complete", "The collection is not declared complete.", "Declare `complete`, with its basis."),
    Code("not-derived", "The evidence does not show that the collection is complete.",
         "Add the missing captures, or declare `complete`."),
    Code("outside-window", "What is counted lies outside the window over which nothing else is said to exist.",
         "Count the rows of the window by `where`, or widen the window."),
    Code("window-not-covered", "The claim reaches past the days for which the collection is complete.",
         "Look at the days that are named, or narrow the claim."),
    # Words and quotes.
    Code("figure-not-stated", "A figure in words is none that the claim states in machine form.",
         "Correct the words or the claim."),
    Code("figure-not-said", "A claim states a figure that its sentence, which gives others, does not say.",
         "Say it, or state it in a claim of its own."),
    Code("loose-fact", "A figure in prose is tied to no claim.",
         "Tie it to a claim, or list it under `allow` with the reason."),
    Code("unused-allow", "What `allow` lists stands nowhere loose in the prose.", "Remove it."),
    Code("quote-not-found", "The quoted words do not stand in the document.", "Quote it letter for letter."),
    Code("quote-differs", "The quote's figures are others than the claim's.", "State what is quoted."),
    Code("empty-quote", "A quote without words.", "Quote a passage."),
    Code("document-changed", "A pinned document has another hash than stated.",
         "Find out what changed; pin the version that was quoted."),
    Code("not-pinned", "A document has no `sha256`.", "Add the hash that the message names."),
    Code("made-after-document", "A claim is said to be made after the document that it is quoted from.",
         "Correct `made`."),
    Code("hosts-not-checked", "The host names in the report's words were not looked for.", "Shorten the report."),
    # The report against itself.
    Code("timeline-order", "The timeline is out of order.", "Put the event in its place, or correct its time."),
    Code("event-after-report", "An event lies after the report's own date.", "Correct one of the two dates."),
    Code("made-after-report", "A statement was made after the report that holds it.", "Correct one of the two dates."),
    Code("claims-contradict", "Two claims count the same rows differently.", "Correct one, or dispute one."),
    Code("slip-of-the-pen", "A serial number or fingerprint is one digit off from one of the evidence.",
         "Say which of the two is meant."),
    Code("before-the-ca", "A stated event lies before the issuing CA existed.", "Correct the date."),
    Code("consistency-not-checked", "The report was not fully held against itself.", "Narrow the report."),
    Code("unexplained-change", "A published figure changed, and no correction explains it.",
         "Add an entry under `corrections`."),
    Code("needless-correction", "A correction explains a change that there is not.", "Remove it."),
    Code("bad-edition", "The earlier edition cannot be read.", "Name a revision, or a published verdicts.json."),
    Code("suppression-expired", "A message was set aside until a day that has passed.",
         "Repair what it set aside, or give it a new day."),
    Code("not-suppressible", "A message is set aside that words with a verdict beside them depend on.",
         "Correct the words or the claim."),
    Code("suppression-too-long", "A message is set aside for more than a year.", "Name an earlier day."),
    Code("unused-suppression", "No message is there that a suppression sets aside.", "Remove it."),
    # The incident file.
    Code("not-yaml", "The file is no YAML.", "Correct the line that is named."),
    Code("empty-file", "The file is empty.", "docs/guide.md shows how to write one."),
    Code("many-documents", "The file holds more than one YAML document.", "Write one report a file."),
    Code("not-a-mapping", "A mapping of keys to values is wanted.", "Write `key: value`."),
    Code("duplicate-key", "A key stands twice: one of the two would be lost.", "Remove one."),
    Code("bad-key", "A key is no plain text.", "Write a name."),
    Code("yaml-tag", "YAML tags are not read.", "Write the value without its tag."),
    Code("unknown-alias", "A YAML alias without an anchor.", "Write the value out."),
    Code("alias-loop", "A YAML alias that holds itself.", "Write the value out."),
    Code("alias-bomb", "YAML aliases that unfold to too much.", "Write the values out."),
    Code("too-deep", "Values are nested too deeply.", "Simplify the file."),
    Code("unknown-key", "There is no such key.", "See docs/reference.md."),
    Code("missing-key", "A key that is needed is missing.", "Add it."),
    Code("bad-value", "A value is not of the form that its key wants.", "See docs/reference.md."),
    Code("bad-name", "A name has characters that names may not have.", "Use letters, digits and hyphens."),
    Code("bad-time", "A time cannot be understood.", "Write 2016-01-04, or 2016-01-04T12:00Z with its zone."),
    Code("unknown-timezone", "There is no such time zone.", "Write a name of the IANA database."),
    Code("no-claims", "The report has no claims.", "State at least one."),
    Code("no-value", "A value is missing.", "Write one."),
    Code("no-trust", "A collection does not say whose signatures it trusts.",
         "Write `trust:` with the roots' files, `mozilla`, or `none`."),
    Code("bad-trust", "What `trust` names holds no certificate.", "Name the issuers' files."),
    Code("bad-condition", "A condition cannot be understood.", "See docs/reference.md."),
    Code("bad-assertion", "An assertion cannot be understood.", "See docs/reference.md."),
    Code("bad-expression", "An expression is not allowed, or cannot be run.", "See docs/guide.md, expressions."),
    Code("sql-returns", "`sql` and `returns` do not fit each other.", "State what the query is to return."),
    Code("no-assertion", "A claim states nothing that can be checked.", "Add an assertion, or `unchecked` and why."),
    Code("no-collection", "A claim does not say which collection it is about.", "Add `over`."),
    Code("unknown-collection", "There is no such collection.", "Correct the name."),
    Code("unknown-document", "There is no such document.", "Correct the name."),
    Code("unknown-claim", "There is no such claim.", "Correct the name."),
    Code("report-exists", "A report or evidence of that name is there already.", "Choose another name, or edit it."),
    Code("unknown-report", "There is no such report.", "Correct the name."),
    Code("no-reports", "There is no report.",
         "`affidavit new REPORT --from FOLDER` drafts one; docs/guide.md shows how to write one."),
    Code("total-over", "`total` and `over` do not go together.", "Let each part say what it is about."),
    Code("total-where", "`total` and `where` do not go together.", "Let each part say what it is about."),
    Code("unchecked-and-checked", "A claim is both `unchecked` and checked.", "Remove one of the two."),
    Code("unchecked-position", "A claim that is unchecked cannot be disputed.", "Remove `stands`."),
    Code("section-text", "A section has neither a text nor questions.", "Write one of them."),
    Code("not-yet", "What is asked for is not there yet.", "See the message."),
    # Files.
    Code("no-files", "No file matches.", "See the names in the message."),
    Code("no-evidence-folder", "The report has no folder of evidence.", "Make it."),
    Code("bad-pattern", "A pattern of file names is not allowed.", "Write it relative to the evidence folder."),
    Code("bad-file-name", "A file's name cannot be shown or referred to.", "Rename the file."),
    Code("path-leaves-folder", "A path leads out of the report's folder.", "Copy the file into it."),
    Code("file-missing", "The file is not there.", "Correct the name."),
    Code("file-unreadable", "The file cannot be read.", "See the reason in the message."),
    Code("file-too-large", "The file is larger than is read.", "Split it."),
    Code("too-many-files", "More files than are read.", "Narrow the pattern, or put them into an archive."),
    Code("not-a-file", "Not a regular file.", "Name a file."),
    Code("not-one-file", "Exactly one file is wanted.", "Name it in full."),
    Code("not-a-text", "A document is no text in UTF-8.", "Save it as plain text."),
    Code("not-unreadable", "A file is listed as `unreadable`, and can be read.", "Remove it from the list."),
    Code("no-such-capture", "`captured` names a file that is not among the evidence.", "Correct the name."),
    Code("private-key", "A file holds a private key; evidence is published.",
         "Remove the key, and treat it as compromised if it was shared."),
    Code("bad-log-list", "The CT log list cannot be read.", "Take a log list of version 2 or 3."),
    Code("report-gone", "A report of the earlier edition is no longer there.",
         "Put it back, and let it tell what was withdrawn."),
    # Building.
    Code("bad-template", "A template cannot be rendered.", "Correct the template."),
    Code("fetch-refused", "A page asked for something outside it.", "Nothing is fetched; remove the reference."),
    Code("no-fontconfig", "Fonts cannot be looked up.", "Install fontconfig."),
    Code("no-glyph", "No installed font has a character.", "Install the font that the message names."),
    Code("render", "The PDF's renderer had something to say.", "See the message."),
    Code("not-a-site", "The output folder holds what no build wrote.", "Name another folder."),
    Code("not-written", "The output could not be written.", "See the reason in the message."),
    Code("bad-source-date-epoch", "SOURCE_DATE_EPOCH is no number of seconds.", "Correct or unset it."),
    # Policies.
    Code("bad-settings", "The project's settings cannot be understood.", "See docs/ci.md, settings."),
    Code("bad-baseline", "The baseline cannot be read.", "Write it anew with --write-baseline."),
    Code("stale-baseline", "The baseline lists what is no longer there.", "Write it anew with --write-baseline."),
)  # fmt: skip


def codes() -> dict[str, Code]:
    """All codes by name, in the order of their declaration; assertions' keys last."""
    found = {code.name: code for code in _DECLARED}
    for assertion in ASSERTIONS:
        first = " ".join((assertion.__doc__ or "").strip().split("\n\n")[0].split())
        found.setdefault(
            assertion.key,
            Code(assertion.key, f"The assertion `{assertion.key}` does not hold: {first}",
                 "Compare what was stated with what was observed, and correct one of the two."),
        )  # fmt: skip
    return found


def code_of(name: str) -> Code:
    """A code's declaration; for one that nobody declared, a plain one."""
    return codes().get(name, Code(name, f"A message of the kind {name}.", "See the message."))


def codes_markdown() -> str:
    """The text of ``docs/codes.md``."""
    lines = ["# Codes of messages", "", "<!-- Generated by `make generate`; do not edit. -->", ""]
    lines += [
        "Each message ends with its code in brackets. SARIF, JUnit and the other formats carry the same codes.",
        "",
    ]
    for code in codes().values():
        lines += [f"## {code.name}", "", code.means, "", f"*What to do:* {code.todo}", ""]
    return "\n".join(lines).rstrip() + "\n"
