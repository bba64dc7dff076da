"""A browser in words, of what it says of itself."""

from django.utils.translation import gettext as _

# The first that fits: most browsers also name those that they are to be taken for.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_in_words(user_agent: str) -> str:
    """Which browser it is, and on what, as far as it can be told.

    >>> browser_in_words("Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0.0.0 Safari/537.36")
    'Chrome, Linux'
    """
    found = [
        next((name for sign, name in signs if sign in user_agent), "")
        for signs in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(each for each in found if each) or _("Unknown browser")
