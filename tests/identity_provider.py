"""An OpenID Connect provider on this machine: real codes, PKCE, and tokens signed with RSA."""

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "talktime", "a secret of the provider's"


class Provider:
    """Who signs in there next, and what was asked."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.person = {"sub": "1", "email": "", "email_verified": True}
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        self.asked = {}

    def configuration(self):
        names = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "userinfo_endpoint": "userinfo",
            "jwks_uri": "keys",
        }
        return {"issuer": self.issuer} | {
            name: f"{self.issuer}/{path}" for name, path in names.items()
        }

    def keys(self):
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**key, "kid": "1", "use": "sig", "alg": "RS256"}]}

    def authorize(self, query):
        """Where somebody who signed in is sent back to."""
        code = secrets.token_urlsafe()
        self.asked[code] = query
        back = urlencode({"code": code, "state": query["state"]})
        return f"{query['redirect_uri']}?{back}"

    def token(self, form):
        """The tokens for a code, once; None where something about it is wrong."""
        query = self.asked.pop(form.get("code"), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if query is None or query["code_challenge"] != challenge:
            return None
        if form["redirect_uri"] != query["redirect_uri"]:
            return None
        now_s = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now_s, "exp": now_s + 60}
        signed = jwt.encode({**claims, **self.person}, self.key, "RS256", {"kid": "1"})
        return {"access_token": "one", "token_type": "Bearer", "id_token": signed}


class Asked(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self):
        provider, parts = self.server.provider, urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self.answer(provider.configuration())
        elif parts.path == "/keys":
            self.answer(provider.keys())
        elif parts.path == "/userinfo":
            self.answer(provider.person)
        else:
            self.send_error(404)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        form = {name: each[0] for name, each in parse_qs(self.rfile.read(length).decode()).items()}
        basic = f"{CLIENT_ID}:{CLIENT_SECRET}".encode()
        known = (
            form.get("client_secret") == CLIENT_SECRET
            or self.headers.get("Authorization") == f"Basic {base64.b64encode(basic).decode()}"
        )
        tokens = self.server.provider.token(form) if known else None
        if tokens is None:
            self.answer({"error": "invalid_grant"}, 400)
        else:
            self.answer(tokens)

    def answer(self, document, status=200):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def identity_provider():
    """A provider, served until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.provider = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def query_of(address):
    """What an address asks for."""
    return dict(parse_qsl(urlsplit(address).query))
