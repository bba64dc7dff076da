"""Users, groups, rules and numbers from the shell. Mirrors src/talktime/cli/users.py and alike."""

import pytest

pytestmark = pytest.mark.layouts("sqlite", "postgres")

DESK = "front-desk@contoso.example"
HEADER = "name,usage_location,licences,groups,spend_limit\n"


@pytest.fixture
def file(tmp_path):
    """Write a file of users."""

    def file(text, name="users.csv"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return file


def test_users_are_imported_whole_and_exported_the_same(shell, contoso, file):
    shell("group", "create", "Contoso", "sales", "--licence", "MCOMEETADV")
    rows = f"{HEADER}lobby,GB,MCOEV MCOPSTN1,sales,25.5\n{DESK},US,MCOEV;MCOPSTN1;MCOPSTNC,,\n"
    path = file(rows)
    told = shell.json("user", "import", "Contoso", path, "--dry-run")
    written = {"organisation": "Contoso", "created": 1, "changed": 1, "unchanged": 0}
    assert told == {**written, "dry_run": True}
    assert len(shell.json("user", "list", "Contoso")["users"]) == 1
    assert shell.json("user", "import", "Contoso", path) == {**written, "dry_run": False}
    lobby = shell.json("user", "show", "Contoso", "lobby")
    assert lobby["licences"] == ["MCOEV", "MCOPSTN1"]
    assert lobby["all_licences"] == ["MCOEV", "MCOMEETADV", "MCOPSTN1"]
    assert (lobby["groups"], lobby["spend_limit"]) == (["sales"], "25.5")
    exported = shell("user", "export", "Contoso")
    assert exported.splitlines()[2] == "lobby,lobby,GB,MCOEV;MCOPSTN1,sales,,25.5,yes,person,yes"
    again = shell.json("user", "import", "Contoso", file(exported, "exported.csv"))
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 2)
    assert "Unchanged" in shell("user", "import", "Contoso", path)


def test_a_file_with_bad_rows_is_refused_with_every_reason(shell, contoso, file):
    path = file(f"{HEADER}a,US,MCOPSTNC,,\nb,US,,north,\nc,US,,,x\nd,US,,,\n")
    out, err = shell.run("user", "import", "Contoso", path, code=1)
    assert out == ""
    lines = err.splitlines()
    assert lines[0].startswith("line 2: MCOPSTNC (Communications Credits) needs ")
    assert lines[1] == "line 3: Contoso has no group named 'north'"
    assert lines[2] == "line 4: spend_limit: 'x' is not a decimal number such as 12.5"
    assert "3 rows are wrong; nothing was imported" in lines[3]
    assert len(shell.json("user", "list", "Contoso")["users"]) == 1


def test_a_name_with_a_nul_is_a_bad_row_like_another(shell, contoso, file):
    path = file("name\nlobby\na\0b\n")
    out, err = shell.run("user", "import", "Contoso", path, code=1)
    assert out == ""
    first, last = err.splitlines()
    assert first.startswith("line 3: the user's name must be 1 to 128 printable characters")
    assert "1 row is wrong; nothing was imported" in last
    assert len(shell.json("user", "list", "Contoso")["users"]) == 1


def test_users_whose_licences_are_not_lawful_are_listed_with_what_to_do(shell, contoso):
    shell("user", "create", "Contoso", "lobby", "--licence", "MCOMEETADV")
    clean = shell.json("user", "check", "Contoso")
    assert clean == {"organisation": "Contoso", "not_lawful": []}
    assert "The licences of all users of Contoso are in order." in shell("user", "check", "Contoso")
    shell("catalogue", "set", "licence", "MCOPSTN_PAYG_1", "requires=[[conferencing]]")
    before = shell.json("user", "list", "Contoso")
    told = shell.json("user", "check", "Contoso", code=1)
    [only] = told["not_lawful"]
    assert (only["name"], only["code"]) == (DESK, "licence_not_possible")
    needs = "MCOPSTN_PAYG_1 (Pay-As-You-Go Calling Plan (zone 1)) needs Audio Conferencing; "
    assert only["reason"].startswith(needs)
    assert only["remedy"] == "Give or take away what the detail names, all in one change."
    assert DESK in shell("user", "check", "Contoso", code=1)
    assert shell.json("user", "list", "Contoso") == before
    shell("user", "change", "Contoso", DESK, "--add-licence", "MCOMEETADV")
    assert shell.json("user", "check", "Contoso") == clean


def test_a_group_gives_its_licences_to_those_who_join(shell, contoso):
    made = shell.json("group", "create", "Contoso", "sales", "--licence", "MCOMEETADV")
    assert made == {"name": "sales", "licences": ["MCOMEETADV"]}
    assert shell.json("group", "list", "Contoso") == {"groups": [made]}
    shell("group", "join", "Contoso", "sales", DESK)
    assert shell.json("group", "show", "Contoso", "sales") == {**made, "members": [DESK]}
    user = shell.json("user", "show", "Contoso", DESK)
    assert "MCOMEETADV" in user["all_licences"]
    assert "MCOMEETADV" not in user["licences"]
    assert "(by group)" in shell("user", "show", "Contoso", DESK)
    changed = shell.json(
        "group", "change", "Contoso", "sales", "--add-licence", "MCOMEETADD_DIALOUT_US"
    )
    assert changed["licences"] == ["MCOMEETADD_DIALOUT_US", "MCOMEETADV"]
    shell("group", "leave", "Contoso", "sales", DESK)
    assert shell.json("user", "show", "Contoso", DESK)["groups"] == []
    assert shell.json("group", "delete", "Contoso", "sales") == changed
    assert shell.json("group", "list", "Contoso") == {"groups": []}


def test_a_user_has_a_policy_a_limit_and_groups_from_the_start(shell, contoso):
    shell("group", "create", "Contoso", "sales", "--licence", "MCOEV")
    made = shell.json(
        *("user", "create", "Contoso", "boardroom", "--group", "sales"),
        *("--policy", "DialoutCPCandPSTNDomestic", "--spend-limit", "25.50"),
        "--no-toll-free-dial-in",
    )
    assert made["policy"] == "DialoutCPCandPSTNDomestic"
    assert (made["spend_limit"], made["toll_free_dial_in"]) == ("25.5", False)
    assert (made["licences"], made["all_licences"]) == ([], ["MCOEV"])
    free = shell.json(
        "user", "change", "Contoso", "boardroom", "--spend-limit", "none", "--policy="
    )
    assert (free["spend_limit"], free["policy"]) == (None, "")


def test_an_organisations_rules_are_set_and_shown(shell, contoso):
    changed = shell.json(
        *("organisation", "change", "Contoso", "--commerce-model", "draining"),
        *("--policy", "DialoutCPCandPSTNDomestic", "--allowed-countries", "us, ca"),
        *("--blocked-countries", "RU", "--spend-limit", "25", "--pay-as-you-go"),
        *("--post-usage-cap", "1000", "--independent-counters"),
    )
    assert changed["commerce_model"] == "draining"
    assert changed["rules"] == {
        "policy": "DialoutCPCandPSTNDomestic",
        "allowed_countries": ["CA", "US"],
        "blocked_countries": ["RU"],
        "spend_limit": "25",
        "pay_as_you_go": True,
        "post_usage_cap": "1000",
        "independent_counters": True,
        "sold_by_reseller": False,
        "agreement_country": "",
        "post_usage_blocked": False,
        "moved": False,
    }
    shown = shell("organisation", "show", "Contoso")
    for text in ("CA, US", "25.00 USD a user and month", "1000.00 USD a month", "draining"):
        assert text in shown
    nothing = ("--allowed-countries=", "--spend-limit=none", "--post-usage-cap=none")
    rules = shell.json("organisation", "change", "Contoso", *nothing)["rules"]
    assert (rules["allowed_countries"], rules["spend_limit"]) == ([], None)
    assert (rules["post_usage_cap"], rules["blocked_countries"]) == (None, ["RU"])


def test_service_numbers_are_reserved_assigned_and_attached_within_the_quota(shell, contoso):
    assert shell.json("number", "quota", "Contoso") == {
        "user": {"taken": 1, "allowed": 11},
        "toll": {"taken": 0, "allowed": 5},
        "toll_free": {"taken": 0, "allowed": 5},
    }
    kept = shell.json("number", "reserve", "Contoso", "+18005550199", "--kind", "toll_free")
    assert (kept["number"], kept["kind"]) == ("+18005550199", "toll_free")
    shell("organisation", "create", "Fabrikam", "--country", "US")
    refused = shell.error("number", "create", "Fabrikam", "+18005550199", "--kind=toll_free")
    assert "is reserved until" in refused
    assert "was never funded" in shell.error(
        "number", "create", "Fabrikam", "+18005550198", "--kind", "toll_free"
    )
    assert "quota_reached" in shell.error(
        "number", "create", "Fabrikam", "+14255550111", "--kind", "toll"
    )
    shell("number", "create", "Fabrikam", "+14255550111", "--kind", "toll", "--over-quota")
    assert "+442080000001 is no toll-free number; its kind is user or toll" in shell.error(
        *("number", "create", "Contoso", "+442080000001", "--kind=toll_free", "--over-quota")
    )
    licence = ("--licence", "PHONESYSTEM_VIRTUALUSER")
    shell("user", "create", "Contoso", "main-line", "--kind", "resource_account", *licence)
    made = shell.json(
        *("number", "create", "Contoso", "+18005550199", "--kind", "toll_free"),
        *("--attached", "queue", "--user", "main-line"),
    )
    assert (made["attached"], made["user"]) == ("queue", "main-line")
    moved = shell.json("number", "attach", "Contoso", "+18005550199", "--attached", "bridge")
    assert (moved["attached"], moved["user"]) == ("bridge", None)
    assert "bridge" in shell("number", "list", "Contoso")
    assert "toll_free" in shell("number", "quota", "Contoso")
