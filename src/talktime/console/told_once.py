"""A new secret, for the page after the one that made it: shown there, and never again."""

from django.http import HttpRequest

from talktime.console.databases import current
from talktime.operations.sealing import NotSealedHere, Seal

TOLD_ONCE = "told_once"


def tell_once(request: HttpRequest, whose: str, name: str, text: str) -> None:
    """Keep the text of the key, peer or endpoint of this name, sealed, in the session; `whose`
    names the page that shows it."""
    sealed = Seal(current().seal_keys()).seal(text)
    request.session[TOLD_ONCE] = [whose, name, sealed]


def told_once(request: HttpRequest, whose: str) -> dict[str, str] | None:
    """The name and text of what was just made here, for this page."""
    owner, name, sealed = request.session.get(TOLD_ONCE) or ("", "", "")
    if owner != whose:
        return None
    del request.session[TOLD_ONCE]
    try:
        return {"name": name, "text": Seal(current().seal_keys()).opened(sealed)}
    except NotSealedHere:
        return None
