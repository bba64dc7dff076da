"""The management API's document as a page. Mirrors src/talktime/console/api/readable.py."""

import gzip
import re

from talktime.console.api.document import operations
from talktime.console.api.readable import readable
from tests.console.test_pages import browser

PAGE = "/api/v1/docs"
WIRE_BYTES_MAX = 60_000


def test_every_operation_is_shown_once_with_a_line_to_type(installation):
    shown = [each for group in readable().groups for each in group.operations]
    assert sorted(each.place for each in shown) == sorted(name for _, _, name, _ in operations())
    for each in shown:
        assert each.curl.startswith("curl ")
        assert "Authorization: Bearer $TALKTIME_KEY" in each.curl
        assert each.codes


def test_what_moves_money_shows_its_idempotency_key(installation):
    shown = {each.place: each for group in readable().groups for each in group.operations}
    assert '-H "Idempotency-Key: order-4711"' in shown["post_purchase"].curl
    assert '-H "Idempotency-Key: switch-oslo-1"' in shown["post_switch"].curl
    assert any("?amount=..." in each.curl for each in shown.values())


def test_the_page_is_light_and_its_links_lead_somewhere(installation):
    response = browser().get(PAGE, HTTP_ACCEPT_ENCODING="gzip")
    assert response.status_code == 200
    assert len(response.content) < WIRE_BYTES_MAX
    text = gzip.decompress(response.content).decode()
    places = set(re.findall(r' id="([^"]+)"', text))
    links = set(re.findall(r' href="#([^"]+)"', text))
    assert links <= places
