"""The words of the pages: collected, translated, compiled. Mirrors console/words.py."""

import pytest
from django.utils.translation import gettext, ngettext, override

from talktime.console.refusals import sentence
from talktime.console.words import catalogues, collected, texts, untranslated, updated
from talktime.core.refusal import Refusal


@pytest.fixture(scope="module")
def words():
    """All words of today: to collect them takes some seconds."""
    return collected()


def test_every_word_of_the_pages_is_translated_and_keeps_its_placeholders(words):
    for path in catalogues():
        assert untranslated(updated(path, words)) == [], path.parents[1].name


def test_the_catalogues_hold_the_words_of_today_and_are_compiled(words):
    """`make words` brings them up to date."""
    for path in catalogues():
        readable, compiled = texts(updated(path, words))
        assert path.read_bytes() == readable
        assert path.with_suffix(".mo").read_bytes() == compiled


def test_a_word_that_lost_a_placeholder_counts_as_missing(words):
    (path,) = catalogues()
    catalog = updated(path, words)
    broken = next(each for each in catalog if "%(name)s" in str(each.id))
    broken.string = "ohne Namen"
    assert untranslated(catalog) == [broken.id]


def test_german_is_read_from_the_compiled_words():
    with override("de"):
        assert gettext("Auto-recharge settings") == "Einstellungen für automatisches Aufladen"
        assert gettext("Save") == "Speichern"
        assert ngettext("%(days)s day", "%(days)s days", 2) != ""


def test_a_refusal_is_said_in_the_readers_language_with_its_detail():
    refusal = Refusal("unknown_key", "there is no key 7")
    with override("de"):
        assert sentence(refusal).startswith("Es gibt keinen Schlüssel 7. ")


def test_a_refusal_whose_detail_nobody_translated_is_said_by_its_title():
    refusal = Refusal("unknown_key", "what no source has")
    with override("de"):
        said = sentence(refusal)
    assert "(what no source has)" in said
    assert not said.startswith("what")
