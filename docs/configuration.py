"""docs/reference/configuration.md: every environment variable, what it is, its default."""

import ast
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.worked import table
from talktime.config import settings_from

PROJECT = Path(__file__).parents[1]
SOURCE = "config.py and docs/configuration.py"
VARIABLES = {
    "DATABASE_URL": (
        "none: SQLite files in the data folder",
        (
            "Address of the PostgreSQL database for the control plane and every cell that names "
            "none of its own: `postgresql://user:password@host:5432/database`."
        ),
    ),
    "TALKTIME_CELLS": (
        "`main`",
        (
            "The cells, separated by spaces. Each is a `name` (a schema in the database of "
            "`DATABASE_URL`, or a SQLite file), or `name=postgresql://...` for a server of its own."
        ),
    ),
    "TALKTIME_DATA": (
        "`data`",
        "Folder of the SQLite files, the secret key and `demo.json`.",
    ),
    "HOST": (
        "`127.0.0.1`",
        (
            "Address on which `talktime serve` listens, such as `2001:db8::5`; `0.0.0.0` for all "
            "of IPv4, `::` for all."
        ),
    ),
    "PORT": ("`8000`", "Port on which `talktime serve` listens; `0` for any free one."),
    "TALKTIME_URL": (
        "what `HOST` and `PORT` make; for requests the demo's address",
        (
            "The address under which people and switches reach the service, such as "
            "`https://talktime.contoso.example`. The console answers to its name alone, and its "
            "cookies go over https when it begins with that. The commands that make requests "
            "(`quote`, `call`, `replay`) send them there."
        ),
    ),
    "TALKTIME_KEY": (
        "the demo's key",
        "API key with which the commands that make requests sign in.",
    ),
    "TALKTIME_SECRET_KEY": (
        "made once, in the file `secret_key` of the data folder",
        (
            "Signs the console's sessions; at least 32 characters. All processes that serve one "
            "console need the same one."
        ),
    ),
    "TALKTIME_SEAL_KEY": (
        "made once, in the file `seal_key` of the data folder",
        (
            "Seals the secrets in the databases (of payment providers and webhooks); at least 32 "
            "characters. Several keys, separated by spaces: the first seals, all open."
        ),
    ),
    "TALKTIME_SMTP_URL": (
        "none: mail is kept as files in `mail/new` of the data folder",
        (
            "The server that mail is handed to: `smtp+starttls://user:password@host:587`, "
            "`smtps://user:password@host:465`, or `smtp://host:25` without encryption."
        ),
    ),
    "TALKTIME_MAIL_FROM": (
        "`Talktime <talktime@HOST>`, of the host in `TALKTIME_URL`",
        "Whom mail is from: `Talktime <talktime@contoso.example>`.",
    ),
    "TALKTIME_OIDC_ISSUER": (
        "none: no single sign-on",
        (
            "Address of an OpenID Connect provider by which people may sign in, such as "
            "`https://login.contoso.example`; its verified e-mail addresses are trusted."
        ),
    ),
    "TALKTIME_OIDC_CLIENT_ID": ("none", "The name by which the provider knows Talktime."),
    "TALKTIME_OIDC_CLIENT_SECRET": ("none", "The secret that goes with it."),
    "TALKTIME_OIDC_NAME": (
        "`single sign-on`",
        "What the button on the sign-in page says after *Continue with*.",
    ),
    "TALKTIME_PROXIES": (
        "none: one on this machine alone",
        (
            "Addresses or networks, separated by spaces, of the proxies in front that are believed "
            "from where people come and whether by https (X-Forwarded-For, X-Forwarded-Proto): "
            "`10.0.0.5 2001:db8::/64`. One on this machine is always believed."
        ),
    ),
    "TALKTIME_WEBHOOKS_ALLOW": (
        "none",
        (
            "Hosts, or hosts with ports, separated by spaces, that webhooks may reach without "
            "https and at private addresses: `hooks.internal.example:8443`."
        ),
    ),
    "TALKTIME_RADIUS_AUTH": (
        "none: no RADIUS",
        "Address and port on which RADIUS clients ask: `10.0.0.5:1812`, `[2001:db8::5]:1812`.",
    ),
    "TALKTIME_RADIUS_ACCT": (
        "none: no RADIUS accounting",
        "Address and port on which RADIUS clients report: `10.0.0.5:1813`.",
    ),
    "TALKTIME_SELLER": (
        "`Talktime`",
        (
            "Who issues invoices and statements: "
            '`{"name": "Contoso Voice", "address": ["1 Main Street", "Oslo"], "tax_id": "NO 1", '
            '"bank": "IBAN NO00 0000, Main Bank"}`, or lines, the name first, then the address: '
            "up to 8 lines of it, of 200 characters. `bank` is where the money of purchases by "
            "invoice and of statements goes. What was issued keeps the details it had."
        ),
    ),
    "TALKTIME_SLICE_SECONDS": (
        "`300`",
        "The longest that one answer lets a call talk; then the switch must ask again.",
    ),
    "TALKTIME_GRACE_SECONDS": (
        "`60`",
        "How long what a call holds outlives what it was granted, before the call is closed.",
    ),
    "TALKTIME_POOL_WARNING_PERCENT": (
        "`80`",
        "From how many per cent used on those who look after it are told of a pool of minutes.",
    ),
    "TALKTIME_WRITERS": (
        "`2`",
        (
            "How many processes of a service write each cell that is on PostgreSQL, 1 to 16; see "
            "[several engines](../howto/several-engines-and-cells.md#writers). A SQLite file has "
            "one."
        ),
    ),
    "TALKTIME_DIAMETER_LISTEN": (
        "",
        (
            "Where Diameter peers connect, `host:port` or `[2001:db8::5]:3868`, several after "
            "commas. Unset, there is no "
            "Diameter; see [connect a Diameter client](../howto/connect-a-diameter-client.md)."
        ),
    ),
    "TALKTIME_DIAMETER_TLS_LISTEN": ("", "Where they connect with TLS."),
    "TALKTIME_DIAMETER_IDENTITY": ("", "The host name by which they know this node."),
    "TALKTIME_DIAMETER_REALM": (
        "",
        "Its realm; then, after spaces, others that it answers for too.",
    ),
    "TALKTIME_DIAMETER_CERT": ("", "The file (PEM) of the certificate that TLS shows."),
    "TALKTIME_DIAMETER_KEY": ("", "The file of its key, where that is in another."),
    "TALKTIME_DIAMETER_CA": (
        "",
        "The file of the authority whose certificates peers with TLS must have; else none needed.",
    ),
    "TALKTIME_TEST_CLOCK": (
        "`0`; the demo has one",
        (
            "`1` lets `talktime clock advance` move time forward, for all processes of this data "
            "folder: set it for each of them. Never in production."
        ),
    ),
    "TALKTIME_CLOSE_HOURS": (
        "`24`",
        "How many hours after its end (UTC) a month that is paid after use is closed.",
    ),
    "TALKTIME_PAY_DAYS": ("`30`", "Within how many days a statement is to be paid."),
    "TALKTIME_BLOCK_DAYS": (
        "`14`",
        "How many days after that calls that would be paid after use are refused until it is paid.",
    ),
}


def page() -> str:
    """Every environment variable."""
    rows = [(f"`{name}`", default, text) for name, (default, text) in VARIABLES.items()]
    with TemporaryDirectory() as empty:
        plain = settings_from({"TALKTIME_DATA": empty})
    addresses = (plain.control_plane, *plain.cells.values())
    files = [address.path.name for address in addresses if address.path]
    return f"""# Configuration

<!-- Written by `make docs` from {SOURCE}. Change that, not this page. -->

An installation is described by its environment alone; an empty value counts as none. With nothing
set it is {" and ".join(f"`{name}`" for name in files)} in the data folder, served on
`http://{plain.host}:{plain.port}`.

{table(("variable", "default", "what it is"), rows)}

A value that cannot be used ends the command with one line that says what to write instead.
Passwords in addresses are never shown or logged.

What can grow has a maximum, which is the same everywhere: [limits](limits.md).
"""


def variables_read() -> set[str]:
    """The names of the environment variables that the code reads."""
    found = set()
    for path in (PROJECT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="get", value=ast.Name(id="environ")),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    found.add(name)
                case ast.Call(
                    func=ast.Name(id="number_from"),
                    args=[ast.Name(id="environ"), ast.Constant(value=str(name)), *_],
                ):
                    found.add(name)
                case ast.keyword(arg="envvar", value=ast.Constant(value=str(name))):
                    found.add(name)
    return found
