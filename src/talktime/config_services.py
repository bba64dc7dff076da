"""What the environment says about services outside: the mail server, who vouches for people,
which hosts in the network webhooks may reach, which proxies are in front."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from ipaddress import ip_network
from typing import Literal
from urllib.parse import unquote, urlsplit

SMTP_KINDS: dict[str, tuple[Literal["none", "starttls", "tls"], int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}
MAIL_ADDRESS = re.compile(r"[^\s@<>\"(),;:\\]+@[A-Za-z0-9.-]+")
ALLOWED_HOST = re.compile(r"([a-z0-9_]([\w.-]*\w)?|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?", re.A)
PORT_MAX = 65_535
SINGLE_SIGN_ON = "single sign-on"


class ConfigError(Exception):
    """The environment holds a value that cannot be used; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """The server that mail is handed to. `tls`: none, from the start, or by STARTTLS."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SingleSignOn:
    """An OpenID Connect provider that vouches for people's e-mail addresses. `name` is what its
    button says."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = SINGLE_SIGN_ON


def smtp_from(text: str) -> Smtp | None:
    """The server of TALKTIME_SMTP_URL; None for none. Never repeats the password."""
    text = text.strip()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        port, host = None, ""
    kind = SMTP_KINDS.get(text.partition("://")[0])
    if not host or port == 0 or kind is None or parts.path.strip("/") or parts.query:
        raise ConfigError(
            "TALKTIME_SMTP_URL is not the address of a mail server. Write "
            "smtp+starttls://user:password@host:587, smtps://user:password@host:465 or "
            "smtp://host:25."
        )
    tls, default = kind
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Smtp(host, port or default, tls, user, password)


def single_sign_on_from(environ: Mapping[str, str]) -> SingleSignOn | None:
    """The provider of TALKTIME_OIDC_*; None for none. Never repeats the secret."""
    issuer = environ.get("TALKTIME_OIDC_ISSUER", "").strip()
    client_id = environ.get("TALKTIME_OIDC_CLIENT_ID", "").strip()
    secret = environ.get("TALKTIME_OIDC_CLIENT_SECRET", "").strip()
    name = environ.get("TALKTIME_OIDC_NAME", "").strip()
    if not (issuer or client_id or secret):
        return None
    try:
        parts = urlsplit(issuer)
        usable = (
            bool(parts.hostname) and (parts.port or 1) > 0 and not (parts.query or parts.username)
        )
    except ValueError:
        usable = False
    local = usable and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ConfigError(
            "TALKTIME_OIDC_ISSUER must be the address of an OpenID Connect provider, with https: "
            "https://login.contoso.example"
        )
    if not client_id or not secret or not (client_id + secret + name).isprintable():
        raise ConfigError(
            "Single sign-on needs TALKTIME_OIDC_CLIENT_ID and TALKTIME_OIDC_CLIENT_SECRET: the "
            "provider gives both when Talktime is made known to it."
        )
    return SingleSignOn(issuer.rstrip("/"), client_id, secret, name[:64] or SINGLE_SIGN_ON)


def mail_from_from(text: str) -> str:
    text = text.strip()
    name, address = parseaddr(text)
    usable = text.isprintable() and text.isascii() and MAIL_ADDRESS.fullmatch(address)
    if text and (not usable or text not in (address, f"{name} <{address}>")):
        raise ConfigError(
            "TALKTIME_MAIL_FROM must be an address, with a name in ASCII or without: "
            "Talktime <talktime@contoso.example>"
        )
    return text


def webhooks_allow_from(text: str) -> tuple[str, ...]:
    """The hosts, or hosts with ports, of TALKTIME_WEBHOOKS_ALLOW."""
    words = tuple(text.lower().split())
    for word in words:
        found = ALLOWED_HOST.fullmatch(word)
        if found is None or not 0 < int(found["port"] or 1) <= PORT_MAX:
            raise ConfigError(
                f"TALKTIME_WEBHOOKS_ALLOW: {word[:80]!r} is no host. Write hosts, or hosts with "
                "ports, separated by spaces, no addresses: hooks.internal 10.0.0.5:8080"
            )
    return words


def proxies_from(text: str) -> tuple[str, ...]:
    """The addresses and networks of TALKTIME_PROXIES, as networks.

    >>> proxies_from("10.0.0.5 2001:db8::/64")
    ('10.0.0.5/32', '2001:db8::/64')
    """
    try:
        return tuple(str(ip_network(word)) for word in text.split())
    except ValueError as error:
        raise ConfigError(
            f"TALKTIME_PROXIES: {str(error)[:160]}. Write the addresses or networks of proxies, "
            "separated by spaces: 10.0.0.5 2001:db8::/64"
        ) from None
