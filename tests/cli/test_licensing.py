"""What a user needs for what, from the shell. Mirrors src/talktime/cli/licensing.py."""

import pytest

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def test_the_shell_says_which_licences_are_needed_for_what(shell):
    """With the catalogue of the installation."""
    printed = shell("licensing")
    assert "Dial out from meetings, beyond zone A" in printed
    assert "included minutes" in printed
    document = shell.json("licensing", "--country", "no")
    assert document["country"] == "NO"
    ways = {each["feature"]: each["ways"] for each in document["features"]}
    assert ways["Let an attendant or queue call out, minutes used up"] == [
        {
            "one_of_each": [["PHONESYSTEM_VIRTUALUSER"], ["MCOPSTN_PAYG_2"], ["MCOPSTNC"]],
            "paid_by": "credits",
        }
    ]


def test_what_is_no_country_is_an_error(shell):
    assert "two capital letters" in shell.error("licensing", "--country", "Norway")
