import os
import posixpath
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest

from affidavit.render.html import environment, render
from affidavit.render.pages import render_report, report_pages, site_pages
from affidavit.run import Run
from affidavit.types import AffidavitError, Outcome
from tests.render.small import LONG, NOTE, Element, Page, site, small_run
from tests.shipped import shipped

ROOT = Path(__file__).parents[2]
WRITTEN_BY_OTHERS = {"report.pdf", "verdicts.json", "certificates.csv", "incident.yaml"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return small_run(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def files(run: Run) -> dict[str, bytes]:
    return site(run)


@pytest.fixture(scope="module")
def pages(files: dict[str, bytes]) -> dict[str, Page]:
    return {name: Page(content.decode()) for name, content in files.items() if name.endswith(".html")}


@pytest.fixture(scope="module")
def report(pages: dict[str, Page]) -> Page:
    return pages["small/index.html"]


def certificate_page(pages: dict[str, Page], run: Run, name: str, kind: str = "certificate") -> Page:
    rows = run.facts.tables["certificates"].to_pylist()
    digest = next(r["sha256"] for r in rows if name in (r["dns_names"] or []) and r["kind"] == kind)
    return pages[f"small/certificates/{digest}/index.html"]


def test_the_fixture_holds_every_verdict(run):
    outcomes = {name: verdict.outcome for name, verdict in run.verdicts.items()}
    assert outcomes == {
        "two": Outcome.VERIFIED,
        "three": Outcome.REFUTED,
        "unknowable": Outcome.UNPROVEN,
        "unreadable": Outcome.UNPROVEN,
        "letter": Outcome.UNCHECKED,
        "contested": Outcome.REFUTED,
    }
    assert [name for name, verdict in run.verdicts.items() if not verdict.passes] == ["contested"]


def test_a_page_for_every_certificate(run, pages):
    digests = set(run.facts.ders)
    assert len(digests) == 36
    assert {name for name in pages if "/certificates/" in name} == {
        f"small/certificates/{digest}/index.html" for digest in digests
    }


def links_checked(files: dict[str, bytes], pages: dict[str, Page], slug: str, allowed: set[str]) -> int:
    """Assert that every link of every page leads to a file, and to an anchor in it; how many there were."""
    ids = {name: [e.attributes["id"] for e in page.elements if "id" in e.attributes] for name, page in pages.items()}
    known = {name: set(found) for name, found in ids.items()}
    others = {f"{slug}/{other}" for other in WRITTEN_BY_OTHERS}
    checked = 0
    for name, page in pages.items():
        assert len(ids[name]) == len(known[name]), name
        for element in page.elements:
            if "aria-labelledby" in element.attributes:
                assert element.attributes["aria-labelledby"] in known[name]
            href = element.attributes.get("href")
            if href is None or href in allowed:
                continue
            path, _, anchor = href.partition("#")
            assert ":" not in path, href
            assert not path.startswith("/"), href
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            checked += 1
            assert target in files or target in others, f"{name}: {href}"
            if anchor:
                assert anchor in known[target], f"{name}: {href}"
    return checked


def test_every_link_and_anchor_leads_somewhere(files, pages):
    assert links_checked(files, pages, "small", {"https://example.org/"}) > 300


@pytest.mark.parametrize("slug", ["wosign-2016", "real-faults"])
def test_the_reports_that_ship(slug):
    run = shipped(slug)
    files = site(run)
    pages = {name: Page(content.decode()) for name, content in files.items() if name.endswith(".html")}
    assert links_checked(files, pages, slug, set()) > 100
    for name, page in pages.items():
        assert name.startswith("codes/") or list(page.all("aside", "evidence-note")), name
    links = list(pages[f"{slug}/index.html"].all("a", "claim"))
    assert len(links) >= 30
    for element in links:
        name = element.attributes["href"].removeprefix("#claim-")
        assert element.text.endswith(f"({run.verdicts[name].outcome})")


def test_nothing_is_fetched_from_elsewhere_and_nothing_runs(files, pages):
    for name, page in pages.items():
        policy = next(page.all("meta")).attributes
        assert policy.get("charset") == "utf-8"
        policies = [e for e in page.all("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy"]
        assert "default-src 'none'" in policies[0].attributes["content"]
        for element in page.elements:
            forbidden = {"script", "style", "iframe", "object", "embed", "form", "base", "img", "svg", "video"}
            assert element.tag not in forbidden, name
            for key in element.attributes:
                assert not key.startswith("on"), name
                assert key not in ("style", "src", "srcset", "action", "ping"), name
            if element.tag == "link":
                assert not re.match(r"[a-z]+:|/", element.attributes["href"])
    style = files["style.css"].decode()
    assert "url(" not in style
    assert "@import" not in style


def test_the_note_about_the_evidence_stands_on_every_page(pages):
    for name, page in pages.items():
        if name == "codes/index.html":  # it shows no evidence
            continue
        notes = list(page.all("aside", "evidence-note"))
        assert notes, name
        assert NOTE in notes[0].text


def test_headings_go_down_one_level_at_a_time(run, pages):
    for name, page in {**pages, "print": Page(render_report(run, "print"))}.items():
        levels = [int(e.tag[1]) for e in page.elements if re.fullmatch("h[1-6]", e.tag)]
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(after <= before + 1 for before, after in pairwise(levels)), (name, levels)


def test_landmarks_language_and_tables(pages):
    for name, page in pages.items():
        assert page.one("html").attributes["lang"] == "en"
        main = page.one("main")
        skip = page.one("a", "skip-link")
        assert skip.attributes["href"] == f"#{main.attributes['id']}"
        assert skip is next(page.all("a")), name
        assert page.one("title").text
        for table in page.all("table"):
            box = table.ancestors[-1]
            assert "scroll" in box.classes
            assert box.attributes["tabindex"] == "0"
            assert box.attributes["role"] == "region"
            assert box.attributes["aria-label"]
        for cell in page.all("th"):
            assert cell.attributes["scope"] in ("col", "row")


def test_each_linked_figure_carries_its_verdict(report, run):
    links = list(report.all("a", "claim"))
    expected = ["two", "three", "unknowable", "letter", "contested", "two", "two", "two"]
    assert [e.attributes["href"] for e in links] == [f"#claim-{name}" for name in expected]
    shapes = {"verified": "✓", "refuted": "✗", "unproven": "?", "unchecked": "○"}
    for element, name in zip(links, expected, strict=True):
        outcome = str(run.verdicts[name].outcome)
        assert outcome in element.classes
        assert shapes[outcome] in element.text
        assert f"({outcome}" in element.text
    assert [e.attributes["href"] for e in links if "contested" in e.classes] == ["#claim-contested"]


def test_a_verdict_that_is_not_what_the_report_holds_stands_out(report):
    entry = report.one("article", id="claim-contested")
    assert "contested" in entry.classes
    assert "not what the report holds" in entry.text
    assert "Stated: their number is 31. Observed: 30." in entry.text
    assert "not what the report holds" not in report.one("article", id="claim-three").text
    verdicts = report.one("section", "verdicts")
    assert "This report does not pass: 1 verdict of 6 differs from what the report holds" in verdicts.text
    assert "reports/small/incident.yaml:" in verdicts.text


def test_the_tally_counts_in_words_and_shapes(report):
    items = [e.text for e in report.all("li") if any("tally" in a.classes for a in e.ancestors)]
    assert [item.split(" the ")[0].split(" no ")[0] for item in items] == [
        "1 ✓ verified",
        "2 ✗ refuted",
        "2 ? unproven",
        "1 ○ unchecked",
    ]


def test_a_claim_shows_what_it_rests_on(report):
    three = report.one("article", id="claim-three").text
    assert "The report holds that it does not stand." in three
    assert "In the evidence given: main." in three
    assert "Counter-examples" in three
    assert "left out: of the other kind" in three
    assert "FROM certificates" in three
    unknowable = report.one("article", id="claim-unknowable").text
    assert "Declared complete by the CA: all there is, from 2024-01-01 to 2024-03-31. Grounds: an export." in unknowable
    assert "Stated by WoSign, 2024-04-01." in report.one("article", id="claim-two").text
    assert "No certificate records letters." in report.one("article", id="claim-letter").text
    assert "1 item could not be read" in report.one("article", id="claim-unreadable").text


def test_the_report_tells_the_rest(report):
    assert "Asked by a reviewer" in report.text
    assert "Answered by the CA" in report.text
    events = [e.text for e in report.all("p", "when")]
    # The instant lies before the day in Shanghai, which begins at 16:00 UTC of the day before.
    assert events == [
        "2024-01-01 08:00:30 Asia/Shanghai 2024-01-01 00:00:30 UTC",
        "Tuesday 2024-01-02 from 2024-01-01 16:00 UTC",
    ]
    assert "Main collection" in report.text
    assert "What could not be read" in report.text
    assert "broken.pem, item 1" in report.text


def test_foreign_text_is_shown_and_does_nothing(run, report, pages):
    for page in (report, certificate_page(pages, run, "hostile.example")):
        assert not list(page.all("script"))
        shown = "<script>alert(1)</script><U+202E><U+001B>[31m<U+200B>gro.elpmaxe"
        assert shown in page.text
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u200b]", page.html)
        holders = [e for e in page.all("bdi") if shown in e.text]
        assert holders
    assert "A small report & <b>its</b> title" in report.one("h1").text
    assert not list(report.all("b"))


def test_a_megabyte_is_cut(run, report, pages):
    page = certificate_page(pages, run, "long.example")
    assert len(page.html) < 60_000
    # The subject is `O=` and the long value: 2,000 characters of it are shown.
    assert f"... ({len(LONG) + 2 - 2000:,} more characters)" in page.text
    assert "too many to repeat here" in page.text
    assert "... (" in report.text
    assert len(report.html) < 300_000


def test_a_certificate_page(run, pages):
    page = certificate_page(pages, run, "paired.example")
    # 90 days, both ends included.
    assert "7,776,000 s 90 days, both ends included" in page.text
    assert "2024-01-01 00:00:00 UTC 2024-01-01 08:00:00 Asia/Shanghai" in page.text
    assert "Small Log" in page.text
    assert "✓ valid" in page.text
    assert "Its precertificate" in page.text
    assert "Its certificate" in certificate_page(pages, run, "paired.example", "precertificate").text
    assert "Not listed in the revocation lists of its issuer that are given: list.crl" in page.text
    text = next(e for e in page.all("pre")).text
    assert text.startswith("-----BEGIN CERTIFICATE----- MI")
    hostile = certificate_page(pages, run, "hostile.example").text
    assert re.search(r"Listed as revoked at 2024-02-01 00:00:00 UTC .*, reason keyCompromise, in list.crl", hostile)
    assert "2 certificates are hostile." in hostile
    assert "31 certificates are there." not in hostile
    assert "31 certificates are there." in certificate_page(pages, run, "m07.example").text


def test_print_has_a_cover_nothing_folded_and_short_tables(run, report):
    page = Page(render_report(run, "print"))
    sections = [e for e in page.elements if e.tag in ("section", "nav", "main") and len(e.ancestors) == 2]
    assert [(e.tag, e.classes) for e in sections] == [("section", ["cover"]), ("nav", ["contents"]), ("main", [])]
    assert not list(page.all("details"))
    assert list(report.all("details"))
    assert [e.attributes["href"] for e in page.all("link")] == ["print.css"]
    assert "The first 25 of 30; full list attached: certificates.csv." in page.text
    assert "m24.example" in page.text or "m25.example" in page.text
    assert "full list" not in report.text
    assert page.one("p", "running-note").text == "Made for a test"


def test_the_same_bytes_in_every_process(run, files):
    assert site(run) == files
    seeds = [
        subprocess.run(
            [sys.executable, "-m", "tests.render.small"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(seeds[0]) == 65
    assert seeds[0] == seeds[1]


def test_the_list_of_reports(pages):
    page = pages["index.html"]
    assert page.one("h2").text == "A small report & <b>its</b> title"
    assert "Analysis" in page.text
    assert "6 May 2024" in page.text
    assert "This report does not pass" in page.text


def test_the_feed_is_atom(files):
    feed = ET.fromstring(files["feed.xml"])
    atom = "{http://www.w3.org/2005/Atom}"
    assert feed.tag == f"{atom}feed"
    entries = feed.findall(f"{atom}entry")
    assert len(entries) == 1
    texts = []
    for element in (feed, entries[0]):
        for name in ("id", "title", "updated"):
            found = element.findall(f"{atom}{name}")
            assert len(found) == 1
            texts.append(found[0].text or "")
    assert texts[1:3] == ["Reports", "2024-05-05T16:00:00Z"]
    # The day begins in Shanghai.
    assert texts[4:] == ["A small report & <b>its</b> title", "2024-05-05T16:00:00Z"]
    assert texts[0].startswith("urn:uuid:")
    assert texts[3].startswith("urn:uuid:")
    assert texts[0] != texts[3]


def test_a_site_without_reports():
    files = dict(site_pages([]))
    assert "There is no report yet." in Page(files["index.html"].decode()).text
    ET.fromstring(files["feed.xml"])


def test_templates_of_ones_own_come_first(run, tmp_path):
    (tmp_path / "style.css").write_text("body { color: red }\n")
    (tmp_path / "certificate.html").write_text("{{ certificate.name }}")
    files = dict(report_pages(run, [tmp_path]))
    assert any(content.startswith(b"<bdi>paired.example</bdi>") for content in files.values())
    assert dict(site_pages([run], [tmp_path]))["style.css"] == b"body { color: red }\n"


def test_a_template_that_changes_is_read_anew(tmp_path):
    template = tmp_path / "odd.txt"
    for words in ("one", "two", "one"):
        template.write_text(words)
        os.utime(template, (0, 0))  # its size and its time say nothing of the change
        assert render(environment([tmp_path]), "odd.txt") == words


def test_templates_escape_always_and_miss_nothing(tmp_path):
    (tmp_path / "odd.txt").write_text("{{ text }}")
    env = environment([tmp_path])
    assert render(env, "odd.txt", text="<b>") == "&lt;b&gt;"
    (tmp_path / "bad.html").write_text("line\n{{ missing.name }}")
    with pytest.raises(AffidavitError, match=r"templates/bad\.html"):
        render(env, "bad.html")
    (tmp_path / "worse.html").write_text("line\n{% if %}")
    with pytest.raises(AffidavitError, match=r"templates/worse\.html:2"):
        render(env, "worse.html")


def test_the_parser_of_these_tests_sees_what_is_wrong():
    with pytest.raises(AssertionError, match="closes"):
        Page("<html><p><b></p></html>")
    page = Page("<html><a class='x y' href='#z'>one <i>two</i></a></html>")
    link: Element = page.one("a", "y")
    assert link.text == "one two"
