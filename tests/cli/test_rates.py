"""Publishing rate files from the shell. Mirrors src/talktime/cli/rates.py."""

import pytest

pytestmark = pytest.mark.layouts("sqlite", "postgres")

HEADER = "prefix,destination,price_per_minute\n"


@pytest.fixture
def publish(shell, tmp_path):
    """Import rows under the header of our own layout; the report."""

    def import_rows(rows, *arguments):
        path = tmp_path / "rates.csv"
        path.write_text(HEADER + rows, encoding="utf-8")
        return shell.json("import-rates", str(path), *arguments)

    return import_rows


def counts(report):
    ways = ("added", "dropped", "dearer", "cheaper")
    return {way: report[way]["count"] for way in ways}


def test_a_first_card_adds_everything(publish):
    report = publish("49,Germany,0.015\n44,UK,0.011\n", "--valid-from", "2026-01-01")
    assert report["valid_from"] == "2026-01-01T00:00:00Z"
    assert (report["rows"], report["replaces"], report["dry_run"]) == (2, None, False)
    assert counts(report) == {"added": 2, "dropped": 0, "dearer": 0, "cheaper": 0}


def test_a_new_version_tells_what_it_changes(publish, shell, tmp_path):
    publish("49,Germany,0.015\n44,UK,0.011\n33,France,0.02\n47,Norway,0.01\n")
    rows = "49,Germany,0.0151\n44,UK,0.0109\n33,France,0.02\n46,Sweden,0.02\n"
    rehearsed = publish(rows, "--dry-run", "--valid-from", "2030-01-01")
    assert counts(rehearsed) == {"added": 1, "dropped": 1, "dearer": 1, "cheaper": 1}
    assert rehearsed["unchanged"] == 1
    [dearer] = rehearsed["dearer"]["examples"]
    assert (dearer["prefix"], dearer["old"]["per_minute"], dearer["new"]["per_minute"]) == (
        *("49", "0.015"),
        "0.0151",
    )
    path = str(tmp_path / "rates.csv")
    shown = shell("import-rates", path, "--dry-run", "--valid-from", "2030-01-01")
    assert "Dry run: nothing was written" in shown
    assert "Dearer: 1" in shown
    assert "0.0151/min 60/60" in shown
    published = publish(rows, "--valid-from", "2030-01-01")
    assert published == {**rehearsed, "dry_run": False}


def test_every_bad_row_is_named_and_nothing_is_imported(shell, tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text(HEADER + "49,Germany,-1\n44,UK,0.011\n44,UK,0.012\n", encoding="utf-8")
    out, err = shell.run("import-rates", str(path), code=1)
    assert out == ""
    assert err.splitlines() == [
        "line 2: price_per_minute: -1 is negative",
        "line 4: prefix: 44 stands already on line 3",
        f"talktime: {path}: 2 rows are wrong; nothing was imported, nothing has changed",
    ]
    path.write_text(HEADER + "44,UK,0.011\n", encoding="utf-8")
    assert shell.json("import-rates", str(path))["replaces"] is None


def test_a_card_stays_in_its_currency_and_its_versions_apart(shell, publish, tmp_path):
    publish("44,UK,0.011\n", "--valid-from", "2026-01-01")
    path = str(tmp_path / "rates.csv")
    assert "already_exists" in shell.error("import-rates", path, "--valid-from", "2026-01-01")
    assert "cannot be in EUR" in shell.error("import-rates", path, "--currency", "EUR")
    assert "is no time" in shell.error("import-rates", path, "--valid-from", "soon")
