"""Setting up organisations, users, numbers, keys and money from the shell."""

import re

import pytest

pytestmark = pytest.mark.layouts("sqlite", "postgres", "postgres-cells")


def test_an_organisation_is_made_with_an_empty_wallet(shell):
    made = shell.json("organisation", "create", "Contoso", "--country", "US")
    assert made == {
        "id": made["id"],
        "name": "Contoso",
        "cell": "main",
        "currency": "USD",
        "time_zone": "UTC",
        "country": "US",
        "commerce_model": "prepaid",
        "active": True,
        "rate_card": "standard",
        "rules": {
            "policy": "",
            "allowed_countries": [],
            "blocked_countries": [],
            "spend_limit": None,
            "pay_as_you_go": False,
            "post_usage_cap": None,
            "independent_counters": False,
            "sold_by_reseller": False,
            "agreement_country": "",
            "post_usage_blocked": False,
            "moved": False,
        },
    }
    shown = shell.json("organisation", "show", "Contoso")
    assert shown["wallet"] == {
        "currency": "USD",
        "balance": "0",
        "held": "0",
        "debt": "0",
        "available": "0",
        "lots": [],
    }
    assert shell.json("organisation", "show", made["id"]) == shown
    assert shell.json("organisation", "list") == {"organisations": [made]}


def test_an_organisation_can_be_put_into_another_cell(shell, store):
    cell = store.cells[-1]
    made = shell.json("organisation", "create", "Contoso", "--country", "US", "--cell", cell)
    assert made["cell"] == cell
    assert shell.json("organisation", "show", "Contoso")["wallet"]["balance"] == "0"


def test_an_organisation_is_switched_off_and_on(shell, contoso):
    assert shell.json("organisation", "change", "Contoso", "--inactive")["active"] is False
    changed = shell.json("organisation", "change", "Contoso", "--active", "--rate-card", "silver")
    assert (changed["active"], changed["rate_card"]) == (True, "silver")


def test_users_have_licences_a_place_and_numbers(shell, contoso):
    user = shell.json("user", "show", "Contoso", "Front-Desk@contoso.example")
    assert user == {
        "id": user["id"],
        "organisation_id": contoso["organisation_id"],
        "name": "front-desk@contoso.example",
        "display_name": "Front desk",
        "usage_location": "US",
        "licences": ["MCOEV", "MCOPSTNC", "MCOPSTN_PAYG_1"],
        "groups": [],
        "all_licences": ["MCOEV", "MCOPSTNC", "MCOPSTN_PAYG_1"],
        "kind": "person",
        "active": True,
        "policy": "",
        "spend_limit": None,
        "toll_free_dial_in": True,
        "numbers": ["+14255550100"],
    }
    [listed] = shell.json("user", "list", "Contoso")["users"]
    assert listed == {name: value for name, value in user.items() if name != "numbers"}


def test_a_users_licences_are_changed_as_a_whole_or_one_by_one(shell, contoso):
    change = ("user", "change", "Contoso", "front-desk@contoso.example")
    assert shell.json(*change, "--licence", "MCOEV")["licences"] == ["MCOEV"]
    assert shell.json(*change, "--usage-location", "NO")["licences"] == ["MCOEV"]
    more = shell.json(*change, "--add-licence", "MCOPSTN1", "--add-licence", "MCOPSTNC")
    assert more["licences"] == ["MCOEV", "MCOPSTN1", "MCOPSTNC"]
    fewer = shell.json(*change, "--remove-licence", "MCOPSTNC")
    assert fewer["licences"] == ["MCOEV", "MCOPSTN1"]
    assert "licence_not_possible" in shell.error(*change, "--remove-licence", "MCOEV")
    assert shell.json(*change, "--no-licences")["licences"] == []
    assert shell.json(*change, "--inactive")["active"] is False


def test_numbers_belong_to_an_organisation_and_a_user_until_they_are_released(shell, contoso):
    number = shell.json("number", "show", "+14255550100")
    assert number == {
        "number": "+14255550100",
        "organisation": "Contoso",
        "organisation_id": contoso["organisation_id"],
        "user": "front-desk@contoso.example",
        "user_id": number["user_id"],
        "kind": "user",
        "attached": "",
        "active": True,
    }
    assert shell.json("number", "list", "Contoso") == {"numbers": [number]}
    released = shell.json("number", "release", "Contoso", "+14255550100")
    assert released == {**number, "active": False}


def test_a_keys_text_is_shown_once(shell):
    made = shell.json("key", "create", "Switch 1", "--operator", "Contoso Voice")
    assert re.fullmatch(r"tt_[\w-]{43}", made["key"])
    shown = {name: value for name, value in made.items() if name != "key"}
    assert shown == {
        "id": made["id"],
        "switch": "Switch 1",
        "organisation": None,
        "name": "main",
        "scopes": ["calls", "quotes"],
        "state": "usable",
        "expires": None,
        "revoked": None,
        "last_used": None,
    }
    assert shell.json("key", "show", made["id"]) == shown
    assert shell.json("key", "list") == {"keys": [shown]}
    assert made["key"] not in shell("key", "show", made["id"]) + shell("key", "list")


def test_owners_are_told_of_keys_that_the_shell_makes(shell, store, contoso):
    shell("admin", "create", "owner@contoso.example", "--organisation", "Contoso")
    made = shell.json("key", "create", "--organisation", "Contoso")
    shell("key", "rotate", made["id"])
    shell("key", "create", "Oslo 1")
    kinds = store.control().rows("SELECT to_email, kind FROM account_mail ORDER BY id")
    assert [tuple(row) for row in kinds] == [
        ("owner@contoso.example", "key_created"),
        ("owner@contoso.example", "key_rotated"),
    ]


def test_a_key_is_rotated_and_the_old_one_revoked(shell):
    old = shell.json("key", "create", "Switch 1", "--scope", "quotes")
    new = shell.json("key", "rotate", old["id"], "--keep-hours", "1")
    assert new["scopes"] == ["quotes"]
    assert new["key"] != old["key"]
    kept = shell.json("key", "show", old["id"])
    assert (kept["state"], kept["expires"] is None) == ("usable", False)
    assert shell.json("key", "revoke", old["id"])["state"] == "revoked"
    assert shell.json("key", "show", new["id"])["state"] == "usable"


def test_funding_with_the_same_key_happens_once(shell, contoso):
    again = ("fund", "Contoso", "250", "--actor", "operator", "--idempotency-key", "order 1")
    repeated = shell.json(*again, "--reason", "first order")
    assert repeated == {**contoso, "replayed": True}
    assert "idempotency_key_reused" in shell.error(*again, "--reason", "another order")
    assert shell.json("organisation", "show", "Contoso")["wallet"]["balance"] == "250"


def test_funding_without_a_key_happens_each_time(shell, contoso):
    for money, balance in (("0.000001", "250.000001"), ("1", "251.000001")):
        funded = shell.json("fund", "Contoso", money, "--reason", "more", "--source", "grant")
        assert funded["available"] == balance
        assert funded["idempotency_key"]


def test_pages_for_people_name_what_they_show(shell, contoso):
    assert "Europe/Oslo" in shell("organisation", "show", "Contoso")
    assert "250.00 USD" in shell("organisation", "show", "Contoso")
    assert "Contoso" in shell("organisation", "list")
    assert "Communications Credits" in shell(
        "user", "show", "Contoso", "front-desk@contoso.example"
    )
    assert "front-desk@contoso.example" in shell("user", "list", "Contoso")
    assert "+14255550100" in shell("number", "list", "Contoso")
    assert "front-desk@contoso.example" in shell("number", "show", "+14255550100")
    assert "There are no keys" in shell("key", "list")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("organisation", "show", "Nobody"), "no organisation is named 'Nobody'"),
        (("organisation", "create", "Contoso", "--country", "US"), "already_exists"),
        (("organisation", "create", "X", "--country", "UK"), "must be a code of two capital"),
        (("organisation", "create", "X", "--country", "US", "--currency", "DEM"), "currency"),
        (("organisation", "create", "X", "--country", "US", "--cell", "moon"), "no cell 'moon'"),
        (("user", "create", "Contoso", "a b", "--licence", "MCOPSTNC"), "without spaces"),
        (("user", "create", "Contoso", "a", "--licence", "GOLD"), "is no licence"),
        (
            ("user", "create", "Contoso", "a", "--licence", "MCOPSTNC"),
            "MCOPSTNC (Communications Credits) needs Audio Conferencing, or Teams Phone and ",
        ),
        (("user", "change", "Contoso", "front-desk@contoso.example", "--policy", "x"), "policy"),
        (("group", "show", "Contoso", "x"), "Contoso has no group named 'x'"),
        (("group", "join", "Contoso", "x", "front-desk@contoso.example"), "unknown_group"),
        (("number", "reserve", "Contoso", "+14255550100"), "in use"),
        (
            ("number", "attach", "Contoso", "+14255550100", "--attached", "bridge"),
            "is the user's alone",
        ),
        (("organisation", "change", "Contoso", "--policy", "x"), "is no dial-out policy"),
        (("organisation", "change", "Contoso", "--commerce-model", "x"), "commerce model"),
        (("user", "show", "Contoso", "nobody"), "no user named 'nobody'"),
        (("number", "create", "Contoso", "+49"), "invalid_number"),
        (("number", "create", "Contoso", "+14255550100"), "in use"),
        (("number", "create", "Contoso", "+14255550101", "--user", "x"), "no user named 'x'"),
        (("number", "release", "Contoso", "+14255550109"), "belongs to no organisation"),
        (("key", "show", "1"), "there is no key 1"),
        (("key", "create", "S", "--scope", "all"), "scope"),
        (("key", "create", "S", "--expires", "2020-01-01"), "would have expired"),
        (("key", "create", "S", "--expires", "soon"), "is no time"),
        (("key", "create", ""), "the switch's name must be 1 to 64"),
        (("key", "create", "--organisation", ""), "no organisation is named ''"),
        (("peer", "create", "diameter", "", "sbc.example"), "the switch's name must be 1 to 64"),
        (("fund", "Contoso", "0", "--reason", "x"), "above 0"),
        (("fund", "Contoso", "49", "--reason", "x"), "must be from 50 to"),
        (("fund", "Contoso", "50", "--reason", "x", "--source", "recharge"), "must be one of"),
        (("fund", "Nobody", "1", "--reason", "x"), "no organisation is named 'Nobody'"),
        (("fund", "Contoso", "1", "--reason", "x", "--source", "luck"), "must be one of"),
        (("statement", "Nobody"), "no organisation is named 'Nobody'"),
        (("statement", "Contoso", "--from", "2026-02-01", "--to", "2026-01-01"), "ends after"),
        (("check-books", "--cell", "moon"), "no cell 'moon'"),
    ],
)
@pytest.mark.layouts("sqlite")
def test_what_cannot_be_done_is_one_line_that_says_why(shell, contoso, arguments, reason):
    assert reason in shell.error(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("fund", "Contoso", "1"),
        ("fund", "Contoso", "1.2345678", "--reason", "x"),
        ("fund", "Contoso", "lots", "--reason", "x"),
        ("organisation", "create", "X"),
        ("organisation", "change", "X", "--spend-limit", "little"),
        ("user", "change", "X", "a", "--spend-limit", "-1"),
        ("user", "change", "X", "a", "--licence", "MCOEV", "--no-licences"),
        ("user", "import", "X", "nothing.csv"),
        ("organisation", "destroy", "X"),
        ("key", "show", "main"),
        ("serve", "--only", "everything"),
        ("serve", "--only", "jobs", "--demo"),
        ("import-rates", "nothing.csv"),
        ("replay", "nothing.csv"),
    ],
)
@pytest.mark.layouts("sqlite")
def test_a_command_called_wrongly_says_how_it_is_called(shell, arguments):
    out, err = shell.run(*arguments, code=2)
    assert out == ""
    assert "Usage: talktime" in err


@pytest.mark.layouts("sqlite")
def test_long_and_strange_words_do_not_break_a_narrow_terminal(shell, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    name = "[red]" + "Contoso" * 12
    shell("organisation", "create", name, "--country", "US")
    listed = shell("organisation", "list")
    assert max(map(len, listed.splitlines())) <= 40
    assert "[red]" in listed
    assert max(map(len, shell("organisation", "show", name).splitlines())) <= 40


def test_the_statement_and_the_proof_of_a_funded_wallet(shell, contoso):
    drawn_up = shell.json("statement", "Contoso")
    assert (drawn_up["opening"], drawn_up["purchases"], drawn_up["closing"]) == ("0", "250", "250")
    assert drawn_up["calls"] == drawn_up["unproven"] == []
    assert "Closing balance" in shell("statement", "Contoso")
    proved = shell.json("check-books")
    assert proved["clean"] is True
    assert all(check["broken"] == 0 for cell in proved["cells"] for check in cell["checks"])
    assert "The books hold." in shell("check-books")


def test_a_planted_corruption_is_named_and_the_command_fails(shell, store, contoso):
    connection = store.cell()
    with connection.transaction():
        connection.run("UPDATE wallet SET balance_micros = balance_micros + 1")
    proved = shell.json("check-books", code=1)
    assert proved["clean"] is False
    broken = {
        check["check"]: check["findings"][0]["organisation"]
        for cell in proved["cells"]
        for check in cell["checks"]
        if check["broken"]
    }
    assert broken == {"wallet_lots": "Contoso"}
    assert "1 row does not hold." in shell("check-books", code=1)


@pytest.mark.layouts("sqlite")
def test_the_version_and_the_help_are_there(shell):
    assert shell("--version") == "talktime 0.1.0\n"
    assert "check-books" in shell("--help")
