"""Django's settings for an installation. Mirrors src/talktime/console/settings.py."""

import json
import os
import subprocess
import sys

import pytest

from tests.console.conftest import SECRET_KEY

ASKED = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "DEBUG"]
PROGRAM = f"""
import json
from django.conf import settings
print(json.dumps([*[getattr(settings, name) for name in {ASKED}], settings.SECRET_KEY[:5]]))
"""
YEAR_S = 31_536_000


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", [False, False, 0, False, "a key"]),
        ("https://credits.contoso.example", [True, True, YEAR_S, False, "a key"]),
    ],
)
def test_cookies_are_for_https_alone_once_people_come_by_https(tmp_path, url, expected):
    """In a process of its own: Django reads its settings once."""
    environ = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "talktime.console.settings",
        "TALKTIME_DATA": str(tmp_path),
        "TALKTIME_SECRET_KEY": SECRET_KEY,
        "TALKTIME_URL": url,
    }
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout) == expected
    assert list(tmp_path.iterdir()) == []
