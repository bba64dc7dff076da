"""FreeRADIUS's own client, with the lines of the documentation."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from talktime.config_gateways import Listen
from tests.gateways.radius.nas import SECRET, add_client, calls, radius_service, usage
from tests.loopback import SIX, WAYS
from tests.served import rows_of_books, seeded

pytestmark = pytest.mark.layouts("sqlite", "postgres")

PAGE = Path(__file__).parents[3] / "docs/howto/connect-a-radius-client.md"
[BLOCK] = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
LINES = BLOCK.splitlines()
ASK, START, INTERIM, STOP = (re.findall("echo '(.*)' [|]", line)[0] for line in LINES)


class Radclient:
    """Runs radclient; what it printed."""

    def __init__(self, service, host="127.0.0.1"):
        assert shutil.which("radclient"), "install freeradius-utils (tests/servers.sh)"
        ports = {name: getattr(service, name)[1] for name in ("auth", "acct")}
        self.places = {name: str(Listen(host, port)) for name, port in ports.items()}

    def __call__(self, attributes, kind, *, port="", secret=SECRET, count=1, tries=1):
        options = ["-x", "-r", str(tries), "-t", "2", "-c", str(count)]
        done = subprocess.run(
            ["radclient", *options, self.places[port or kind], kind, secret],
            input=attributes,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def radclient(radius):
    return Radclient(radius)


def test_the_lines_of_the_documentation_make_a_call_that_is_charged(radius, store):
    for line in LINES:
        changed = line.replace("SECRET", SECRET)
        for port, place in ((1812, radius.auth), (1813, radius.acct)):
            changed = changed.replace(f"127.0.0.1:{port}", f"127.0.0.1:{place[1]}")
        done = subprocess.run(["sh", "-c", changed], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        if "auth" in line.rsplit("|", 1)[1]:
            assert "Session-Timeout = 300" in done.stdout
    assert [(each[0], each[2]) for each in usage(store)] == [(45, "user_request")]


@pytest.mark.parametrize(("listen", "here"), WAYS)
def test_a_client_is_known_over_either_version_by_its_address(store, listen, here):
    demo = seeded(store)
    add_client(store, "nas-1", here)
    attribute = "NAS-IPv6-Address" if here == SIX else "NAS-IP-Address"
    asked, stopped = (
        line.replace('NAS-Identifier="nas-1"', f"{attribute}={here}") for line in (ASK, STOP)
    )
    with radius_service(store, demo, listen=listen) as service:
        run = Radclient(service, here)
        code, said = run(asked, "auth")
        assert (code, "Session-Timeout = 300" in said) == (0, True), said
        assert run(stopped, "acct")[0] == 0
    assert [each[:2] for each in calls(store)] == [(f"{here}/c1", "settled")]
    assert [each[0] for each in usage(store)] == [45]


def test_a_stop_twice_and_interims_out_of_order_charge_once(radclient, store):
    assert radclient(ASK, "auth")[0] == 0
    later = INTERIM.replace("=30", "=40")
    for attributes in (START, later, INTERIM, STOP):
        assert radclient(attributes, "acct")[0] == 0
    before = rows_of_books(store)
    assert radclient(STOP, "acct", count=2)[0] == 0
    assert radclient(f"{STOP}, Acct-Delay-Time=7", "acct")[0] == 0
    assert rows_of_books(store) == before
    assert [each[0] for each in usage(store)] == [45]


def test_a_wrong_secret_gets_no_answer(radclient, radius, store):
    before = rows_of_books(store)
    for attributes, kind, message in ((ASK, "auth", "access"), (STOP, "acct", "accounting")):
        code, said = radclient(attributes, kind, secret="some-other-secret")
        assert code == 1
        assert "No reply from server" in said
        assert radius.counted(message, "wrong_secret") == 1
    assert rows_of_books(store) == before


def test_a_refusal_is_a_reject_that_says_why(radclient):
    code, said = radclient(ASK.replace("+442079460958", "+999"), "auth")
    assert code == 1
    assert "Received Access-Reject" in said
    assert 'Reply-Message = "' in said


def test_both_ports_say_that_they_are_there(radclient):
    for port, answer in (("auth", "Access-Accept"), ("acct", "Accounting-Response")):
        code, said = radclient("Message-Authenticator=0x00", "status", port=port)
        assert code == 0, said
        assert f"Received {answer}" in said


def test_many_calls_at_once_are_all_charged(radius, store):
    asks, stops = (
        "\n\n".join(text.replace("c1", f"c{number}") for number in range(40))
        for text in (ASK, STOP)
    )
    run = Radclient(radius)
    for attributes, kind in ((asks, "auth"), (stops, "acct")):
        code, said = run(attributes, kind, tries=3)
        assert code == 0, said
    assert [each[0] for each in usage(store)] == [45] * 40
