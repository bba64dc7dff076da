"""Mail as a real SMTP server gets it, and as files. Mirrors src/talktime/providers/mail.py."""

import email
import email.policy

import pytest

from talktime.config import settings_from
from talktime.core.deliveries import Later, Never, NotTried, Sent
from talktime.providers.mail import Away, Letter, Post
from tests.receivers import postman

HEBREW = "\u05e9\u05dc\u05d5\u05dd"
LETTER = Letter(
    *(4711, 7, "Contoso", "billing@contoso.example", f"99,96\N{NO-BREAK SPACE}€ für {HEBREW}"),
    *("Grüße\n", "<!doctype html><p>Grüße</p>"),
)
NOW_S = 1_795_428_000


@pytest.fixture
def server():
    with postman() as made:
        yield made


def post_to(server, tmp_path):
    environ = {
        "TALKTIME_DATA": str(tmp_path),
        "TALKTIME_SMTP_URL": server.url,
        "TALKTIME_MAIL_FROM": "Talktime <talktime@contoso.example>",
    }
    return Post(settings_from(environ))


def sent(post, letter):
    post.open()
    outcome = post.send(letter, NOW_S)
    post.close()
    return outcome


def test_a_mail_is_plain_text_and_html_with_headers_that_programs_understand(server, tmp_path):
    assert sent(post_to(server, tmp_path), LETTER) == Sent("taken for billing@contoso.example")
    (mail,) = server.box.mails
    assert mail["Subject"] == LETTER.subject
    assert mail["From"] == "Talktime <talktime@contoso.example>"
    assert mail["To"] == "billing@contoso.example"
    assert mail["Message-ID"] == "<4711.talktime@contoso.example>"
    assert mail["Date"].datetime.timestamp() == NOW_S
    assert mail["List-Id"] == "Talktime <7.notices.contoso.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    plain, page = mail.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert plain.get_content().replace("\r\n", "\n") == LETTER.text
    assert page.get_content_type() == "text/html"
    assert page.get_content().strip() == LETTER.html


def test_no_header_can_be_put_into_a_mail(server, tmp_path):
    post = post_to(server, tmp_path)
    post.open()
    for name in ("subject", "to"):
        for end in ("\r\n", "\n", "\r"):
            bad = LETTER._replace(**{name: f"{getattr(LETTER, name)}{end}Bcc: x@evil.example"})
            outcome = post.send(bad, NOW_S)
            assert isinstance(outcome, Never), (name, end)
    post.close()
    assert server.box.mails == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("550 no such user", Never("550 no such user")),
        ("553 not here", Never("553 not here")),
        ("450 greylisted", Later("450 greylisted")),
        ("452 mailbox full", Later("452 mailbox full")),
    ],
)
def test_what_the_server_says_of_an_address_decides_whether_it_is_tried_again(
    server, tmp_path, answer, outcome
):
    server.box.refuse = lambda address: answer if address.startswith("nobody") else ""
    post = post_to(server, tmp_path)
    post.open()
    assert post.send(LETTER._replace(to="nobody@contoso.example"), NOW_S) == outcome
    assert post.send(LETTER, NOW_S) == Sent("taken for billing@contoso.example")
    post.close()
    assert server.box.to == ["billing@contoso.example"]


def test_a_server_that_is_away_says_so_before_anything_is_tried(server, tmp_path):
    post = post_to(server, tmp_path)
    server.away()
    with pytest.raises(Away):
        post.open()
    post.close()
    server.back()
    assert sent(post_to(server, tmp_path), LETTER) == Sent("taken for billing@contoso.example")


def test_a_server_that_closes_in_between_has_not_refused_the_mail(server, tmp_path):
    server.box.refuse = lambda address: "421 closing"
    post = post_to(server, tmp_path)
    post.open()
    outcome = post.send(LETTER, NOW_S)
    assert outcome == Later("421 closing") or isinstance(outcome, NotTried)
    post.close()


def test_without_a_server_mail_is_a_file_that_is_there_once(tmp_path):
    post = Post(settings_from({"TALKTIME_DATA": str(tmp_path)}))
    assert sent(post, LETTER) == sent(post, LETTER) == Sent("taken for billing@contoso.example")
    (kept,) = (tmp_path / "mail" / "new").iterdir()
    assert kept.name == "4711.eml"
    mail = email.message_from_bytes(kept.read_bytes(), policy=email.policy.default)
    assert mail["Subject"] == LETTER.subject
    assert mail["From"] == "Talktime <talktime@localhost>"
    assert list((tmp_path / "mail" / "tmp").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_server_that_is_away(tmp_path):
    (tmp_path / "mail").write_text("no folder")
    post = Post(settings_from({"TALKTIME_DATA": str(tmp_path)}))
    with pytest.raises(Away):
        post.open()
