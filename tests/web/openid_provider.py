"""A small OpenID Connect provider of its own, as the counterpart of log-ins: authorization code flow with PKCE.

What it knows of the person who comes next stands in ``claims``; what is otherwise in the id token, in ``signed`` (None:
there is no id token). Whoever is sent to log in anew did so ``age`` seconds ago. It checks what a provider has to
check: the client's secret, the redirect address, the code's single use, the verifier.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "allmende", "a secret of the client"


class OpenIdProvider:
    """Serves until ``close``; ``issuer`` is its address."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.signed: dict[str, Any] | None = {}
        self.age = 0
        self.refuse = False
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if parts.path == "/.well-known/openid-configuration":
                    self.answer(200, provider.discovery())
                elif parts.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(query))
                    self.end_headers()
                elif parts.path == "/userinfo" and self.headers["Authorization"] == "Bearer access":
                    self.answer(200, provider.claims)
                elif parts.path == "/jwks":
                    key = jwt.algorithms.RSAAlgorithm.to_jwk(provider._key.public_key(), as_dict=True)
                    self.answer(200, {"keys": [{**key, "kid": "1"}]})
                else:
                    self.answer(404, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                granted = provider.token(form) if urlsplit(self.path).path == "/token" else None
                self.answer(200 if granted else 400, granted or {"error": "invalid_grant"})

            def answer(self, status: int, value: object) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is led back to: the person says yes at once, or no."""
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        back = {"state": query["state"]}
        if self.refuse:
            return f"{query['redirect_uri']}?{urlencode({**back, 'error': 'access_denied'})}"
        code = secrets.token_urlsafe(8)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({**back, 'code': code})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Tokens for a code, once; None where something does not fit."""
        query = self._codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            query is None
            or form.get("client_secret") != SECRET
            or form.get("redirect_uri") != query["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).decode().rstrip("=") != query["code_challenge"]
        ):
            return None
        now = int(time.time())
        granted = {"access_token": "access", "token_type": "Bearer", "expires_in": 60}
        if self.signed is None:
            return granted
        claims = {**self.claims, "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60}
        if query.get("max_age") == "0":
            claims["auth_time"] = now - self.age
        claims |= self.signed
        return {**granted, "id_token": jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "1"})}
