"""Connections with TLS."""

import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from talktime.cli.failures import Failure
from talktime.cli.serve_diameter import tls_of
from talktime.config_gateways import DiameterSettings
from talktime.core.limits import DIAMETER_CONNECTIONS_OF_ADDRESS_MAX
from talktime.gateways.diameter import results as r
from tests.gateways.diameter.asked import HOST, OUR_HOST, OUR_REALM
from tests.gateways.diameter.certificates import Authority
from tests.gateways.diameter.serving import add_peer, charging, populate
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite")


def settings(certificate: Path, key: Path, ca: Path | None = None) -> DiameterSettings:
    """A node with these files."""
    return DiameterSettings((), (), OUR_HOST, (OUR_REALM,), certificate, key, ca)


def trusting(authority: Authority) -> ssl.SSLContext:
    """What a client makes its connections of: this authority is as small as many are."""
    context = ssl.create_default_context(cafile=authority.ca)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def certified(authority: Authority, name: str, host: str) -> ssl.SSLContext:
    """What a client makes its connections of, with a certificate of this host."""
    context = trusting(authority)
    context.load_cert_chain(*authority.sign(name, host))
    return context


def test_a_peer_is_the_host_that_its_certificate_names(store: Store, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    switch = populate(store, 10)
    add_peer(store, switch, tls=True)
    add_peer(store, switch, "other.contoso.example", tls=True, addresses=("127.0.0.1",))
    add_peer(store, switch, "third.contoso.example", tls=True)
    node = settings(*authority.sign("node"), authority.ca)
    with charging(store, switch=switch, tls=tls_of(node)) as served:
        context = certified(authority, "client", HOST.upper())
        assert served.connect(context).hello().result_code == r.SUCCESS
        wrong = served.connect(context).hello("other.contoso.example")
        assert wrong.result_code == r.NO_COMMON_SECURITY
        common = certified(authority, "third.contoso.example", "")
        assert served.connect(common).hello("third.contoso.example").result_code == r.SUCCESS


def test_tls_that_asks_for_no_certificate_proves_nothing_without_an_address(
    store: Store, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "ours")
    switch = populate(store, 10)
    add_peer(store, switch, tls=True)
    node = settings(*authority.sign("node"))
    with capture_logs() as lines, charging(store, switch=switch, tls=tls_of(node)) as served:
        for _ in range(2):
            with pytest.raises(OSError):
                served.connect(trusting(authority))
        near = {"tls": True, "addresses": ("127.0.0.1",)}
        add_peer(store, switch, "near.contoso.example", **near)
        assert served.until(lambda: served.engine.peers.diameter("near.contoso.example"))
        for host, result in (("near.contoso.example", r.SUCCESS), (HOST, r.NO_COMMON_SECURITY)):
            assert served.connect(trusting(authority)).hello(host).result_code == result
    assert len([each for each in lines if "TALKTIME_DIAMETER_CA" in str(each.get("why"))]) == 2


def test_a_client_without_a_certificate_is_not_let_in_where_one_is_needed(
    store: Store, tmp_path: Path
) -> None:
    authority, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    node = settings(*authority.sign("node"), authority.ca)
    with charging(store, tls=tls_of(node)) as served:
        known = certified(authority, "client", HOST)
        assert served.connect(known).hello().result_code == r.SUCCESS
        stranger = trusting(authority)
        stranger.load_cert_chain(*other.sign("stranger", HOST))
        for context in (trusting(authority), stranger):
            with pytest.raises((ssl.SSLError, OSError)):
                served.connect(context).hello()


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(Failure, match=r"empty\.pem"):
        tls_of(settings(empty, empty))
    with pytest.raises(Failure, match=r"nothing\.pem"):
        tls_of(settings(tmp_path / "nothing.pem", empty))


def test_who_begins_many_handshakes_and_ends_none_takes_only_so_many_connections(
    store: Store, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "ours")
    switch = populate(store, 10)
    add_peer(store, switch, tls=True, addresses=("127.0.0.1",))
    node = settings(*authority.sign("node"))
    with (
        charging(store, switch=switch, tls=tls_of(node)) as served,
        ExitStack() as open_lines,
    ):
        lines = [
            open_lines.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            for _ in range(DIAMETER_CONNECTIONS_OF_ADDRESS_MAX + 1)
        ]
        assert closed(lines[-1], within_s=5)
        assert not closed(lines[0], within_s=0.1)
        open_lines.close()
        assert served.until(lambda: served.connect(trusting(authority)).hello().result_code)


def closed(line: socket.socket, within_s: float) -> bool:
    """Whether the service closes this connection."""
    line.settimeout(within_s)
    try:
        return not line.recv(1)
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
