"""What the rules wrote, in the reader's language. Mirrors console/said.py."""

import pytest
from babel.messages.pofile import read_po
from django.utils.translation import override

from talktime.console.said import (
    FIELD,
    destination_said,
    said,
    said_capital,
    said_marked,
    spoken_in,
)
from talktime.console.spoken import SAID
from talktime.console.words import catalogues


@pytest.mark.parametrize(
    ("written", "in_german"),
    [
        ("there is no key 7", "es gibt keinen Schlüssel 7"),
        (
            "60 s to Germany - Mobile cost 0.015 USD; 0.004 USD is available",
            "60 s nach Deutschland - Mobil kosten 0,015 USD; verfügbar sind 0,004 USD",
        ),
        (
            "the limit is 5 USD a month, and 0.015 USD more would pass it",
            "das Limit beträgt 5 USD im Monat, und weitere 0,015 USD würden es überschreiten",
        ),
        (
            "base licence: Domestic Calling Plan (MCOPSTN1)",
            "Basislizenz: Inlandsanrufplan (MCOPSTN1)",
        ),
        (
            "anna@contoso.example has no phone licence and no calling plan",
            "anna@contoso.example hat keine Telefonlizenz und keinen Anrufplan",
        ),
        (
            "no money beyond them: anna@contoso.example has no licence MCOPSTNC",
            "darüber hinaus kein Geld: anna@contoso.example hat keine Lizenz MCOPSTNC",
        ),
        (
            "'+4912' is too short: write it with + and the country code, for example +4930123456",
            (
                "'+4912' ist zu kurz: schreiben Sie sie mit + und der Landesvorwahl, "
                "zum Beispiel +4930123456"
            ),
        ),
        (
            "the header misses name and has unknown columns 'size'; the columns are name,kind",
            (
                "die Kopfzeile nennt name nicht und hat die unbekannten Spalten 'size'; "
                "die Spalten sind name,kind"
            ),
        ),
        ("Inbound to a user", "Eingehend an einen Benutzer"),
        ("Visa ending 4242", "Visa mit den Endziffern 4242"),
    ],
)
def test_a_text_is_said_in_german_with_its_values(written, in_german):
    with override("de"):
        assert said(written) == in_german
    with override("en"):
        assert said(written) == written


def test_the_sum_of_a_call_is_said_with_its_rate_and_a_decimal_comma():
    line = "49 Germany at 0.015/min and 0.02 at answer, 60/60, 61 s billed as 120 s: 0.05 USD"
    with override("de"):
        assert said(line) == (
            "49 Deutschland zu 0,015/Min. und 0,02 bei Annahme, 60/60, "
            "61 s als 120 s berechnet: 0,05 USD"
        )
        assert said(line.removeprefix("49 ")).startswith("Deutschland zu 0,015/Min.")


def test_names_that_people_gave_are_no_words():
    with override("de"):
        assert said("Emergency is switched off") == "Emergency ist deaktiviert"
        assert said("card has a group named open") == "card hat bereits eine Gruppe namens open"


def test_what_nobody_knows_stays_as_it_is_and_is_marked_as_english():
    with override("de"):
        assert said("a <b> that nobody wrote") == "a <b> that nobody wrote"
        assert said_marked("a <b> that nobody wrote") == (
            '<span lang="en">a &lt;b&gt; that nobody wrote</span>'
        )
        assert said_marked("12.5") == "12.5"
    with override("en"):
        assert said_marked("a text") == "a text"


def test_a_text_can_begin_a_sentence():
    with override("de"):
        assert said_capital("the file is empty") == "Die Datei ist leer"
    with override("en"):
        assert said_capital("the file is empty") == "The file is empty"


def test_destinations_are_said_as_far_as_they_are_known():
    with override("de"):
        assert destination_said("Norway") == "Norwegen"
        assert destination_said("Brazil - Sao Paulo") == "Brasilien - Sao Paulo"
        assert destination_said("Emergency") == "Notruf"
        assert destination_said("Somewhere - Mobile") == "Somewhere - Mobile"


def test_every_text_with_values_is_found_again_in_what_it_writes():
    """Each template, filled with values as they come, is said as its own translation."""
    (path,) = catalogues()
    with path.open("rb") as file:
        catalog = read_po(file)
    known = spoken_in("de")
    lost = []
    for message in catalog:
        if message.context != SAID or not FIELD.search(message.id):
            continue
        values = {name: f"7{place}" for place, name in enumerate(FIELD.findall(message.id))}
        written = FIELD.sub(lambda field, values=values: values[field[1]], message.id)
        wanted = FIELD.sub(lambda field, values=values: values[field[1]], message.string)
        with override("de"):
            if said(written) != wanted.strip():
                lost.append((message.id, said(written)))
    assert known.templates
    assert lost == []
