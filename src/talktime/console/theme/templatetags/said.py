"""`{{ text|said }}`: what the rules wrote, in the reader's language; English is marked as such.
`{{ text|breakable }}`: an address or a code that may be wider than its column."""

import re

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from talktime.console.said import said_marked

register = template.Library()
AFTER = re.compile(r"(?<=[@_])")


@register.filter
def said(text: object) -> str | SafeString:
    """A text of the rules."""
    return said_marked(str(text))


@register.filter
def said_capital(text: object) -> str | SafeString:
    """A text of the rules that begins a sentence."""
    return said_marked(str(text), capital=True)


@register.filter
def breakable(text: object) -> SafeString:
    """An address or a code that may go on in the next line after its @ and its underscores, rather
    than anywhere. What is marked up already stays as it is."""
    if isinstance(text, SafeString):
        return text
    parts = AFTER.split(str(text))
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in parts))
