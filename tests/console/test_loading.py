"""What is loaded before the first request. Mirrors src/talktime/console/loading.py."""

import json
import subprocess
import sys

from django.template import engines

from talktime.console.accounts import create_admin
from talktime.console.cell.models import Wallet
from talktime.console.control_plane.models import Organisation
from talktime.console.loading import load_all, template_names
from tests.console.conftest import SECRET_KEY
from tests.console.rows import insert
from tests.serving import clean_environ

FIRST_PAGES = """
import json, os, sys
from talktime.config import settings_from
from talktime.console.databases import set_up
set_up(settings_from(os.environ))
from talktime.console.asgi import application
from talktime.console.loading import load_all
from django.test import Client
load_all()
loaded = set(sys.modules)
from talktime.console.control_plane.models import Account
reader = Client(SERVER_NAME="localhost")
reader.force_login(Account.objects.get())
pages = ["", "usage/", "users/", "plans/", "rates/", "credits/"]
found = [reader.get(f"/organisations/1/{page}").status_code for page in pages]
late = sorted(each for each in set(sys.modules) - loaded if each.startswith("talktime"))
print(json.dumps([found, late]))
"""


def test_a_first_page_loads_no_code(tmp_path, installation):
    insert(Organisation)
    insert(Wallet)
    create_admin("admin@contoso.example", "seven green bottles", 1)
    environ = {
        "TALKTIME_DATA": str(installation.data),
        "DATABASE_URL": installation.control_plane.url or "",
        "TALKTIME_SECRET_KEY": SECRET_KEY,
    }
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_PAGES],
        env=clean_environ(environ),
        capture_output=True,
        text=True,
        check=True,
    )
    found, late = json.loads(ran.stdout)
    assert found == [200] * 6
    assert late == []


def test_every_template_is_read_once_for_all():
    load_all()
    (cached,) = engines["django"].engine.template_loaders
    names = {template.name for template in cached.get_template_cache.values()}
    assert len(template_names()) > 100
    assert names >= set(template_names())
