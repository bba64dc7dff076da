"""The shell in this process, on a store of the test's own."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from talktime.cli import main
from tests.stores import Store


class Shell:
    """Runs commands as a person types them, and keeps what they printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run a command that ends with this exit code; what it printed on stdout."""
        return self.run(*arguments, code=code)[0]

    def run(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Run a command that ends with this exit code; its stdout and stderr."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, out + err
        assert "Traceback" not in err
        return out, err

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with --json and read what it printed."""
        return json.loads(self(*arguments, "--json", code=code))

    def error(self, *arguments: str) -> str:
        """Run a command that cannot do what is asked: the one line on stderr."""
        out, err = self.run(*arguments, code=1)
        assert out == ""
        assert err.startswith("talktime: ")
        assert err.count("\n") == 1
        return err.removeprefix("talktime: ").strip()


@pytest.fixture
def shell(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """`talktime` on the store."""
    for name in ("HOST", "PORT", "TALKTIME_URL", "TALKTIME_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in store.environ.items():
        monkeypatch.setenv(name, value)
    return Shell(capsys)


@pytest.fixture
def contoso(shell: Shell) -> Callable[..., Any]:
    """An organisation with a user, a number and 250 USD."""
    shell("organisation", "create", "Contoso", "--country", "US", "--time-zone", "Europe/Oslo")
    user = "front-desk@contoso.example"
    licences = ("--licence=MCOEV", "--licence=MCOPSTN_PAYG_1", "--licence=MCOPSTNC")
    shell("user", "create", "Contoso", user, *licences, "--display-name", "Front desk")
    shell("number", "create", "Contoso", "+1 425 555 0100", "--user", user)
    funding = ("--reason", "first order", "--actor", "operator", "--idempotency-key", "order 1")
    return shell.json("fund", "Contoso", "250", *funding)
