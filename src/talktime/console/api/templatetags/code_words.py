"""Words between backquotes, as the OpenAPI document writes them, set as code."""

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_CODE = re.compile(r"`([^`]+)`")


@register.filter
def code_words(text: str) -> SafeString:
    """The text with what is between backquotes as code; all else is escaped.

    >>> code_words("a `b` & <c>")
    'a <code>b</code> &amp; &lt;c&gt;'
    """
    return mark_safe(_CODE.sub(r"<code>\1</code>", conditional_escape(text)))
