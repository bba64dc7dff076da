"""What the environment may say. Mirrors src/talktime/config.py."""

import os
import stat
from pathlib import Path

import pytest

from talktime.config import Address, ConfigError, SellerDetails, Smtp, settings_from
from talktime.operations.execute import terms_of

SERVER = "postgresql://billing:s3cret@db.contoso.example:5433/talktime"
OTHER = "postgresql://billing:0ther@db2.contoso.example/talktime"


def test_an_empty_environment_is_one_cell_in_sqlite_files_on_the_loopback_address():
    settings = settings_from({})
    assert settings.data == Path("data")
    assert settings.control_plane == Address("sqlite", path=Path("data/control.sqlite3"))
    assert settings.cells == {"main": Address("sqlite", path=Path("data/cell_main.sqlite3"))}
    assert (settings.host, settings.port, settings.https) == ("127.0.0.1", 8000, False)


def test_empty_values_count_as_absent():
    names = ["TALKTIME_DATA", "DATABASE_URL", "TALKTIME_CELLS", "HOST", "PORT", "TALKTIME_URL"]
    assert settings_from(dict.fromkeys(names, " ")) == settings_from({})


def test_three_cells_share_one_postgresql_in_a_schema_each():
    settings = settings_from({"DATABASE_URL": SERVER, "TALKTIME_CELLS": "main north south"})
    assert settings.control_plane == Address("postgres", url=SERVER, schema="talktime")
    assert settings.cells == {
        "main": Address("postgres", url=SERVER, schema="cell_main"),
        "north": Address("postgres", url=SERVER, schema="cell_north"),
        "south": Address("postgres", url=SERVER, schema="cell_south"),
    }


def test_a_cell_may_have_a_server_of_its_own():
    settings = settings_from({"DATABASE_URL": SERVER, "TALKTIME_CELLS": f"main far={OTHER}"})
    assert settings.cells["main"].url == SERVER
    assert settings.cells["far"] == Address("postgres", url=OTHER, schema="cell_far")


def test_a_cell_of_its_own_server_may_stand_beside_sqlite_files():
    settings = settings_from({"TALKTIME_CELLS": f"main far={OTHER}", "TALKTIME_DATA": "/srv/t"})
    assert settings.control_plane.path == Path("/srv/t/control.sqlite3")
    assert settings.cells["far"].url == OTHER


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"PORT": "http"}, "PORT is 'http'"),
        ({"PORT": "65536"}, "PORT is '65536'"),
        ({"PORT": "-1"}, "PORT is '-1'"),
        ({"DATABASE_URL": "mysql://h/d"}, "DATABASE_URL must start with postgresql://"),
        ({"DATABASE_URL": "postgresql://h:port/d"}, "DATABASE_URL is not a database address"),
        ({"DATABASE_URL": "postgresql://h/"}, "DATABASE_URL names no database"),
        ({"TALKTIME_CELLS": "Main"}, "'Main' is not a cell's name"),
        ({"TALKTIME_CELLS": "a-b"}, "'a-b' is not a cell's name"),
        ({"TALKTIME_CELLS": "c" * 33}, "is not a cell's name"),
        ({"TALKTIME_CELLS": "main main"}, "names the cell 'main' twice"),
        ({"TALKTIME_CELLS": "far=sqlite:x"}, "TALKTIME_CELLS (far) must start with"),
        ({"TALKTIME_URL": "talktime.contoso.example"}, "TALKTIME_URL must be the address"),
        ({"TALKTIME_URL": "https://contoso.example/x"}, "without a path"),
        ({"TALKTIME_SECRET_KEY": "short"}, "TALKTIME_SECRET_KEY is shorter than 32"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_to_do(environ, says):
    with pytest.raises(ConfigError) as refused:
        settings_from(environ)
    assert says in str(refused.value)


@pytest.mark.parametrize("name", ["DATABASE_URL", "TALKTIME_CELLS"])
def test_an_error_never_repeats_a_password(name):
    url = "postgres://billing:s3cret@db:port/x"
    with pytest.raises(ConfigError) as refused:
        settings_from({name: url if name == "DATABASE_URL" else f"far={url}"})
    assert "s3cret" not in str(refused.value)


def test_settings_shown_in_a_log_hold_no_secret():
    key = "k" * 40
    in_query = "postgresql:///talktime?host=/run/pg&password=s3cret&sslpassword=s3cret"
    settings = settings_from(
        {
            "DATABASE_URL": SERVER,
            "TALKTIME_SECRET_KEY": key,
            "TALKTIME_CELLS": f"main far={in_query}",
        }
    )
    shown = repr(settings) + str(settings)
    assert "s3cret" not in shown
    assert key not in shown
    assert settings.control_plane.shown == (
        "postgresql://billing:***@db.contoso.example:5433/talktime schema talktime"
    )
    assert settings.cells["far"].shown == (
        "postgresql:///talktime?host=/run/pg&password=***&sslpassword=*** schema cell_far"
    )


def test_the_secret_key_is_made_once_for_its_owners_eyes_only(tmp_path):
    settings = settings_from({"TALKTIME_DATA": str(tmp_path / "deep" / "data")})
    assert not settings.data.exists()
    key = settings.secret_key()
    assert len(key) == 64
    assert settings.secret_key() == key
    assert stat.S_IMODE(os.stat(settings.data / "secret_key").st_mode) == 0o600
    assert [path.name for path in settings.data.iterdir()] == ["secret_key"]


def test_a_given_secret_key_makes_no_file(tmp_path):
    key = "k" * 32
    settings = settings_from({"TALKTIME_DATA": str(tmp_path), "TALKTIME_SECRET_KEY": key})
    assert settings.secret_key() == key
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_secret_key_file_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(ConfigError, match="Remove the file"):
        settings_from({"TALKTIME_DATA": str(tmp_path)}).secret_key()


def test_a_data_folder_that_cannot_be_made_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="Set TALKTIME_DATA to a folder"):
        settings_from({"TALKTIME_DATA": str(tmp_path / "file")}).secret_key()


@pytest.mark.parametrize(
    ("environ", "hosts"),
    [
        ({}, ["127.0.0.1", "[::1]", "localhost"]),
        ({"HOST": "10.0.0.5"}, ["10.0.0.5", "127.0.0.1", "[::1]", "localhost"]),
        ({"HOST": "0.0.0.0"}, ["*"]),
        ({"HOST": "[::]"}, ["*"]),
        ({"HOST": "2001:DB8:0::5"}, ["127.0.0.1", "[2001:db8::5]", "[::1]", "localhost"]),
        (
            {"TALKTIME_URL": "http://[2001:DB8::5]:8000"},
            ["[2001:db8::5]", "localhost", "127.0.0.1", "[::1]"],
        ),
        (
            {"HOST": "0.0.0.0", "TALKTIME_URL": "https://credits.contoso.example"},
            ["credits.contoso.example", "localhost", "127.0.0.1", "[::1]"],
        ),
    ],
)
def test_the_console_answers_to_the_names_it_is_served_under(environ, hosts):
    assert settings_from(environ).allowed_hosts() == hosts


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("::1", "http://[::1]:8000"),
        ("[2001:db8::5]", "http://[2001:db8::5]:8000"),
        ("::", "http://127.0.0.1:8000"),
    ],
)
def test_an_ipv6_host_stands_in_brackets_in_the_address_and_may_in_the_setting(host, address):
    settings = settings_from({"HOST": host})
    assert settings.host == host.strip("[]")
    assert settings.address == address


def test_mail_from_an_ipv6_address_has_a_sender_that_may_be():
    settings = settings_from({"TALKTIME_URL": "http://[2001:db8::5]:8000"})
    assert settings.mail_from() == "Talktime <talktime@[IPv6:2001:db8::5]>"


def test_the_warning_of_pools_is_a_setting_with_bounds():
    given = settings_from({"TALKTIME_POOL_WARNING_PERCENT": "90"})
    assert [terms_of(each).pool_warning_percent for each in (settings_from({}), given)] == [80, 90]
    for text in ("0", "100", "80%"):
        with pytest.raises(ConfigError, match="Use a number from 1 to 99"):
            settings_from({"TALKTIME_POOL_WARNING_PERCENT": text})


def test_slices_and_grace_are_settings_with_defaults_and_bounds():
    assert (settings_from({}).slice_s, settings_from({}).grace_s) == (300, 60)
    given = settings_from({"TALKTIME_SLICE_SECONDS": "600", "TALKTIME_GRACE_SECONDS": "0"})
    assert (given.slice_s, given.grace_s) == (600, 0)
    for name in ("TALKTIME_SLICE_SECONDS", "TALKTIME_GRACE_SECONDS"):
        for text in ("-1", "86401", "1.5", "five", "9" * 30):
            with pytest.raises(ConfigError, match=f"{name} is .* Use a number from"):
                settings_from({name: text})
    with pytest.raises(ConfigError, match="from 1 to"):
        settings_from({"TALKTIME_SLICE_SECONDS": "0"})


def test_a_cell_on_postgresql_has_as_many_writers_as_are_wanted():
    environ = {"TALKTIME_CELLS": f"main far={OTHER}"}
    for text, writers in (("", 2), ("1", 1), (" 16 ", 16)):
        settings = settings_from({**environ, "TALKTIME_WRITERS": text})
        assert (settings.writers_of("main"), settings.writers_of("far")) == (1, writers)
    for text in ("0", "17", "-1", "two", "1.5", "9" * 30):
        wanted = "TALKTIME_WRITERS is .* Use a number from 1 to 16"
        with pytest.raises(ConfigError, match=wanted):
            settings_from({"TALKTIME_WRITERS": text})


@pytest.mark.parametrize(
    ("text", "seller"),
    [
        ("", SellerDetails("Talktime")),
        ("Contoso Voice", SellerDetails("Contoso Voice")),
        (" Contoso\n1 Main Street\n\nOslo ", SellerDetails("Contoso", ("1 Main Street", "Oslo"))),
        (
            '{"name": "Contoso", "address": ["Oslo"], "tax_id": "NO 1", "bank": "IBAN NO00"}',
            SellerDetails("Contoso", ("Oslo",), "NO 1", "IBAN NO00"),
        ),
        ('{"name": "Contoso", "address": "Oslo"}', SellerDetails("Contoso", ("Oslo",))),
    ],
)  # fmt: skip
def test_who_issues_invoices_is_an_object_or_lines(text, seller):
    assert settings_from({"TALKTIME_SELLER": text}).seller == seller


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"name": 5}',
        '{"name": "a", "address": [5]}',
        '{"name": "a", "bank": 5}',
        "a\n" * 20,
        "a" * 201,
        "a\tb",
    ],
)
def test_a_seller_that_cannot_be_printed_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match="TALKTIME_SELLER says who issues invoices"):
        settings_from({"TALKTIME_SELLER": text})


@pytest.mark.parametrize(
    ("url", "smtp"),
    [
        ("smtp://mail.example", Smtp("mail.example", 25, "none")),
        ("smtps://u:p%40ss@mail.example", Smtp("mail.example", 465, "tls", "u", "p@ss")),
        ("smtp+starttls://u:p@[::1]:2525", Smtp("::1", 2525, "starttls", "u", "p")),
    ],
)
def test_a_mail_server_is_read_from_its_address(url, smtp):
    assert settings_from({"TALKTIME_SMTP_URL": url}).smtp == smtp
    assert "p@ss" not in repr(smtp)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            ("TALKTIME_SMTP_URL", text)
            for text in ("mail", "http://x", "smtp://", "smtp://x:99999")
        ),
        *(("TALKTIME_MAIL_FROM", text) for text in ("x", "a@b\nBcc: c@d", "A <a@b> x", "a@b, c@d")),
    ],
)
def test_mail_that_could_not_be_sent_is_refused_at_the_start(name, text):
    with pytest.raises(ConfigError, match=name):
        settings_from({name: text})


def test_mail_is_from_the_host_of_the_installation_where_nothing_else_is_said():
    at = settings_from({"TALKTIME_URL": "https://talktime.contoso.example"})
    assert at.mail_from() == "Talktime <talktime@talktime.contoso.example>"
    named = settings_from({"TALKTIME_MAIL_FROM": "Contoso <calls@contoso.example>"})
    assert named.mail_from() == "Contoso <calls@contoso.example>"
    assert settings_from({"HOST": "0.0.0.0", "PORT": "80"}).address == "http://127.0.0.1:80"


def test_hosts_that_webhooks_may_reach_are_read_and_what_is_none_is_refused_at_the_start():
    text = "Hooks.internal 10.0.0.5:8080 [fd00::5]:8443"
    allowed = settings_from({"TALKTIME_WEBHOOKS_ALLOW": text}).webhooks_allow
    assert allowed == ("hooks.internal", "10.0.0.5:8080", "[fd00::5]:8443")
    assert settings_from({}).webhooks_allow == ()
    for wrong in ("http://hooks.internal", "a,b", "hooks.internal/x", "a:0", "a:99999", "a:b", "*"):
        with pytest.raises(ConfigError, match=r"TALKTIME_WEBHOOKS_ALLOW: .* is no host"):
            settings_from({"TALKTIME_WEBHOOKS_ALLOW": f"hooks.internal {wrong}"})


def test_proxies_are_addresses_or_networks():
    assert settings_from({"TALKTIME_PROXIES": "10.0.0.5  fd00::/8"}).proxies == (
        "10.0.0.5/32",
        "fd00::/8",
    )
    for wrong in ("proxy.internal", "10.0.0.5/24", "10.0.0.5,10.0.0.6", "*", "10.0.0.5:80"):
        with pytest.raises(ConfigError, match=r"TALKTIME_PROXIES: .*Write the addresses"):
            settings_from({"TALKTIME_PROXIES": wrong})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:1812", ("127.0.0.1", 1812)),
        ("[::]:0", ("::", 0)),
        (" radius.contoso.example:1645 ", ("radius.contoso.example", 1645)),
    ],
)
def test_radius_listens_where_it_is_told(text, place):
    settings = settings_from({"TALKTIME_RADIUS_AUTH": text})
    assert settings.radius is not None
    assert settings.radius.auth == place
    assert settings.radius.acct is None
    assert settings_from({"TALKTIME_RADIUS_AUTH": " "}).radius is None


@pytest.mark.parametrize(
    "text", ["1812", ":1812", "127.0.0.1", "127.0.0.1:", "::1:1812", "a:65536", "a:x", "a:-1"]
)
def test_a_place_to_listen_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match=r"TALKTIME_RADIUS_ACCT is .* 0\.0\.0\.0:1813"):
        settings_from({"TALKTIME_RADIUS_ACCT": text})


NODE = {
    "TALKTIME_DIAMETER_IDENTITY": "Charging.Contoso.Example",
    "TALKTIME_DIAMETER_REALM": "Contoso.example fabrikam.example",
}


def test_diameter_listens_where_it_is_told():
    assert settings_from({**NODE}).diameter is None
    found = settings_from({**NODE, "TALKTIME_DIAMETER_LISTEN": "0.0.0.0:3868, [::1]:0"}).diameter
    assert found is not None
    assert [str(each) for each in found.plain] == ["0.0.0.0:3868", "[::1]:0"]
    assert (found.identity, found.secure) == ("charging.contoso.example", ())
    assert found.realms == ("contoso.example", "fabrikam.example")


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"TALKTIME_DIAMETER_LISTEN": "3868"}, "TALKTIME_DIAMETER_LISTEN"),
        ({"TALKTIME_DIAMETER_LISTEN": "h:1", "TALKTIME_DIAMETER_IDENTITY": ""}, "IDENTITY"),
        ({"TALKTIME_DIAMETER_LISTEN": "h:1", "TALKTIME_DIAMETER_REALM": "a b!"}, "REALM"),
        ({"TALKTIME_DIAMETER_TLS_LISTEN": "h:1"}, "TALKTIME_DIAMETER_CERT"),
    ],
)
def test_a_diameter_node_that_cannot_be_is_refused(said, named):
    with pytest.raises(ConfigError, match=named):
        settings_from({**NODE, **said})
