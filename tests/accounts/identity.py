"""A small real OpenID Connect provider on loopback: discovery, authorization, token and user info."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "klarlagt", "a secret between the two"


class Provider:
    """`person` is who signs in at the provider next: the claims about them."""

    def __init__(self):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.person = {}
        self.codes = {}
        self.tokens = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.get(self)

            def do_POST(self):
                provider.post(self)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def get(self, handler):
        parts = urlsplit(handler.path)
        if parts.path == "/.well-known/openid-configuration":
            return self.answer(handler, self.configuration())
        if parts.path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return self.answer(handler, {"keys": [public | {"kid": "1", "alg": "RS256", "use": "sig"}]})
        if parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            code = secrets.token_urlsafe()
            self.codes[code] = query
            handler.send_response(302)
            back = urlencode({"code": code, "state": query["state"]})
            handler.send_header("Location", f"{query['redirect_uri']}?{back}")
            return handler.end_headers()
        if parts.path == "/userinfo":
            token = handler.headers["Authorization"].removeprefix("Bearer ")
            return self.answer(handler, self.tokens[token])
        return handler.send_error(404)

    def post(self, handler):
        form = parse_qs(handler.rfile.read(int(handler.headers["Content-Length"])).decode())
        asked = self.codes.pop(form["code"][0], None)
        verifier = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        is_sound = (
            asked is not None
            and base64.urlsafe_b64encode(verifier).decode().rstrip("=") == asked["code_challenge"]
            and form["client_secret"] == [CLIENT_SECRET]
        )
        if not is_sound:
            return self.answer(handler, {"error": "invalid_grant"}, status=400)
        token, now = secrets.token_urlsafe(), int(time.time())
        self.tokens[token] = dict(self.person)
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60, **self.person}
        id_token = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "1"})
        return self.answer(handler, {"access_token": token, "token_type": "Bearer", "id_token": id_token})

    def configuration(self):
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    @staticmethod
    def answer(handler, content, status=200):
        body = json.dumps(content).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
