"""Mail about an account in words, for its owner."""

from collections.abc import Mapping

from babel import Locale

from talktime.core.limits import NOTICE_SUBJECT_TEXT_MAX
from talktime.operations.account_said import AccountLanguage
from talktime.operations.account_texts_de import GERMAN
from talktime.operations.account_texts_en import ENGLISH
from talktime.operations.notice_html import Row, isolated, mail_html
from talktime.operations.notice_words import Words, clean
from talktime.operations.wording import Wording, zone_named

LANGUAGES: dict[str, AccountLanguage] = {each.code: each for each in (ENGLISH, GERMAN)}
KINDS = frozenset(ENGLISH.said)
ROWS = ("role", "place", "at")
_LOCALES = {"en": Locale("en", "GB"), "de": Locale("de", "DE")}


def account_words(kind: str, email: str, facts: Mapping[str, str]) -> Words:
    """A mail of this kind (one of KINDS) with its facts: `link` at least, and `at_ms`.

    >>> facts = {"link": "https://talktime.example/x", "at_ms": "0", "language": "de"}
    >>> account_words("password_reset", "admin@contoso.example", facts).subject
    'Neues Kennwort setzen'
    """
    language = LANGUAGES.get(facts.get("language", "")[:2], ENGLISH)
    wording = Wording(_LOCALES[language.code], zone_named(facts.get("time_zone") or "UTC"))
    shown = {name: clean(str(value)) for name, value in facts.items() if name != "link"}
    shown["email"] = clean(email)
    shown["zone"] = str(wording.zone)
    shown["at"] = wording.moment(int(facts["at_ms"]))
    if "expires_ms" in facts:
        shown["expires"] = wording.moment(int(facts["expires_ms"]))
    if "role" in facts:
        shown["role"] = language.roles.get(facts["role"], shown["role"])
    said = language.said[kind]
    rows = [Row(language.facts[name], shown[name]) for name in ROWS if shown.get(name)]
    known = {name: isolated(value) for name, value in shown.items()}
    told = [line.format_map(known) for line in (said.happened, said.means, said.step) if line]
    subject = said.subject.format_map(known)[:NOTICE_SUBJECT_TEXT_MAX]
    footer = language.footer.format_map(known)
    parts = [
        *told,
        f"{said.link}{language.colon}\n{facts['link']}",
        "\n".join(f"{row.name}{language.colon} {isolated(row.value)}" for row in rows),
        f"-- \n{footer}",
    ]
    html = mail_html(language.code, subject, told, [], rows, (said.link, facts["link"]), footer)
    return Words(subject, "\n\n".join(parts) + "\n", html)
