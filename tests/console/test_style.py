"""Contrast of the console's colours (WCAG 2.2, AA: 4.5 to 1), light and dark."""

import re
from itertools import product
from pathlib import Path

import pytest

from talktime.console import theme

STYLE = (Path(theme.__file__).parent / "static" / "talktime" / "talktime.css").read_text()
PAIRS = [
    *product(["text", "soft", "link", "bad"], ["page", "card"]),
    ("on-accent", "accent"),
    ("good", "good-back"),
    ("bad", "bad-back"),
    ("warn", "warn-back"),
    ("text", "tag-back"),
]
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block))
    for block in re.findall(r":root \{(.*?)\n *\}", STYLE, flags=re.DOTALL)
)


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_words_stand_out_from_what_is_behind_them(scheme, ink, paper):
    lighter, darker = sorted((luminance(scheme[ink]), luminance(scheme[paper])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_the_style_fetches_nothing_from_anywhere():
    assert not re.search(r"url\(|@import|//", STYLE)


def test_no_attribute_has_places_to_break_its_words():
    console = Path(theme.__file__).parent.parent
    broken = [
        f"{page.name}: {found}"
        for page in console.rglob("*.html")
        for found in re.findall(r'[a-z-]+="[^"<>]*\|breakable[^"]*"', page.read_text())
    ]
    assert not broken, "what is sent back would not be what was there"
