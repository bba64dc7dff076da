"""What a field of a CSV file may be, for whoever opens it in a spreadsheet."""

import re

FORMULA_BEGINS = frozenset("=+-@\t\r")
PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?|\+[0-9]*\*+")


def safe_text(text: str) -> str:
    """A field that no spreadsheet takes for a formula: what begins like one gets an apostrophe.
    Numbers stay numbers.

    >>> safe_text("=HYPERLINK(1)"), safe_text("+4722001122"), safe_text("-0.02")
    ("'=HYPERLINK(1)", '+4722001122', '-0.02')
    >>> safe_text("+4722001***"), safe_text("+1+cmd")
    ('+4722001***', "'+1+cmd")
    """
    return f"'{text}" if _looks_like_a_formula(text.lstrip("'")) else text


def bare_text(text: str) -> str:
    """What `safe_text` made a field of, read again.

    >>> bare_text("'=HYPERLINK(1)"), bare_text(safe_text("'=1+1")), bare_text("'s-Hertogenbosch")
    ('=HYPERLINK(1)', "'=1+1", "'s-Hertogenbosch")
    """
    quoted = text.startswith("'") and _looks_like_a_formula(text.lstrip("'"))
    return text[1:] if quoted else text


def _looks_like_a_formula(text: str) -> bool:
    return text[:1] in FORMULA_BEGINS and not PLAIN.fullmatch(text)
