"""Boxes that were ticked or unticked on a page, so that what others ticked meanwhile stays."""

from talktime.console.doors import Desk


def ticked_anew(desk: Desk, name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The values that the sender ticked, and those that they unticked; `had` are the values that
    were ticked when the page was shown."""
    ticked = frozenset(desk.request.POST.getlist(name))
    had = frozenset(desk.request.POST.getlist("had"))
    return ticked - had, had - ticked
