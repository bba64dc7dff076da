"""What the environment says about this installation: where its data is and where it listens."""

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from talktime.config_gateways import (
    DiameterSettings,
    RadiusSettings,
    bracketed,
    diameter_from,
    name_in_browsers,
    radius_from,
)
from talktime.config_services import (
    PORT_MAX,
    SingleSignOn,
    mail_from_from,
    proxies_from,
    single_sign_on_from,
    smtp_from,
    webhooks_allow_from,
)
from talktime.config_services import ConfigError as ConfigError
from talktime.config_services import Smtp as Smtp

CONTROL_PLANE_SCHEMA = "talktime"
CONTROL_PLANE_ALIAS = "default"
CELL_ALIAS_PREFIX = "cell_"
SECRET_KEY_LENGTH_MIN = 32
DAY_SECONDS = 86_400
SELLER_LINES_MAX = 8
WRITERS_MAX = 16
WRITERS = 2
CELL_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
WILDCARD_HOSTS = ("0.0.0.0", "::", "")
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where one database is: a SQLite file, or a schema in a PostgreSQL database."""

    dialect: Literal["sqlite", "postgres"]
    path: Path | None = None
    url: str = ""
    schema: str = ""

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    @property
    def shown(self) -> str:
        """The address as a person may see it: without its password."""
        if self.dialect == "sqlite":
            return f"sqlite:{self.path}"
        return f"{without_password(self.url)} schema {self.schema}"


class SellerDetails(NamedTuple):
    """Who issues invoices; `address` has a line each, `bank` is where money is transferred to."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    bank: str = ""


NO_SELLER = SellerDetails("Talktime")


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation, as its environment describes it."""

    data: Path
    control_plane: Address
    cells: dict[str, Address]
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    given_secret_key: str = field(default="", repr=False)
    given_seal_keys: tuple[str, ...] = field(default=(), repr=False)
    slice_s: int = 300
    """The longest that one answer lets a call talk, before the switch must ask again (D8)."""
    grace_s: int = 60
    """How long a hold outlives what it was granted for (D8)."""
    pool_warning_percent: int = 80
    """From how many per cent used on a pool of minutes is warned of (D4)."""
    writers: int = WRITERS
    """How many processes of a service write each cell on PostgreSQL."""
    test_clock: bool = False
    """Whether time may be moved forward (talktime.clock): never in production."""
    smtp: Smtp | None = None
    """Where mail goes; None for files in the data folder."""
    given_mail_from: str = ""
    webhooks_allow: tuple[str, ...] = ()
    """Hosts, or hosts with ports, that webhooks reach without https and at private addresses."""
    proxies: tuple[str, ...] = ()
    """Networks of the proxies, besides those on this machine, that say from where people come."""
    seller: SellerDetails = NO_SELLER
    close_hours: int = 24
    """How long after its end a month that is paid after use is closed (D14)."""
    pay_days: int = 30
    block_days: int = 14
    """How long a statement may be paid, and how long after that calls are blocked."""
    single_sign_on: SingleSignOn | None = None
    diameter: DiameterSettings | None = None
    """Where Diameter is spoken; None for nowhere."""
    radius: RadiusSettings | None = None

    def writers_of(self, cell: str) -> int:
        """How many processes write a cell: a SQLite file has one writer at a time."""
        return 1 if self.cells[cell].dialect == "sqlite" else self.writers

    def mail_from(self) -> str:
        """Whom mail is from."""
        host = urlsplit(self.public_url).hostname or "localhost"
        domain = f"[IPv6:{host}]" if ":" in host else host
        return self.given_mail_from or f"Talktime <talktime@{domain}>"

    def mail_folder(self) -> Path:
        """Where mail is kept as files where there is no server for it."""
        return self.data / "mail"

    def secret_key(self) -> str:
        """The key that signs sessions: the given one, or one made once in the data folder."""
        return self.given_secret_key or key_in_file(self.data / "secret_key")

    def seal_keys(self) -> tuple[str, ...]:
        """The keys that seal secrets at rest, the one in use first: given, or made once."""
        return self.given_seal_keys or (key_in_file(self.data / "seal_key"),)

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def address(self) -> str:
        """The address that people and switches use, as far as the environment tells it."""
        if self.public_url:
            return self.public_url
        host = "127.0.0.1" if self.host in WILDCARD_HOSTS else self.host
        return f"http://{bracketed(host)}:{self.port}"

    def allowed_hosts(self) -> list[str]:
        """The names under which a browser may ask for the console."""
        if self.public_url:
            public = urlsplit(self.public_url).hostname or ""
            return [name_in_browsers(public), *LOOPBACK_HOSTS]
        if self.host in WILDCARD_HOSTS:
            return ["*"]
        return sorted({name_in_browsers(self.host), *LOOPBACK_HOSTS})


def cell_alias(name: str) -> str:
    """The cell's name as a database alias of Django, and as a schema of PostgreSQL."""
    return CELL_ALIAS_PREFIX + name


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Read the environment; raises ConfigError with what to do where a value cannot be used."""
    data = Path(environ.get("TALKTIME_DATA", "").strip() or "data")
    url = postgres_url("DATABASE_URL", environ.get("DATABASE_URL", ""))
    return Settings(
        data=data,
        control_plane=address_of(url, CONTROL_PLANE_SCHEMA, data / "control.sqlite3"),
        cells=cells_from(environ.get("TALKTIME_CELLS", ""), url, data),
        host=host_from(environ.get("HOST", "")) or "127.0.0.1",
        port=port_from(environ.get("PORT", "")),
        public_url=public_url_from(environ.get("TALKTIME_URL", "")),
        given_secret_key=secret_key_from(environ.get("TALKTIME_SECRET_KEY", "")),
        given_seal_keys=seal_keys_from(environ.get("TALKTIME_SEAL_KEY", "")),
        slice_s=number_from(environ, "TALKTIME_SLICE_SECONDS", 300, 1, DAY_SECONDS),
        grace_s=number_from(environ, "TALKTIME_GRACE_SECONDS", 60, 0, DAY_SECONDS),
        pool_warning_percent=number_from(environ, "TALKTIME_POOL_WARNING_PERCENT", 80, 1, 99),
        writers=number_from(environ, "TALKTIME_WRITERS", WRITERS, 1, WRITERS_MAX),
        smtp=smtp_from(environ.get("TALKTIME_SMTP_URL", "")),
        given_mail_from=mail_from_from(environ.get("TALKTIME_MAIL_FROM", "")),
        webhooks_allow=webhooks_allow_from(environ.get("TALKTIME_WEBHOOKS_ALLOW", "")),
        proxies=proxies_from(environ.get("TALKTIME_PROXIES", "")),
        test_clock=yes_or_no("TALKTIME_TEST_CLOCK", environ.get("TALKTIME_TEST_CLOCK", "")),
        seller=seller_from(environ.get("TALKTIME_SELLER", "")),
        close_hours=number_from(environ, "TALKTIME_CLOSE_HOURS", 24, 0, 240),
        pay_days=number_from(environ, "TALKTIME_PAY_DAYS", 30, 0, 365),
        block_days=number_from(environ, "TALKTIME_BLOCK_DAYS", 14, 0, 365),
        single_sign_on=single_sign_on_from(environ),
        diameter=diameter_from(environ),
        radius=radius_from(environ),
    )


def address_of(url: str, schema: str, path: Path) -> Address:
    """The schema in the PostgreSQL database at `url`; the SQLite file where there is no url."""
    if url:
        return Address("postgres", url=url, schema=schema)
    return Address("sqlite", path=path)


def cells_from(text: str, shared_url: str, data: Path) -> dict[str, Address]:
    """The cells named in TALKTIME_CELLS, each `name` or `name=postgresql://...`."""
    cells: dict[str, Address] = {}
    for word in text.split() or ["main"]:
        name, _, own_url = word.partition("=")
        if not CELL_NAME.fullmatch(name):
            raise ConfigError(
                f"TALKTIME_CELLS: {name!r} is not a cell's name. Use up to 32 lower-case letters, "
                "digits and underscores, starting with a letter; separate cells with spaces."
            )
        if name in cells:
            raise ConfigError(f"TALKTIME_CELLS names the cell {name!r} twice. Name it once.")
        url = postgres_url(f"TALKTIME_CELLS ({name})", own_url) or shared_url
        cells[name] = address_of(url, cell_alias(name), data / f"{cell_alias(name)}.sqlite3")
    return cells


def postgres_url(variable: str, text: str) -> str:
    """The text, checked to be a PostgreSQL address; empty for none. Never repeats the password."""
    text = text.strip()
    if not text:
        return ""
    wanted = "Write postgresql://user:password@host:5432/database"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ConfigError(f"{variable} is not a database address. {wanted}.") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ConfigError(
            f"{variable} must start with postgresql://. {wanted}, or leave it empty for SQLite."
        )
    if port == 0 or not parts.path.strip("/"):
        raise ConfigError(f"{variable} names no database or no usable port. {wanted}.")
    return text


def host_from(text: str) -> str:
    """A host, with brackets or without.

    >>> host_from("[::1]"), host_from(" 127.0.0.1 ")
    ('::1', '127.0.0.1')
    """
    host = text.strip()
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def port_from(text: str) -> int:
    text = text.strip() or "8000"
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > PORT_MAX:
        raise ConfigError(f"PORT is {text!r}. Use a number from 1 to 65535 (0 for any free port).")
    return int(text)


def number_from(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number within bounds; the default where nothing is set."""
    text = environ.get(name, "").strip() or str(default)
    if not re.fullmatch(r"[0-9]{1,5}", text) or not least <= int(text) <= most:
        raise ConfigError(f"{name} is {text!r}. Use a number from {least} to {most}.")
    return int(text)


def yes_or_no(variable: str, text: str) -> bool:
    """1 for yes; 0, or nothing at all, for no."""
    text = text.strip() or "0"
    if text not in ("0", "1"):
        raise ConfigError(f"{variable} is {text!r}. Use 1 for yes, or leave it empty.")
    return text == "1"


def seller_from(text: str) -> SellerDetails:
    """Who issues invoices: a JSON object of name, address, tax_id and bank, or lines: a name, then
    an address."""
    text = text.strip()
    if not text.startswith("{"):
        name, *address = [line.strip() for line in (text or "Talktime").splitlines()]
        return _seller(name, address)
    try:
        given = json.loads(text)
    except ValueError:
        given = {}
    others = (given.get("tax_id", ""), given.get("bank", ""))
    return _seller(given.get("name"), given.get("address", []), *others)


def _seller(name: object, address: object, tax_id: object = "", bank: object = "") -> SellerDetails:
    lines = address if isinstance(address, list) else [address]
    texts = [name, tax_id, bank, *lines]
    whole = all(isinstance(each, str) and each.isprintable() and len(each) <= 200 for each in texts)
    if not whole or not name or len(lines) > SELLER_LINES_MAX:
        raise ConfigError(
            "TALKTIME_SELLER says who issues invoices. Write "
            '{"name": "Contoso Voice", "address": ["1 Main Street", "Oslo"], "tax_id": "NO 1", '
            '"bank": "IBAN NO00 0000, Main Bank"}, '
            f"or lines: a name, then an address; up to {SELLER_LINES_MAX} lines of 200 characters."
        )
    address_lines = tuple(str(line) for line in lines if line)
    return SellerDetails(str(name), address_lines, str(tax_id), str(bank))


def public_url_from(text: str) -> str:
    text = text.strip().rstrip("/")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        usable = (
            usable and (parts.port or 1) > 0 and not (parts.path or parts.query or parts.username)
        )
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            "TALKTIME_URL must be the address people open in a browser, without a path: "
            "https://talktime.contoso.example"
        )
    return text


def secret_key_from(text: str) -> str:
    text = text.strip()
    if text and len(text) < SECRET_KEY_LENGTH_MIN:
        raise ConfigError(
            f"TALKTIME_SECRET_KEY is shorter than {SECRET_KEY_LENGTH_MIN} characters. "
            "Use a long random text, or leave it empty: one is then made in the data folder."
        )
    return text


def seal_keys_from(text: str) -> tuple[str, ...]:
    keys = tuple(text.split())
    if any(len(key) < SECRET_KEY_LENGTH_MIN for key in keys):
        raise ConfigError(
            f"TALKTIME_SEAL_KEY holds a key shorter than {SECRET_KEY_LENGTH_MIN} characters. "
            "Use long random texts without spaces, the newest first, or leave it empty: "
            "one is then made in the data folder."
        )
    return keys


def key_in_file(path: Path) -> str:
    """The key in this file, which is made (for its owner's eyes only) when it is not there.

    Several processes may start at once: the file appears whole under its name, and only once.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            made = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            with open(made, "x", opener=owner_only) as file:
                file.write(secrets.token_urlsafe(48) + "\n")
            try:
                os.link(made, path)
            except FileExistsError:
                pass
            finally:
                made.unlink()
        key = path.read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read or made: {error.strerror}. "
            "Set TALKTIME_DATA to a folder this user can write, or set TALKTIME_SECRET_KEY."
        ) from error
    if len(key) < SECRET_KEY_LENGTH_MIN:
        raise ConfigError(f"{path} holds no usable key. Remove the file; a new one is then made.")
    return key


def owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def without_password(url: str) -> str:
    """The address with *** for its password, wherever in it the password stands."""
    parts = urlsplit(url)
    before, at, place = parts.netloc.rpartition("@")
    user, colon, _ = before.partition(":")
    query = re.sub(r"(?i)((?:ssl)?password=)[^&]*", r"\1***", parts.query)
    hidden = f"{user}{':***' if colon else ''}{at}{place}"
    return f"{parts.scheme}://{hidden}{parts.path}{f'?{query}' if query else ''}"
