"""The words in which verdicts, assertions and counts are told to readers."""

from collections.abc import Mapping
from types import MappingProxyType

from affidavit.render.text import plural
from affidavit.types import Basis, Counts, Outcome, Position, Tally

SHAPES: Mapping[Outcome, str] = MappingProxyType(
    {Outcome.VERIFIED: "\u2713", Outcome.REFUTED: "\u2717", Outcome.UNPROVEN: "?", Outcome.UNCHECKED: "\u25cb"}
)
"""A shape for each verdict, so that none is told by its colour alone."""

MEANINGS: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.VERIFIED: "the evidence agrees",
        Outcome.REFUTED: "the evidence disagrees",
        Outcome.UNPROVEN: "the evidence cannot tell",
        Outcome.UNCHECKED: "no certificate settles it",
    }
)

POSITIONS: Mapping[Position, str] = MappingProxyType(
    {
        Position.TRUE: "that it stands",
        Position.FALSE: "that it does not stand",
        Position.UNPROVEN: "that it cannot be known",
    }
)
"""What the report holds of a claim."""

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "preliminary": "Preliminary incident report",
        "full": "Full incident report",
        "closure": "Closure summary",
        "analysis": "Analysis",
    }
)

ASSERTIONS: Mapping[str, str] = MappingProxyType(
    {
        "count": "Number",
        "distinct": "Different values",
        "same": "One shared value",
        "every": "Every one",
        "none": "None",
        "some": "At least one",
        "earliest": "Earliest",
        "latest": "Latest",
        "between": "Between",
        "total": "Total of parts",
        "only": "Nothing else",
        "identical_except": "Identical but for",
        "pairs": "Counterparts",
        "revoked": "Revocation",
        "gap": "Time between",
        "violates": "Linter's rule",
        "sql": "Query",
        "made": "Date of the statement",
        "quote": "Quote",
        "evidence": "Evidence",
        "check": "The check",
        "unchecked": "Not checked",
    }
)

STATEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "count": "their number is {}",
        "every": "every one has {}",
        "none": "none has {}",
        "some": "some have {}",
        "total": "the parts make up {}",
    }
)
"""How what an assertion states is told in a sentence; as it is where the assertion is not named."""

ROWS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "certificates": ("certificate", "certificates"),
        "scts": ("SCT", "SCTs"),
        "crls": ("revocation list", "revocation lists"),
        "revocations": ("entry of a revocation list", "entries of revocation lists"),
        "ocsp": ("OCSP answer", "OCSP answers"),
        "log_entries": ("log entry", "log entries"),
        "lists": ("row of a list", "rows of lists"),
        "lints": ("linter's result", "linters' results"),
        "pairs": ("pair", "pairs"),
        "names": ("name attribute", "name attributes"),
        "extensions": ("extension", "extensions"),
        "sources": ("file", "files"),
        "problems": ("problem", "problems"),
    }
)
"""What a row of each table is, one and many."""

EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        "2.5.29.9": "Subject directory attributes",
        "2.5.29.14": "Subject key identifier",
        "2.5.29.15": "Key usage",
        "2.5.29.16": "Private key usage period",
        "2.5.29.17": "Subject alternative name",
        "2.5.29.18": "Issuer alternative name",
        "2.5.29.19": "Basic constraints",
        "2.5.29.30": "Name constraints",
        "2.5.29.31": "CRL distribution points",
        "2.5.29.32": "Certificate policies",
        "2.5.29.33": "Policy mappings",
        "2.5.29.35": "Authority key identifier",
        "2.5.29.36": "Policy constraints",
        "2.5.29.37": "Extended key usage",
        "2.5.29.46": "Freshest CRL",
        "2.5.29.54": "Inhibit anyPolicy",
        "1.3.6.1.5.5.7.1.1": "Authority information access",
        "1.3.6.1.5.5.7.1.3": "Qualified certificate statements",
        "1.3.6.1.5.5.7.1.11": "Subject information access",
        "1.3.6.1.5.5.7.1.24": "TLS feature",
        "1.3.6.1.4.1.11129.2.4.2": "Signed certificate timestamps",
        "1.3.6.1.4.1.11129.2.4.3": "Precertificate poison",
        "2.16.840.1.113730.1.1": "Netscape certificate type",
        "2.16.840.1.113730.1.13": "Netscape comment",
    }
)
"""Names of extensions (RFC 5280 4.2, RFC 6962 3)."""


def rows(table: str, number: int) -> str:
    """``313 certificates``."""
    return plural(number, *ROWS[table])


def passing_words(tally: Tally) -> str:
    """One sentence: whether the report passes."""
    if tally.failing:
        verb = "differs" if tally.failing == 1 else "differ"
        return (
            f"This report does not pass: {plural(tally.failing, 'verdict')} of {tally.total:,} {verb} from what the "
            "report holds of the claim."
        )
    if tally.total == 1:
        return "This report passes: its one verdict is what the report holds of the claim."
    return f"This report passes: each of the {tally.total:,} verdicts is what the report holds of the claim."


def quoted_words(refuted: int, unproven: int) -> str:
    """What refuted and unproven claims are doing in a report that holds just that; empty if there are none."""
    kinds = []
    if refuted:
        kinds.append(f"{plural(refuted, 'statement is', 'statements are')} quoted here in order to be refuted")
    if unproven:
        verb = (
            "in order to show that it cannot be known"
            if unproven == 1
            else "in order to show that they cannot be known"
        )
        kinds.append(f"{unproven:,} {verb}")
    if not kinds:
        return ""
    last = "that verdict is" if refuted + unproven == 1 else "those verdicts are"
    return f"{', and '.join(kinds)}; {last} what the report says of them."


def documented_words(number: int) -> str:
    """How many unchecked claims are quoted from documents, and what that shows; empty if none is."""
    if not number:
        return ""
    verb = "is" if number == 1 else "are"
    return (
        f"{plural(number, 'statement')} of what no certificate settles {verb} quoted from a pinned document: that "
        "shows that somebody said it, not that it is so."
    )


def held_words(position: Position, passes: bool, outcome: Outcome, *, documented: bool = False) -> str:
    """What the report holds of the claim, beside what the verdict is."""
    held = POSITIONS[position]
    if not passes:
        return f"{held}; the verdict does not bear that out"
    if documented:
        return f"{held}, on the word of the document that it quotes"
    if outcome is Outcome.UNCHECKED:
        return f"{held}, on its author\u2019s word"
    return held


def left_out(counts: Counts, table: str) -> list[str]:
    """The rows that a verdict leaves aside, and why; one phrase each."""
    found = []
    if counts.not_authentic:
        words = f"{rows(table, counts.not_authentic)} left out: no signature leads to a trusted certificate"
        found.append(words)
    if counts.other_kind:
        found.append(f"{rows(table, counts.other_kind)} left out: of the other kind (precertificate or certificate)")
    if counts.copies:
        found.append(f"{plural(counts.copies, 'further copy', 'further copies')} of the same, counted once")
    if counts.undecided:
        found.append(f"{rows(table, counts.undecided)} undecided: it is open whether the claim is about them")
    if counts.unreadable:
        found.append(f"{plural(counts.unreadable, 'item')} could not be read")
    if counts.excused:
        found.append(f"{plural(counts.excused, 'item')} could not be read, for a reason that the author gives")
    return found


def basis_words(basis: Basis) -> str:
    """What a verdict rests on, as a phrase."""
    return basis.words[:1].upper() + basis.words[1:]
