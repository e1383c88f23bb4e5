"""A checked report in a notebook: its verdicts as a table."""

from markupsafe import Markup, escape

from affidavit.run import Run
from affidavit.shown import visible

MOST = 200
"""So many claims are shown; of more, only how many there are is said."""


def verdicts_table(run: Run) -> Markup:
    """The verdicts, a row a claim: name, sentence, verdict, what was observed. Nothing of the evidence is markup."""
    rows = Markup("").join(_row(run, name) for name in list(run.verdicts)[:MOST])
    left = len(run.verdicts) - MOST
    more = Markup("<p>{} further claims</p>").format(f"{left:,}") if left > 0 else ""
    head = Markup("<tr><th>claim</th><th>says</th><th>verdict</th><th>observed</th></tr>")
    return Markup("<p>{}</p><table><thead>{}</thead><tbody>{}</tbody></table>{}").format(
        repr(run)[1:-1], head, rows, more
    )


def _row(run: Run, name: str) -> Markup:
    verdict = run.verdicts[name]
    held = "" if verdict.passes else ", and the report holds otherwise"
    observed = "; ".join(finding.observed for finding in verdict.findings if finding.observed)
    cells = (name, visible(run.report.incident.claims[name].says), f"{verdict.outcome}{held}", visible(observed, 300))
    return Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(escape(cell)) for cell in cells))
