"""The charging API from outside: what a switch sees, with the key and the address to use."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import quote

import typer

from talktime.cli.failures import Failure
from talktime.config import LOOPBACK_HOSTS, settings_from

if TYPE_CHECKING:
    import httpx

DEMO_FILE = "demo.json"
TIMEOUT_S = 30.0
REMOVE_IT = "Remove it, then start the demo again."

Url = Annotated[
    str,
    typer.Option(
        envvar="TALKTIME_URL",
        help="Address of the service. Default: the demo's.",
        show_default=False,
        metavar="URL",
    ),
]
Key = Annotated[
    str,
    typer.Option(
        envvar="TALKTIME_KEY",
        help="API key of the switch; better in TALKTIME_KEY than here. Default: the demo's.",
        show_default=False,
        metavar="KEY",
    ),
]


class Reply(NamedTuple):
    """An answer of the API: its status, its body, and whether it was given before."""

    status: int
    body: dict[str, Any]
    replayed: bool = False
    retry_after_s: int = 1


class Api:
    """One connection to the charging API. Not for two threads at once."""

    def __init__(self, url: str, key: str) -> None:
        import httpx

        self.url = url.rstrip("/")
        try:
            self._client = httpx.Client(
                base_url=self.url,
                headers={"authorization": f"Bearer {key}"},
                timeout=TIMEOUT_S,
                # A proxy of the environment is for other machines.
                trust_env=httpx.URL(self.url).host not in LOOPBACK_HOSTS,
            )
        except (httpx.InvalidURL, ValueError, UnicodeError) as error:
            raise Failure(f"{url[:80]!r} with this key cannot be asked: {error}") from error

    def post(self, path: str, body: object) -> Reply:
        """Send a body as JSON to a path below /v1/."""
        content = json.dumps(body).encode()
        return self._reply(
            self._client.post(
                f"/v1/{path}", content=content, headers={"content-type": "application/json"}
            )
        )

    def get(self, path: str) -> Reply:
        """Ask for a path below /v1/."""
        return self._reply(self._client.get(f"/v1/{path}"))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _reply(self, response: "httpx.Response") -> Reply:
        try:
            body = json.loads(response.content)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Failure(
                f"{self.url} does not speak the charging API (it answered {response.status_code}). "
                "Is this the address of `talktime serve`?"
            )
        after = response.headers.get("retry-after", "")
        return Reply(
            response.status_code,
            body,
            response.headers.get("idempotent-replayed") == "true",
            int(after) if after.isdigit() else 1,
        )


def call_path(call_id: str, verb: str = "") -> str:
    """The path of a call below /v1/: its id percent-encoded, whatever it holds.

    >>> call_path("a/b"), call_path("..", "settle")
    ('calls/a%2Fb', 'calls/%2E%2E/settle')
    """
    encoded = quote(call_id, safe="")
    # A path's own dots would be taken out of it on the way.
    place = f"calls/{encoded.replace('.', '%2E') if encoded in ('.', '..') else encoded}"
    return f"{place}/{verb}" if verb else place


@contextmanager
def opened_api(url: str, key: str) -> Iterator[Api]:
    """The API as in `open_api`, its connection closed at the end."""
    api = open_api(url, key)
    try:
        yield api
    finally:
        api.close()


def open_api(url: str, key: str) -> Api:
    """The API at this address with this key; what is not given comes from the demo's file.

    With a key and without an address it is this machine's, at PORT.
    """
    if not (url and key):
        settings = settings_from(os.environ)
        demo = demo_facts(settings.data / DEMO_FILE)
        url = url or demo.get("url") or f"http://127.0.0.1:{settings.port}"
        key = key or demo.get("switch_key", "")
    if not key:
        raise Failure(
            "no API key: set TALKTIME_KEY (`talktime key create` makes one), "
            "or start `talktime serve --demo`"
        )
    return Api(url, key)


def demo_facts(path: Path) -> Mapping[str, str]:
    """What the demo's file says; nothing where there is none."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read: {error}. {REMOVE_IT}") from error
    if not isinstance(facts, dict) or not all(isinstance(fact, str) for fact in facts.values()):
        raise Failure(f"{path} does not hold what the demo wrote. {REMOVE_IT}")
    return facts
