"""Notices in words, of every kind. Mirrors src/talktime/operations/notice_words.py."""

import re
from html.parser import HTMLParser
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.notices import KINDS, Notice, notice
from talktime.operations.notice_said import Said
from talktime.operations.notice_words import LANGUAGES, SHOWN, Place, Reader, clean, words

PLACE = Place("Contoso", "https://talktime.contoso.example/organisations/7/")
ENGLISH = Reader("billing@contoso.example", "en-GB", "Europe/London")
GERMAN = Reader("kasse@contoso.example", "de-DE", "Europe/Berlin")
AT_MS = 1_795_428_000_000
WIDE = "\N{NO-BREAK SPACE}"
TEXTS = {
    "currency": "EUR",
    "month": "2026-11",
    "model": "post_usage",
    "pool": "2026-11/minutes/MCOPSTN1/US/domestic",
    "kinds": "lot.expiring=3 pool.warning=1",
    "code": "expired_card",
}


def example(kind, **facts):
    """A notice of this kind with plain facts, but for those that are given."""
    named = {name: TEXTS.get(name, f"some {name}") for name in KINDS[kind].texts}
    counted = dict.fromkeys(KINDS[kind].numbers, 5_000_000)
    counted |= {name: AT_MS for name in counted if name.endswith("_ms")}
    return notice(7, kind, "key", AT_MS, **{**named, **counted, **facts})


def places(said):
    """What a text wants to be put in."""
    lines = (said.subject, said.happened, said.means, said.step)
    return {name for line in lines for _, name, _, _ in Formatter().parse(line) if name}


class Tags(HTMLParser):
    """The elements of a page, each closed in its turn."""

    def __init__(self, html):
        super().__init__()
        self.names, self.open, self.links = set(), [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "background")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_said_whole_in_each_language(kind, code):
    for variant in ({}, *variants(kind)):
        told = words(example(kind, **variant), ENGLISH._replace(language=code), PLACE)
        assert "\N{EM DASH}" not in told.subject + told.text
        assert "{" not in told.subject + told.text
        assert PLACE.url in told.text
        tags = Tags(told.html)
        assert tags.open == []
        assert [link for link in tags.links if not link.startswith(PLACE.url)] == []


def variants(kind):
    """Facts with which a kind is said otherwise."""
    if "percent" in KINDS[kind].facts:
        yield {"percent": 80}
        yield {"percent": 100}
    if "next_ms" in KINDS[kind].may_lack:
        yield {"next_ms": None}
    if "lots" in KINDS[kind].facts:
        yield {"lots": 1}
    if "payment_id" in KINDS[kind].may_lack:
        yield {"payment_id": None}
    if "debt_micros" in KINDS[kind].facts:
        yield {"debt_micros": 0}
    if kind == "statement.closed":
        yield {"amount_micros": 0}


def test_the_languages_say_the_same_with_the_same_facts():
    english, german = LANGUAGES["en"], LANGUAGES["de"]
    assert english.said.keys() == german.said.keys()
    for kind, said in english.said.items():
        there = german.said[kind]
        assert places(said) >= {"amount"} & places(there), kind
        assert bool(said.link) == bool(there.link)
        assert all(isinstance(part, str) and part for part in there[:5]), kind
    assert set(german.titles) == set(KINDS)
    for language in (english, german):
        assert set(SHOWN) <= set(language.facts)
        assert set(KINDS) <= set(language.said)
        assert language.reasons.keys() == english.reasons.keys()
        assert language.models.keys() == english.models.keys()
        assert all(isinstance(said, Said) for said in language.said.values())


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("en", "It comes to less than can be paid.\n\nNothing is owed for this month."),
        ("de", "weniger, als sich bezahlen lässt.\n\nFür diesen Monat ist nichts offen."),
    ],
)
def test_a_statement_of_less_than_can_be_paid_asks_for_no_payment(code, says):
    told = example("statement.closed", amount_micros=0)
    assert says in words(told, ENGLISH._replace(language=code), PLACE).text


def test_a_failed_recharge_reads_as_a_person_would_write_it():
    facts = {
        "amount_micros": 200_000_000,
        "balance_micros": 1_500_000,
        "method": "Visa ending 4242",
    }
    told = words(example("recharge.failed", **facts), ENGLISH, PLACE)
    assert told.subject == "Auto-recharge failed for Contoso: it will be tried again"
    assert told.text == (
        "Auto-recharge could not collect €200.00 from Visa ending 4242: the card has expired.\n\n"
        "No credits were added; the balance is €1.50. The payment is tried again on "
        "23 Nov 2026, 10:00:00.\n\n"
        "See that the card can be charged, or choose another.\n\n"
        "Amount: €200.00\nBalance: €1.50\nNext try: 23 Nov 2026, 10:00:00\n"
        "Paid with: Visa ending 4242\nReason: the card has expired\n"
        "When: 23 Nov 2026, 10:00:00\n\n"
        "Check the card:\nhttps://talktime.contoso.example/organisations/7/credits/methods/\n\n"
        "-- \nThis mail was sent by Talktime to billing@contoso.example, which gets notices of "
        "Contoso. Times are in Europe/London.\n"
    )


@pytest.mark.parametrize(
    ("reader", "currency", "micros", "shown"),
    [
        (GERMAN, "EUR", 1_234_567_890_000, f"1.234.567,89{WIDE}€"),
        (ENGLISH, "JPY", 1_500_000, "JP¥2"),
        (ENGLISH, "KWD", 1_234_500, f"KWD{WIDE}1.235"),
        (ENGLISH._replace(language="en-US"), "USD", -15_000, "-$0.02"),
        (GERMAN._replace(language="de-CH"), "CHF", 1_234_500_000, f"CHF{WIDE}1’234.50"),
        (ENGLISH._replace(language="fr"), "EUR", 1_500_000, "€1.50"),
    ],
)
def test_amounts_are_in_the_currencys_decimals_and_the_readers_language(
    reader, currency, micros, shown
):
    facts = {"currency": currency, "balance_micros": micros}
    assert shown in words(example("balance.zero", **facts), reader, PLACE).text


def test_times_are_on_the_readers_clock():
    told = words(example("lot.expired"), GERMAN, PLACE).text
    assert "23.11.2026, 11:00:00" in told
    assert "Zeiten gelten in Europe/Berlin." in told
    zone = GERMAN._replace(time_zone="Pacific/Auckland")
    assert "23.11.2026, 23:00:00" in words(example("lot.expired"), zone, PLACE).text


def test_the_included_minutes_of_a_plan_are_named_in_words():
    told = words(example("pool.warning", percent=80, used_s=2_880_000), ENGLISH, PLACE)
    assert told.subject == (
        f"80{WIDE}% of included minutes are used: MCOPSTN1 US, domestic, November 2026"
    )
    assert "Of 83,333 min that are included (MCOPSTN1 US, domestic, November 2026), " in told.text
    assert "Contoso has used 48,000 min." in told.text


def test_a_digest_names_what_concerns_the_readers_roles():
    both = words(example("notices.digest", count=4), ENGLISH, PLACE).text
    assert "- Credits are about to expire (3×)\n- Included minutes are being used up\n" in both
    voice = words(example("notices.digest", count=4), ENGLISH._replace(roles=("voice",)), PLACE)
    assert "Included minutes" in voice.text
    assert "about to expire" not in voice.text


def test_a_kind_of_another_version_is_still_told():
    told = words(Notice(7, "moon.full", "k", AT_MS, {"phase": "{0.__class__}"}), GERMAN, PLACE)
    assert told.subject == "Contoso: moon.full"


def test_names_stand_apart_from_text_of_the_other_direction():
    hebrew = "\u05e9\u05dc\u05d5\u05dd"
    told = words(example("spend_limit.reached", user=f"{hebrew}\u202e!"), ENGLISH, PLACE)
    assert told.subject.startswith(f"\u2068{hebrew}!\u2069 has reached")
    assert f"<bdi>{hebrew}!</bdi>" in told.html
    assert "\u202e" not in told.subject + told.text + told.html


def test_what_is_long_is_shortened_and_stays_on_one_line():
    assert clean("a" * 500) == "a" * 239 + "…"
    assert clean("a\r\nBcc: b@c.example\x00\ud800") == "a Bcc: b@c.example"
    place = Place("Donaudampfschifffahrt" * 20, PLACE.url)
    subject = words(example("balance.zero"), GERMAN, place).subject
    assert len(subject) <= 180
    assert "\n" not in subject


odd = st.text(max_size=300) | st.sampled_from(
    ['<script>alert("1")</script>', "{0.__class__}", "%s", "a\r\nBcc: x@y.example", "\u202eabc", ""]
)


@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(["en-GB", "de", "de_AT", "fr", "xx-\x00", "", "zh-Hant-TW"]),
    st.data(),
)
def test_whatever_the_facts_are_a_notice_can_be_said_and_nothing_in_them_is_markup(
    kind, language, data
):
    facts = {name: data.draw(odd) for name in KINDS[kind].texts}
    facts |= {name: data.draw(st.integers(-(2**63), 2**63 - 1)) for name in KINDS[kind].numbers}
    facts |= {name: None for name in KINDS[kind].may_lack if data.draw(st.booleans())}
    reader = Reader(data.draw(odd), language, data.draw(st.sampled_from(["Europe/Oslo", "x", ""])))
    made = notice(7, kind, "k", data.draw(st.integers(-(2**63), 2**63 - 1)), **facts)
    told = words(made, reader, Place(data.draw(odd), PLACE.url))
    assert re.search(r"[\r\n]", told.subject) is None
    told.text.encode()
    tags = Tags(told.html)
    assert tags.open == []
    assert tags.names <= {
        *("html", "head", "meta", "title", "style", "body", "div", "p", "h1", "ul", "li"),
        *("table", "tr", "th", "td", "bdi", "a"),
    }
    assert [link for link in tags.links if not link.startswith(PLACE.url)] == []
