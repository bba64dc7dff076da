"""Webhooks on the wire, to real servers. Mirrors src/talktime/providers/webhook.py."""

import json
import socket
import ssl
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from talktime.core.deliveries import Later, Never, Sent
from talktime.operations.endpoints import secret_text
from talktime.operations.outward import REFUSED_PORTS, is_public, target_of
from talktime.providers.webhook import Webhooks
from tests.receivers import receiving

SECRET, OLD_SECRET = secret_text(bytes(range(32))), secret_text(bytes(range(1, 33)))
BODY = '{"type":"balance.zero","data":{"organisation":"Côté"}}'.encode()
NAME = "hooks.contoso.example"


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


def send(receiver, path="/talktime", secrets=(SECRET,), timeout_s=5.0, **more):
    host = f"127.0.0.1:{receiver.port}"
    hooks = Webhooks([host], timeout_s=timeout_s)
    return hooks.send(f"http://{host}{path}", "msg_1", BODY, list(secrets), int(time.time()))


def test_a_message_is_verified_by_the_library_of_the_specification(receiver):
    assert send(receiver) == Sent("204")
    (request,) = receiver.requests
    assert request.path == "/talktime"
    assert request.body == BODY
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "msg_1"
    assert Webhook(SECRET).verify(request.body, request.headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD_SECRET).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)


def test_while_a_secret_is_replaced_both_prove_the_message(receiver):
    assert send(receiver, secrets=(SECRET, OLD_SECRET)) == Sent("204")
    (request,) = receiver.requests
    for secret in (SECRET, OLD_SECRET):
        assert Webhook(secret).verify(request.body, request.headers) == json.loads(BODY)
    assert len(request.headers["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Sent("200")),
        (299, Sent("299")),
        (410, Never("410 Gone", gone=True)),
        (404, Later("404 Not Found")),
        (429, Later("429 Too Many Requests")),
        (500, Later("500 Internal Server Error")),
        (799, Later("799")),
    ],
)
def test_what_the_receiver_answers_decides(receiver, status, outcome):
    receiver.answers(status)
    assert send(receiver) == outcome


def test_a_redirect_is_not_followed(receiver):
    receiver.answers(307, location=f"http://127.0.0.1:{receiver.port}/elsewhere")
    assert send(receiver) == Later("307: redirects are not followed")
    assert [request.path for request in receiver.requests] == ["/talktime"]


def test_a_long_answer_is_read_no_further_than_it_may_be_long(receiver):
    receiver.answer = lambda request: (200, {"content-encoding": "gzip"}, bytes(20_000_000))
    began = time.monotonic()
    assert send(receiver) == Sent("200")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
    ids=["nothing", "half a header", "half a body"],
)
def test_a_receiver_that_answers_byte_by_byte_is_left_in_time(said):
    """A byte before each time-out would otherwise keep a thread for ever."""
    ended = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as door:

        def drip():
            connection, _ = door.accept()
            connection.sendall(said)
            while not ended.wait(0.05):
                try:
                    connection.sendall(b"x" if said.endswith(b"X: ") else b"")
                except OSError:
                    break
            connection.close()

        thread = threading.Thread(target=drip)
        thread.start()
        host = f"127.0.0.1:{door.getsockname()[1]}"
        began = time.monotonic()
        outcome = Webhooks([host], timeout_s=0.5).send(f"http://{host}/", "m", b"", [SECRET], 0)
        assert outcome == Later("no answer within 0.5 s", away=True)
        assert time.monotonic() - began < 3
        ended.set()
        thread.join()


def test_a_receiver_that_speaks_no_http_or_is_not_there_is_tried_later():
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        host = f"127.0.0.1:{door.getsockname()[1]}"

        def greet():
            connection, _ = door.accept()
            while not connection.recv(65_536).endswith(b"0"):
                pass
            connection.sendall(b"220 mail.contoso.example ESMTP\r\n")
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        outcome = Webhooks([host]).send(f"http://{host}/", "m", b"0", [SECRET], 0)
        thread.join()
        assert isinstance(outcome, Later)
        assert not outcome.away
    outcome = Webhooks([host]).send(f"http://{host}/", "m", b"", [SECRET], 0)
    assert isinstance(outcome, Later)
    assert outcome.away


NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "100.64.0.1", "100.127.255.255", "169.254.169.254", "192.0.0.192"),
    *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "168.63.129.16"),
    *("192.0.2.1", "203.0.113.9", "198.51.100.1", "192.88.99.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "100::1"),
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_stands_for_an_address_within_is_not_called(address):
    assert not is_public(ip_address(address))
    for answered in ([address], ["198.41.0.4", address]):
        hooks = Webhooks(resolve=lambda host, port, answered=answered: answered)
        outcome = hooks.send(f"https://{NAME}/", "m", b"", [SECRET], 0)
        assert outcome == Later(f"{NAME} stands for no address on the internet")


@pytest.mark.parametrize(
    "address", ["198.41.0.4", "8.8.8.8", "2001:503:ba3e::2:30", "2606:4700::1"]
)
def test_addresses_of_the_internet_may_be_called(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *(f"http://{NAME}/", "ftp://a.example/", "https:///x", "https://", "", "javascript:1"),
        *(f"https://user@{NAME}/", f"https://user:pass@{NAME}/", f"https://{NAME}/#part"),
        *(f"https://{NAME}\\@evil.example/", f"https://{NAME} /", f"https://{NAME}/a b"),
        *("https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://10.0.0.1"),
        *("https://127.1/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/"),
        *("https://0x7f000001/", "https://127.0.0.1./", "https://[fe80::1%25eth0]/"),
        *(f"https://{NAME}:0/", f"https://{NAME}:65536/", f"https://{NAME}:99999/"),
        *(f"https://{NAME}:22/", f"https://{NAME}:25/", f"https://{NAME}:6379/"),
        *(f"https://{NAME}/\r\nX: y", f"https://{NAME}/\x00", "https://ho\u00efks.example/"),
        f"https://{NAME}/" + "a" * 2_000,
    ],
)
def test_an_address_that_may_not_be_called_is_refused_before_any_name_is_looked_up(url):
    def resolve(host, port):
        raise AssertionError(host)

    assert target_of(url).code == "invalid_value"
    outcome = Webhooks(resolve=resolve).send(url, "m", b"", [SECRET], 0)
    assert isinstance(outcome, Never)
    assert not outcome.gone


def test_only_the_hosts_that_the_operator_names_are_called_within(receiver):
    url = f"http://127.0.0.1:{receiver.port}/"
    for allowed in (["localhost"], ["127.0.0.1:1"], ["127.0.0"]):
        assert isinstance(Webhooks(allowed).send(url, "m", b"", [SECRET], 0), Never)
    assert receiver.requests == []
    assert Webhooks(["127.0.0.1"]).send(url, "m", b"", [SECRET], 0) == Sent("204")
    assert 22 in REFUSED_PORTS


def certificates(tmp_path, name):
    """A server's and a client's TLS, of a certificate that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = tmp_path / "certificate.pem", tmp_path / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, secret)
    return server, ssl.create_default_context(cafile=str(pem))


def test_a_name_is_looked_up_once_and_its_certificate_is_checked_for_the_name(tmp_path):
    server, trusted = certificates(tmp_path, NAME)
    looked_up = []

    def resolve(host, port):
        looked_up.append((host, port))
        return ["127.0.0.1"] if len(looked_up) == 1 else ["169.254.169.254"]

    with receiving(server) as receiver:
        url = f"https://{NAME}:{receiver.port}/x?y=1"
        hooks = Webhooks([NAME], resolve=resolve, trusted=trusted)
        assert hooks.send(url, "m", BODY, [SECRET], 0) == Sent("204")
        (request,) = receiver.requests
        assert request.headers["host"] == f"{NAME}:{receiver.port}"
        assert request.path == "/x?y=1"
        assert looked_up == [(NAME, receiver.port)]


def test_a_certificate_of_another_name_or_of_nobody_we_trust_ends_it(tmp_path):
    server, trusted = certificates(tmp_path, "other.contoso.example")
    with receiving(server) as receiver:
        url = f"https://{NAME}:{receiver.port}/"
        for believed in (trusted, None):
            hooks = Webhooks([NAME], resolve=lambda host, port: ["127.0.0.1"], trusted=believed)
            outcome = hooks.send(url, "m", BODY, [SECRET], 0)
            assert isinstance(outcome, Later)
            assert "certificate" in outcome.detail
        assert receiver.requests == []


def test_a_name_that_cannot_be_found_is_tried_later():
    def resolve(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    outcome = Webhooks(resolve=resolve).send(f"https://{NAME}/", "m", b"", [SECRET], 0)
    assert outcome == Later(f"{NAME} cannot be found: there is no such name", away=True)


def test_a_port_that_takes_no_connections_is_said_without_the_systems_number():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://{NAME}:{taken.getsockname()[1]}/"
        hooks = Webhooks([NAME], resolve=lambda host, port: ["127.0.0.1"])
        outcome = hooks.send(url, "m", BODY, [SECRET], 0)
    detail = "the connection failed: nothing takes connections there"
    assert outcome == Later(detail, away=True)
