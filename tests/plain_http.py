"""Clients of a service on this machine, without TLS."""

import ssl
from collections.abc import Mapping

import httpx

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody. A client without it reads the certificates of all authorities: that takes longer
than most tests."""


def plain_client(
    url: str, headers: Mapping[str, str] | None = None, timeout_s: float = 5
) -> httpx.Client:
    """A client for `http://` alone, which no proxy of the environment is asked for."""
    return httpx.Client(
        base_url=url, headers=headers, timeout=timeout_s, trust_env=False, verify=NO_TLS
    )
