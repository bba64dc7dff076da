"""`talktime serve` where a part of the data is gone."""

import shutil

import pytest

from tests.serving import Serving, serving
from tests.stores import migrated_files

pytestmark = pytest.mark.layouts("sqlite")


def refused(environ, *arguments):
    """The one line with which a service that cannot start ends."""
    process = Serving(environ, *arguments)
    try:
        assert process.wait() == 1, process.words()
        assert "Traceback" not in process.words()
        (line,) = process.logged
        return line
    finally:
        process.end()


@pytest.mark.parametrize("arguments", [(), ("--demo",), ("--only", "jobs")])
def test_a_lost_cell_is_not_served_as_an_empty_one(store, shell, contoso, arguments):
    store.close()
    for file in store.settings.data.glob("cell_main.sqlite3*"):
        file.unlink()
    line = refused(store.environ, *arguments)
    assert line.startswith("talktime: the books of cell main are not in ")
    assert "restore it from the backup (docs/howto/back-up-and-restore.md)" in line
    assert not (store.settings.data / "cell_main.sqlite3").exists()
    assert "restore it from the backup" in shell.run("migrate", code=1)[1]


def test_a_cell_that_was_made_anew_is_found_by_the_proof(store, shell, contoso):
    store.close()
    for file in store.settings.data.glob("cell_main.sqlite3*"):
        file.unlink()
    shutil.copy(migrated_files("sqlite") / "cell_main.sqlite3", store.settings.data)
    (cell,) = shell.json("check-books", code=1)["cells"]
    (broken,) = [check for check in cell["checks"] if check["broken"]]
    assert broken["check"] == "directory_wallets"
    (finding,) = broken["findings"]
    assert finding["organisation"] == "Contoso"
    assert "which has no wallet of it" in finding["finding"]
    assert "1 row does not hold." in shell("check-books", code=1)


def test_a_demo_whose_wallet_is_gone_ends_in_one_line(store):
    with serving(store.environ, "--demo") as service:
        assert service.stop() == 0
    for file in store.settings.data.glob("cell_main.sqlite3*"):
        file.unlink()
    shutil.copy(migrated_files("sqlite") / "cell_main.sqlite3", store.settings.data)
    line = refused(store.environ, "--demo")
    assert line.startswith("talktime: the demo cannot be seeded: ")
    assert "check-books" in line


def test_an_organisation_newer_than_its_cell_is_given_a_wallet_and_sold_credits_again(
    store, shell, contoso
):
    cell = store.settings.data / "cell_main.sqlite3"
    store.close()
    for file in store.settings.data.glob("cell_main.sqlite3*"):
        file.unlink()
    shutil.copy(migrated_files("sqlite") / "cell_main.sqlite3", cell)
    asked = ("wallet Contoso", "organisation show Contoso", "fund Contoso 50 --reason again")
    for command in asked:
        assert "talktime organisation make-wallet" in shell.error(*command.split())
    assert "has an empty wallet now" in shell("organisation", "make-wallet", "Contoso")
    assert "The books hold." in shell("check-books")
    user = ("front-desk@contoso.example", "--licence", "MCOEV", "--usage-location", "US")
    shell("user", "create", "Contoso", *user)
    shell("number", "release", "Contoso", "+14255550100")
    shell("number", "create", "Contoso", "+14255550100", "--user", user[0])
    shell("fund", "Contoso", "50", "--reason", "made again")
    again = shell.json("organisation", "make-wallet", "Contoso")
    assert not again["made"]
    assert shell.json("wallet", "Contoso")["available"] == "50"
    assert "The books hold." in shell("check-books")


def test_a_wallet_newer_than_the_control_plane_is_named_again(store, shell, contoso):
    control = store.control()
    with control.transaction():
        control.run("DELETE FROM organisation WHERE name = ?", ("Contoso",))
    (cell,) = shell.json("check-books", code=1)["cells"]
    (finding,) = [each for check in cell["checks"] for each in check["findings"]]
    adopting = ("Contoso", "--country", "US", "--adopt", finding["organisation_id"])
    assert "invalid_value" in shell.error("organisation", "create", *adopting, "--currency", "NOK")
    shell("organisation", "create", *adopting)
    assert shell.json("wallet", "Contoso")["available"] == "250"
    assert "The books hold." in shell("check-books")
    assert "already_exists" in shell.error("organisation", "create", "B", *adopting[1:])
