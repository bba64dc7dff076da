"""The catalogue from the shell. Mirrors src/talktime/cli/catalogue.py and catalogue_shown.py."""

from pathlib import Path
from typing import Any

import pytest

from talktime.operations.catalogue_file import catalogue_text
from talktime.operations.catalogue_seed import seed_entries
from tests.cli.conftest import Shell

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NEXT_YEAR = ("--valid-from", "2030-01-01")


def country(shell: Shell, code: str, at: str) -> dict[str, Any]:
    [only] = shell.json("catalogue", "show", "country", code, "--at", at)["country"]
    found: dict[str, Any] = only
    return found


def test_the_catalogue_is_shown_by_kind_at_a_moment(shell: Shell) -> None:
    shown = shell("catalogue", "show", "policy")
    assert "DialoutCPCZoneAPSTNDomestic" in shown
    assert "MCOPSTN1" not in shown
    everything = shell("catalogue", "show")
    for word in ("MCOPSTN1", "Norway", "44843", "DialoutCPCZoneAPSTNDomestic", "50000", "110"):
        assert word in everything
    settings = shell.json("catalogue", "show", "setting", "--at", "2025-10-31")
    assert settings == {
        "at": "2025-10-31T00:00:00Z",
        "setting": [
            {"name": name, "value": value, "valid_from": "1970-01-01T00:00:00Z"}
            for name, value in (
                ("default_policy", "DialoutCPCandPSTNInternational"),
                ("resource_account_calls", "credits"),
                ("user_numbers_more", "10"),
                ("user_numbers_percent", "110"),
            )
        ],
    }


def test_one_entry_is_shown_in_full(shell: Shell) -> None:
    shown = shell("catalogue", "show", "licence", "MCOPSTN2", "--at", "2022-12-31")
    assert "GB: 1200 domestic + 600 international" in shown
    assert "1970-01-01T00:00:00Z" in shown
    shown = shell("catalogue", "show", "licence", "MCOPSTN2")
    assert "GB: 3000 domestic + 600 international" in shown
    assert "2023-01-01T00:00:00Z" in shown
    assert "conferencing or phone and plan" in shell("catalogue", "show", "licence", "MCOPSTNC")


def test_what_is_not_there_is_said(shell: Shell) -> None:
    assert "'colour' is no kind of entry" in shell.error("catalogue", "show", "colour")
    assert "there is no country IS" in shell.error("catalogue", "show", "country", "IS")


def test_the_whole_catalogue_is_exported_and_comes_back_unchanged(
    shell: Shell, tmp_path: Path
) -> None:
    exported = shell("catalogue", "export")
    assert exported == catalogue_text(seed_entries())
    path = tmp_path / "catalogue.yaml"
    path.write_text(exported, encoding="utf-8")
    report = shell.json("catalogue", "import", str(path))
    assert report == {
        "dry_run": False,
        "added": 0,
        "changed": 0,
        "withdrawn": 0,
        "unchanged": len(seed_entries()),
        "changes": [],
    }
    as_json = shell.json("catalogue", "export")
    assert as_json["valid_from"] == "1970-01-01"
    assert as_json["setting"][0]["value"] == "DialoutCPCandPSTNInternational"


def test_an_export_of_a_moment_is_edited_and_put_in(shell: Shell, tmp_path: Path) -> None:
    exported = shell("catalogue", "export", "--at", "2030-01-01")
    assert exported.startswith("valid_from: 2030-01-01\n")
    assert exported.count("valid_from") == 1
    path = tmp_path / "catalogue.yaml"
    path.write_text(exported.replace("code: AT, payg_zone: '2'", "code: AT, payg_zone: '1'"))
    rehearsed = shell.json("catalogue", "import", str(path), "--dry-run")
    assert (rehearsed["dry_run"], rehearsed["changed"], rehearsed["added"]) == (True, 1, 0)
    assert country(shell, "AT", "2030-01-01")["payg_zone"] == "2"
    shown = shell("catalogue", "import", str(path))
    assert "country AT   2030-01-01T00:00:00Z   payg_zone   2        1" in shown
    assert country(shell, "AT", "2029-12-31")["payg_zone"] == "2"
    assert country(shell, "AT", "2030-01-01") == {
        "code": "AT",
        "payg_zone": "1",
        "zone_a": True,
        "premium": True,
        "valid_from": "2030-01-01T00:00:00Z",
    }


def test_every_bad_entry_is_named_and_nothing_is_imported(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text("country:\n- {code: UK}\n- {code: SE, masked_digits: 4}\n- {code: NO, a: 1}\n")
    out, err = shell.run("catalogue", "import", str(path), *NEXT_YEAR, code=1)
    assert out == ""
    assert err.splitlines() == [
        "line 2: country UK: code: 'UK' is no country's code of two capital letters",
        "line 4: country NO: Object contains unknown field `a`",
        f"talktime: {path}: 2 places are wrong; nothing was imported, nothing has changed",
    ]
    assert shell("catalogue", "export") == catalogue_text(seed_entries())


def test_fields_are_set_from_a_moment_on_or_at_once(shell: Shell) -> None:
    report = shell.json("catalogue", "set", "country", "NO", "masked_digits=4", *NEXT_YEAR)
    assert report["changes"] == [
        {
            "kind": "country",
            "code": "NO",
            "valid_from": "2030-01-01T00:00:00Z",
            "way": "changed",
            "fields": [{"field": "masked_digits", "old": "3", "new": "4"}],
        }
    ]
    shown = shell("catalogue", "set", "country", "SE", "masked_digits=2", "payg_zone=")
    assert "payg_zone       2        —" in shown
    [sweden] = shell.json("catalogue", "show", "country", "SE")["country"]
    assert (sweden["masked_digits"], sweden.get("payg_zone")) == (2, None)
    [norway] = shell.json("catalogue", "show", "country", "NO")["country"]
    assert norway["masked_digits"] == 3
    assert "is no FIELD=VALUE" in shell.error("catalogue", "set", "country", "NO", "masked_digits")


def test_the_past_is_changed_only_when_that_is_said(shell: Shell) -> None:
    words = ("catalogue", "set", "country", "NO", "masked_digits=4", "--valid-from", "2020-01-01")
    assert "country NO would change what holds since 2020-01-01" in shell.error(*words)
    assert country(shell, "NO", "2020-01-01")["masked_digits"] == 3
    assert shell.json(*words, "--change-past")["changed"] == 1
    assert country(shell, "NO", "2019-12-31")["masked_digits"] == 3
    assert country(shell, "NO", "2020-01-01")["masked_digits"] == 4


def test_an_entry_is_withdrawn_from_a_moment_on(shell: Shell) -> None:
    words = ("catalogue", "withdraw", "licence", "MCOPSTN8", *NEXT_YEAR)
    assert shell.json(*words, "--dry-run")["withdrawn"] == 1
    assert "licence MCOPSTN8   2030-01-01T00:00:00Z   withdrawn" in shell(*words)
    assert "MCOPSTN8" in shell("catalogue", "show", "licence", "--at", "2029-12-31")
    assert "MCOPSTN8" not in shell("catalogue", "show", "licence", "--at", "2030-01-01")
    assert "MCOPSTN8" in shell("catalogue", "export")
    assert "there is no licence MCOPSTN8" in shell.error(*words)
    policy = ("policy", "DialoutCPCandPSTNInternational")
    assert "there is no policy" in shell.error("catalogue", "withdraw", *policy, *NEXT_YEAR)
