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
    if text[:1] in FORMULA_BEGINS and not PLAIN.fullmatch(text):
        return f"'{text}"
    return text
