"""Who signs in to the console, from the shell."""

import io

import pytest
from django.contrib.auth import authenticate

pytestmark = pytest.mark.layouts("sqlite", "postgres")

EMAIL, PASSWORD = "admin@contoso.example", "seven green bottles"


@pytest.fixture
def typed(monkeypatch):
    """Put a text on the shell's stdin."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.fixture
def create(shell, contoso):
    """`talktime admin create` for Contoso."""
    return lambda *more, email=EMAIL: shell.json(
        "admin", "create", email, "--organisation", "Contoso", *more
    )


def test_a_new_admin_gets_a_password_that_is_shown_once(shell, create, contoso):
    made = create()
    assert made == {
        "id": made["id"],
        "email": EMAIL,
        "organisation": "Contoso",
        "organisation_id": contoso["organisation_id"],
        "role": "owner",
        "password": made["password"],
    }
    assert authenticate(username=EMAIL, password=made["password"]).email == EMAIL
    assert made["password"] not in shell("admin", "list") + shell("admin", "list", "--json")


def test_a_password_can_come_from_stdin(create, typed):
    typed(f"{PASSWORD}\n")
    assert create("--password-stdin")["password"] is None
    assert authenticate(username=EMAIL, password=PASSWORD) is not None


def test_an_account_that_is_there_keeps_its_password_unless_one_is_given(shell, create, typed):
    first = create()
    shell("organisation", "create", "Fabrikam", "--country", "NO")
    second = shell.json("admin", "create", EMAIL.upper(), "--organisation", "Fabrikam")
    assert (second["id"], second["password"]) == (first["id"], None)
    assert authenticate(username=EMAIL, password=first["password"]) is not None
    typed(PASSWORD)
    create("--password-stdin")
    assert authenticate(username=EMAIL, password=first["password"]) is None
    assert authenticate(username=EMAIL, password=PASSWORD) is not None
    listed = shell.json("admin", "list")["admins"]
    assert [(each["email"], each["organisation"], each["active"]) for each in listed] == [
        (EMAIL, "Contoso", True),
        (EMAIL, "Fabrikam", True),
    ]


def test_what_is_shown_to_people_names_the_person_and_the_organisation(shell, contoso):
    assert "Nobody can sign in yet" in shell("admin", "list")
    shown = shell("admin", "create", EMAIL, "--organisation", "Contoso")
    assert EMAIL in shown
    assert "The password, shown this once:" in shown
    assert EMAIL in shell("admin", "list")


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    ("arguments", "password", "reason"),
    [
        ((EMAIL, "--organisation", "Nobody"), "", "no organisation is named 'Nobody'"),
        (("nobody", "--organisation", "Contoso"), "", "Enter a valid email address."),
        ((EMAIL, "--organisation", "Contoso", "--password-stdin"), "short", "too short"),
        ((EMAIL, "--organisation", "Contoso", "--password-stdin"), "\n", "no password on stdin"),
    ],
)
def test_an_admin_who_cannot_be_made_is_one_line_that_says_why(
    shell, contoso, typed, arguments, password, reason
):
    typed(password)
    assert reason in shell.error("admin", "create", *arguments)
    assert shell.json("admin", "list") == {"admins": []}
