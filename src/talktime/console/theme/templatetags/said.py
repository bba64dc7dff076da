"""`{{ text|said }}`: what the rules wrote, in the reader's language; English is marked as such."""

from django import template
from django.utils.safestring import SafeString

from talktime.console.said import said_marked

register = template.Library()


@register.filter
def said(text: object) -> str | SafeString:
    """A text of the rules."""
    return said_marked(str(text))


@register.filter
def said_capital(text: object) -> str | SafeString:
    """A text of the rules that begins a sentence."""
    return said_marked(str(text), capital=True)
