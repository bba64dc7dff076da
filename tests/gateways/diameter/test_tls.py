"""Connections with TLS."""

import ssl
from pathlib import Path

import pytest

from talktime.cli.failures import Failure
from talktime.cli.serve_diameter import tls_of
from talktime.config_gateways import DiameterSettings
from talktime.gateways.diameter import results as r
from tests.gateways.diameter.asked import OUR_HOST, OUR_REALM
from tests.gateways.diameter.certificates import Authority
from tests.gateways.diameter.serving import add_peer, charging, populate
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite")


def settings(certificate: Path, key: Path, ca: Path | None = None) -> DiameterSettings:
    """A node with these files."""
    return DiameterSettings((), (), OUR_HOST, (OUR_REALM,), certificate, key, ca)


def trusting(authority: Authority) -> ssl.SSLContext:
    """What a client makes its connections of."""
    return ssl.create_default_context(cafile=authority.ca)


def test_a_peer_that_needs_tls_is_heard_with_it(store: Store, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    switch = populate(store, 10)
    add_peer(store, switch, tls=True)
    node = settings(*authority.sign("node"))
    with charging(store, switch=switch, tls=tls_of(node)) as served:
        assert served.connect(trusting(authority)).hello().result_code == r.SUCCESS


def test_a_client_without_a_certificate_is_not_let_in_where_one_is_needed(
    store: Store, tmp_path: Path
) -> None:
    authority, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    node = settings(*authority.sign("node"), authority.ca)
    with charging(store, tls=tls_of(node)) as served:
        known = trusting(authority)
        known.load_cert_chain(*authority.sign("client"))
        assert served.connect(known).hello().result_code == r.SUCCESS
        stranger = trusting(authority)
        stranger.load_cert_chain(*other.sign("stranger"))
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
