"""Contrasts of the palette: text 4.5:1, what marks a verdict 4.5:1 as well (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

from affidavit.render.phrases import MEANINGS, SHAPES
from affidavit.types import Outcome

STYLE = (Path(__file__).parents[2] / "templates" / "style.css").read_text()


def palettes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", STYLE, re.DOTALL)[:2]
    return {
        name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for name, block in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_formula():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    # The grey that guides name as the lightest that passes on white.
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "raised", "caution-paper"])
@pytest.mark.parametrize("ink", ["ink", "muted", "link", "verified", "refuted", "unproven", "unchecked", "caution"])
def test_text_can_be_read(scheme, ground, ink):
    palette = palettes()[scheme]
    assert contrast(palette[ink], palette[ground]) >= 4.5


def test_every_verdict_has_a_shape_and_a_word_of_its_own():
    assert len(set(SHAPES.values())) == len(Outcome)
    assert len(set(MEANINGS.values())) == len(Outcome)


def test_it_is_made_for_print_dark_and_narrow():
    for query in (
        "@media print",
        "prefers-color-scheme: dark",
        "max-width: 40rem",
        ":focus-visible",
        ".skip-link:focus",
    ):
        assert query in STYLE
    assert STYLE.count("{") == STYLE.count("}")
