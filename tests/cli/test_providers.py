"""Which payment provider takes cards, from the shell."""

import io

import pytest

pytestmark = pytest.mark.layouts("sqlite", "postgres")

KEY, SECRET = "sk_test_51NeverShown", "whsec_NeverShownEither"


@pytest.fixture
def typed(monkeypatch):
    """Put a text on the shell's stdin."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_stripes_keys_are_read_from_stdin_and_never_shown(shell, typed):
    typed(f"{KEY}\n{SECRET}\n")
    done = shell.json("provider", "set", "stripe", "--actor", "operator")
    assert done == {
        "provider": "stripe",
        "active": True,
        "set": done["set"],
        "set_by": "operator",
    }
    shown = shell("provider", "show")
    assert f"set on {done['set']} by operator" in shown
    listed = shell.json("provider", "show")
    assert [(each["provider"], each["active"]) for each in listed["providers"]] == [
        *(("sandbox", False), ("stripe", True)),
    ]
    for secret in (KEY, SECRET):
        assert secret not in shown + str(listed)


def test_a_provider_is_removed_when_another_is_in_use(shell, typed):
    typed(f"{KEY}\n{SECRET}\n")
    shell("provider", "set", "stripe")
    assert "new cards go to stripe" in shell.error("provider", "remove", "stripe")
    shell("provider", "set", "sandbox")
    removed = shell.json("provider", "remove", "stripe")
    assert removed == {"provider": "stripe", "removed": True}
    assert [each["set"] is None for each in shell.json("provider", "show")["providers"]] == [
        *(False, True),
    ]


@pytest.mark.parametrize("text", ["", f"{KEY}\n", f"\n{SECRET}\n"])
def test_a_secret_that_is_missing_is_asked_for_by_what_to_do(shell, typed, text):
    typed(text)
    error = shell.error("provider", "set", "stripe")
    assert error.startswith("there are no two lines on stdin")
    assert shell.json("provider", "show")["providers"][1]["set"] is None


def test_secrets_that_cannot_be_right_are_refused_and_not_repeated(shell, typed):
    typed(f"{SECRET}\n{KEY}\n")
    error = shell.error("provider", "set", "stripe")
    assert error.startswith("Stripe's secret key must start with sk_ or rk_")
    assert KEY not in error
    assert SECRET not in error


@pytest.mark.parametrize("verb", ["set", "remove"])
def test_a_provider_that_is_none_is_a_wrong_use(shell, verb):
    assert "choose one of sandbox, stripe" in shell.run("provider", verb, "piggy", code=2)[1]
