"""What the first requests would otherwise wait for, loaded while nobody waits yet."""

from pathlib import Path

from babel import Locale
from django.conf import settings
from django.db import connections, router
from django.template.loader import get_template
from django.template.utils import get_app_template_dirs
from django.urls import get_resolver, reverse
from django.utils.translation import override

from talktime.console.databases import addresses, current
from talktime.store.database import load_driver

CONSOLE = Path(__file__).parent


def load_all() -> None:
    """Load every page's code, address and template, and the words of every language: more than a
    second of work, which would keep the reader waiting, and the engine beside the console."""
    _ = get_resolver().url_patterns
    for language, _name in settings.LANGUAGES:
        with override(language):
            reverse("start")
        _ = Locale.parse(language).territories
    for alias in connections:
        _ = connections[alias], router.routers
    for address in addresses(current()).values():
        load_driver(address)
    for name in template_names():
        get_template(name)


def template_names() -> list[str]:
    """All templates of the console, as they are named in code."""
    folders = [
        Path(each)
        for each in get_app_template_dirs("templates")
        if Path(each).is_relative_to(CONSOLE)
    ]
    return sorted(
        str(path.relative_to(folder)) for folder in folders for path in folder.rglob("*.html")
    )
