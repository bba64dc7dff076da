"""`{{ field|described }}`: a field of a form, which a screen reader reads with the note below it.
The note has the id that Django gives the help texts of fields that have one of their own."""

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def described(field: BoundField) -> SafeString:
    """The field with its note, and with what is wrong with it."""
    ids = [f"{field.auto_id}_helptext"] + [f"{field.auto_id}_error"] * bool(field.errors)
    return field.as_widget(attrs={"aria-describedby": " ".join(ids)})
