"""The console as an ASGI application, for the process that serves it."""

import os

from django.core.asgi import get_asgi_application

from talktime.console.databases import SETTINGS_MODULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
application = get_asgi_application()
