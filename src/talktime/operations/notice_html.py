"""A notice's HTML: small, by hand, readable everywhere. Nothing is fetched, all text is escaped.

Styles stand at the elements, for mail programs that drop style sheets; those for a dark screen are
in a sheet, for the ones that do not.
"""

import unicodedata
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
_OTHER_WAY = ("R", "AL", "AN")

_STYLES = {
    "body": "margin:0;padding:0;background:#f5f5f5;overflow-wrap:anywhere;word-break:break-word",
    "page": "background:#f5f5f5;padding:16px 8px;"
    "font-family:'Segoe UI',system-ui,-apple-system,Roboto,Helvetica,Arial,sans-serif",
    "card": "max-width:560px;margin:0 auto;padding:24px;background:#ffffff;color:#242424;"
    "border:1px solid #d6d6d6;border-radius:6px;font-size:16px;line-height:1.5",
    "brand": "margin:0 0 8px;color:#5c5c5c;font-size:14px",
    "heading": "margin:0 0 16px;font-size:20px;line-height:1.3",
    "foot": "max-width:560px;margin:12px auto 0;padding:0 8px;color:#5c5c5c;font-size:12px;"
    "line-height:1.5",
}
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{subject}</title>
<style>
:root {{ color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{
  .page {{ background: #1b1b1b !important; }}
  .card {{ background: #262626 !important; color: #f2f2f2 !important; }}
  .soft {{ color: #b8b8b8 !important; }}
  .card, .line {{ border-color: #454545 !important; }}
  .step {{ background: #479ef5 !important; color: #0a1a2a !important; }}
}}
</style>
</head>
<body class="page" style="{body}">
<div class="page" style="{page}">
<div class="card" style="{card}">
<p class="soft" style="{brand}">Talktime</p>
<h1 style="{heading}">{subject}</h1>
{content}
</div>
<p class="soft" style="{foot}">{footer}</p>
</div>
</body>
</html>
"""
_TEXT = '<p style="margin:0 0 12px">{text}</p>'
_STEP = (
    '<p style="margin:16px 0 0"><a class="step" href="{url}" style="display:inline-block;'
    "padding:8px 18px;background:#0f6cbd;color:#ffffff;border-radius:4px;font-weight:600;"
    'text-decoration:none">{link}</a></p>'
)
_ROW = (
    '<tr><th class="soft line" scope="row" style="width:35%;padding:6px 12px 6px 0;'
    "text-align:start;vertical-align:top;color:#5c5c5c;font-weight:400;"
    'border-top:1px solid #d6d6d6">{name}</th>'
    '<td class="line" style="padding:6px 0;text-align:start;vertical-align:top;'
    'border-top:1px solid #d6d6d6"><bdi>{value}</bdi></td></tr>'
)


class Row(NamedTuple):
    """One fact: what it is, and its value."""

    name: str
    value: str


def mail_html(
    language: str,
    subject: str,
    told: Sequence[str],
    listed: Sequence[str],
    rows: Sequence[Row],
    link: tuple[str, str],
    footer: str,
) -> str:
    """The whole page of one mail. All texts are taken as text.

    >>> "<script>" in mail_html("en", "<script>", ["<script>"], [], [], ("", ""), "")
    False
    """
    happened, *rest = [_TEXT.format(text=escape(text)) for text in told if text] or [""]
    parts = [happened]
    if listed:
        items = "".join(f"<li>{escape(line)}</li>" for line in listed)
        parts.append(f'<ul style="margin:0 0 12px;padding-inline-start:20px">{items}</ul>')
    parts += rest
    if rows:
        lines = "".join(_ROW.format(name=escape(r.name), value=escape(r.value)) for r in rows)
        parts.append(
            '<table style="width:100%;table-layout:fixed;border-collapse:collapse;font-size:14px">'
            f"{lines}</table>"
        )
    words, url = link
    if words:
        parts.append(_STEP.format(url=escape(url), link=escape(words)))
    return _PAGE.format(
        language=language,
        subject=escape(subject),
        content="\n".join(parts),
        footer=escape(footer),
        **_STYLES,
    )


def isolated(text: str) -> str:
    """A text that holds letters of the other direction, set apart from what stands around it.

    >>> isolated("Contoso"), len(isolated("\u05d0"))
    ('Contoso', 3)
    """
    if any(unicodedata.bidirectional(each) in _OTHER_WAY for each in text):
        return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"
    return text
