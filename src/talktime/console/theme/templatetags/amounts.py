"""`{{ amount|exactly }}`: an amount in a sentence, its exact figure read aloud, and seen where it
is pointed at, touched or reached by the keyboard."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from talktime.operations.wording import Amount

register = template.Library()
ROUNDED = '<bdi class="amount rounded"{} title="{}">{}<span class="exact"> ({})</span></bdi>'


@register.filter
def exactly(amount: Amount) -> str | SafeString:
    """In a sentence."""
    return _shown(amount, SafeString(' tabindex="0"'))


@register.filter
def exactly_within(amount: Amount) -> str | SafeString:
    """In a link or a button, which has the focus itself."""
    return _shown(amount, SafeString(""))


def _shown(amount: Amount, more: SafeString) -> str | SafeString:
    if not amount.exact:
        return amount.text
    title = _("The exact amount: %(amount)s") % {"amount": amount.exact}
    return format_html(ROUNDED, more, title, amount.text, amount.exact)
