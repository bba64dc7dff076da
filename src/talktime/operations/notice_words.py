"""A notice in words, for one reader: what happened, what it means, the one step to take.

Names, reasons and addresses come from people and from other services: they are shown as text on one
line, shortened, without control characters, and stand apart from text that runs the other way.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, UnknownLocaleError

from talktime.core.limits import NOTICE_FACT_TEXT_MAX, NOTICE_SUBJECT_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.notices import KINDS, Fact, Notice
from talktime.operations.notice_html import Row, isolated, mail_html
from talktime.operations.notice_said import ORGANISATION, PLACES, Language, Said
from talktime.operations.notice_texts_de import GERMAN
from talktime.operations.notice_texts_en import ENGLISH
from talktime.operations.wording import Wording, zone_named

LANGUAGES: dict[str, Language] = {each.code: each for each in (ENGLISH, GERMAN)}
"""The languages that mail is written in, by their codes."""

DIGEST = "notices.digest"
SHOWN = (
    *("amount", "balance", "threshold", "remaining", "forfeited", "voided", "debt", "limit"),
    *("expires", "payable", "next", "method", "card", "reference", "bank", "document", "po"),
    *("user", "pool", "month", "model", "reason", "url"),
)
"""The facts in the mail's list, in their order."""

_NAMES = {
    "document_number": "document",
    "po_number": "po",
    "detail": "reason",
    "exp_year": "card",
}
_NAMED = re.compile(r"\{(\w+)\}")
_TIMES = re.compile("[0-9]{1,9}")
_SPACES = re.compile(r"\s+")
# Letters of some scripts are joined and parted by these two; other invisible signs are left out.
_JOINERS = "\u200c\u200d"


class Reader(NamedTuple):
    """Who reads: the address, language and clock of a recipient, and the roles they have."""

    email: str
    language: str
    time_zone: str
    roles: tuple[str, ...] = ("admin",)


class Place(NamedTuple):
    """The organisation a notice is about, and the address of its page."""

    organisation: str
    url: str


class Words(NamedTuple):
    """A notice as mail: its subject, the plain text, the HTML."""

    subject: str
    text: str
    html: str


def words(notice: Notice, reader: Reader, place: Place) -> Words:
    """The notice in the reader's language, with amounts and times as the reader writes them.

    >>> zero = Notice(1, "balance.zero", "k", 0, {"currency": "EUR", "balance_micros": -5000})
    >>> reader = Reader("billing@contoso.example", "de-DE", "Europe/Berlin")
    >>> words(zero, reader, Place("Contoso", "https://talktime.example/")).subject
    'Contoso hat kein Guthaben mehr'
    """
    language = language_of(reader.language)
    wording = Wording(_locale(reader.language, language.code), zone_named(reader.time_zone))
    facts = facts_in_words(notice, language, wording)
    concerning = _concerning(notice, reader)
    if notice.kind == DIGEST:
        facts["count"] = wording.decimal(sum(concerning.values()))
    facts |= {
        "organisation": clean(place.organisation),
        "email": clean(reader.email),
        "zone": clean(reader.time_zone),
    }
    said = _said(notice, language)
    rows = [Row(language.facts[name], facts[name]) for name in SHOWN if facts.get(name)]
    rows.append(Row(language.facts["at"], facts["at"]))
    known = _Known({name: isolated(value) for name, value in facts.items()})
    happened, means, step = (
        line.format_map(known) for line in (said.happened, said.means, said.step)
    )
    listed = [
        title_of(kind, language) + (f" ({times}\N{MULTIPLICATION SIGN})" if times > 1 else "")
        for kind, times in concerning.items()
    ]
    url = place.url + page_of(notice)
    subject = _shortened(said.subject.format_map(known), NOTICE_SUBJECT_TEXT_MAX)
    footer = language.footer.format_map(known)
    parts = [
        *(happened, "\n".join(f"- {line}" for line in listed), means, step),
        "\n".join(f"{row.name}{language.colon} {isolated(row.value)}" for row in rows),
        f"{said.link}{language.colon}\n{url}" if said.link else url,
        f"-- \n{footer}",
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    told = (happened, means, step)
    html = mail_html(language.code, subject, told, listed, rows, (said.link, url), footer)
    return Words(subject, text, html)


def title_of(kind: str, language: Language) -> str:
    """A kind of notice in a few words; its name where it is not known any more."""
    if kind in language.titles:
        return language.titles[kind]
    return KINDS[kind].title if kind in KINDS else clean(kind)


def language_of(tag: str) -> Language:
    """The texts of a language tag such as de-CH; English where there are none.

    >>> language_of("de-CH").code, language_of("fr").code
    ('de', 'en')
    """
    return LANGUAGES.get(re.split("[-_]", tag)[0].lower(), ENGLISH)


def clean(text: str, characters_max: int = NOTICE_FACT_TEXT_MAX) -> str:
    r"""A text from outside on one line, without what cannot be seen, shortened.

    >>> clean("Con\r\ntoso \u202e Ltd\x00")
    'Con toso Ltd'
    """
    visible = "".join(
        each
        for each in _SPACES.sub(" ", text)
        if each in _JOINERS or unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return _shortened(_SPACES.sub(" ", visible).strip(), characters_max)


def facts_in_words(notice: Notice, language: Language, wording: Wording) -> dict[str, str]:
    """The notice's facts by short names, each as a reader writes it; those that are None lack."""
    facts = {"at": wording.moment(notice.at_ms)}
    currency = clean(str(notice.facts.get("currency") or ""), 8)
    for name, value in notice.facts.items():
        if value is None or name.endswith("_id") or name in ("currency", "kinds", "exp_month"):
            continue
        short = _NAMES.get(name, re.sub("_(micros|ms|s)$", "", name))
        facts[short] = _fact(name, value, currency, notice.facts, language, wording)
        if name.endswith("_ms") and isinstance(value, int):
            facts[f"{short}_day"] = wording.day(value)
    code = str(notice.facts.get("code") or "")
    if code in language.reasons:
        facts["reason"] = language.reasons[code]
    elif "code" in notice.facts and not facts.get("reason"):
        facts["reason"] = clean(code)
    if "reason" in facts:
        facts["reason"] = facts["reason"].rstrip(".")
    facts.pop("code", None)
    return facts


def _fact(
    name: str,
    value: str | int,
    currency: str,
    facts: Mapping[str, Fact],
    language: Language,
    wording: Wording,
) -> str:
    if isinstance(value, int):
        if name.endswith("_micros"):
            return wording.money(value, currency).text if currency else decimal_text(value)
        if name.endswith("_ms"):
            return wording.moment(value)
        if name.endswith("_s"):
            return language.minutes.format(number=wording.decimal(value // 60))
        if name == "exp_year":
            return wording.month(f"{value}-{facts.get('exp_month') or 0:>02}")
        return f"{value}\N{NO-BREAK SPACE}%" if name == "percent" else wording.decimal(value)
    if name == "month":
        return clean(wording.month(value))
    if name == "model":
        return language.models.get(value, clean(value))
    return _pool(value, language, wording) if name == "pool" else clean(value)


def _pool(key: str, language: Language, wording: Wording) -> str:
    """A meter's key as people read it; what is no key of minutes, as it is."""
    month, *rest = key.split("/")
    if len(rest) < 4 or rest[0] != "minutes":
        return clean(key)
    plan, area, counter = rest[1:4]
    return clean(
        f"{plan} {area}, {language.counters.get(counter, counter)}, {wording.month(month)}"
    )


def page_of(notice: Notice) -> str:
    """The page that a notice is about, below the organisation's: where its mail leads.

    >>> page_of(Notice(1, "recharge.succeeded", "k", 0, {"payment_id": 5}))
    'credits/payments/5/'
    """
    page = PLACES.get(notice.kind + _variant(notice), PLACES.get(notice.kind, ORGANISATION))
    known = {name: value for name, value in notice.facts.items() if value is not None}
    return page.format_map(known) if set(_NAMED.findall(page)) <= known.keys() else ORGANISATION


def _variant(notice: Notice) -> str:
    """How a kind is said, where it is said in more than one way."""
    facts = notice.facts
    if notice.kind == "recharge.failed" and facts.get("next_ms") is None:
        return "/last"
    if notice.kind == "pool.warning" and facts.get("percent") == 100:
        return "/all"
    if notice.kind == "purchase.succeeded" and facts.get("payment_id") is None:
        return "/by_hand"
    if notice.kind == "statement.closed" and facts.get("amount_micros") == 0:
        return "/nothing"
    lots = facts.get("lots")
    if notice.kind == "lot.expiring" and isinstance(lots, int) and lots > 1:
        return "/several"
    return "/debt" if facts.get("debt_micros") else ""


def _said(notice: Notice, language: Language) -> Said:
    variant = _variant(notice)
    said = language.said.get(notice.kind + variant) or language.said.get(notice.kind)
    title = title_of(notice.kind, language)
    # A kind of another version: still told, in the little that is known of it.
    return said or Said("{organisation}: " + title.replace("{", "").replace("}", ""), *[""] * 4)


def _concerning(notice: Notice, reader: Reader) -> dict[str, int]:
    """Of a digest: what happened how often, as far as it concerns the reader's roles."""
    found = {}
    for item in str(notice.facts.get("kinds") or "").split() if notice.kind == DIGEST else ():
        kind, _, times = item.partition("=")
        if kind in KINDS and set(KINDS[kind].roles) & set(reader.roles):
            found[kind] = int(times) if _TIMES.fullmatch(times) else 1
    return found


class _Known(dict[str, str]):
    """Facts for a text; what it names and the notice lacks is a dash."""

    def __missing__(self, key: str) -> str:
        return "\N{EM DASH}"


def _shortened(text: str, characters_max: int) -> str:
    if len(text) <= characters_max:
        return text
    return text[: characters_max - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


@lru_cache(256)
def _locale(tag: str, code: str) -> Locale:
    """The reader's own locale where it is of the text's language; else the language's."""
    try:
        locale = Locale.parse(tag, sep="_" if "_" in tag else "-")
    except (ValueError, UnknownLocaleError, TypeError):
        return Locale.parse("en_GB" if code == "en" else code)
    return locale if locale.language == code else Locale.parse("en_GB" if code == "en" else code)
