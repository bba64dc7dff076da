"""`{% menu %}`: the menu beside the page that is made, the page's own line lit."""

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from talktime.console.roles import Permission
from talktime.console.theme.menu import OPERATOR_MENU, ORGANISATION_MENU, TEST_CLOCK, Entry, Group

register = template.Library()


@register.inclusion_tag("theme/menu.html", takes_context=True)
def menu(context: dict[str, Any]) -> dict[str, Any]:
    """The groups of the menu that the reader of this page may open; none where nobody sits at a
    desk."""
    desk = context.get("desk")
    if desk is None:
        return {"groups": []}
    groups: tuple[Group, ...] = OPERATOR_MENU if context.get("operating") else ORGANISATION_MENU
    place: dict[str, int] = {} if context.get("operating") else {"organisation_id": desk.owner.id}
    here = getattr(desk.request.resolver_match, "url_name", "")
    if "test_clock" not in context:
        groups = tuple(
            group._replace(entries=tuple(x for x in group.entries if x.url_name != TEST_CLOCK))
            for group in groups
        )
    shown = [
        {"label": group.label, "entries": _entries(group, desk.permissions, place, here)}
        for group in groups
    ]
    return {"groups": [group for group in shown if group["entries"]]}


def _entries(
    group: Group, permissions: frozenset[Permission], place: dict[str, int], here: str
) -> list[dict[str, Any]]:
    return [
        {"label": each.label, "url": url, "current": here in (each.url_name, *each.lit_by)}
        for each in group.entries
        if each.may in permissions and (url := _url(each, place))
    ]


def _url(entry: Entry, place: dict[str, int]) -> str:
    try:
        return reverse(entry.url_name, kwargs=place)
    except NoReverseMatch:
        return ""
