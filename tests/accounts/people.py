"""Accounts for tests: somebody with roles, and a browser in which they have signed in."""

import secrets
import time
from functools import cache

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from django.contrib.auth.hashers import make_password
from django.test import Client, RequestFactory

from portal.accounts import actions
from portal.accounts.models import Role, User

PASSWORD = "gurka läser tidning"


@cache
def stored(password: str) -> str:
    """Hashing is slow on purpose; once is enough for all tests."""
    return make_password(password)


def person(*roles: Role, email: str = "", password: str = "", **fields: object) -> User:
    """An account with these roles; without `password` it has none."""
    email = email or f"{secrets.token_hex(6)}@example.org"
    user = actions.add(email=email, name="Alva Ek", roles=roles, by=None, **fields)
    if password:
        user.password = stored(password)
        user.save()
    return user


def browser(**extra: str) -> Client:
    """Every browser comes from an address of its own: limits per address must not join tests."""
    a, b, c = secrets.token_bytes(3)
    return Client(REMOTE_ADDR=f"10.{a}.{b}.{c}", **extra)


def code_of(secret: str, *, steps: int = 0) -> str:
    return f"{hotp_value(secret, int(time.time()) // 30 + steps):06d}"


def give_app(user: User) -> str:
    """Sets up an authenticator app; returns its secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def sign_in(user: User, *, method: str = "mfa", client: Client | None = None, **record: object) -> Client:
    """A browser in which `user` is signed in with an authenticator app, or as the record of allauth says."""
    client = client or browser()
    if method == "mfa" and not Authenticator.objects.filter(user=user).exists():
        give_app(user)
    client.force_login(user)
    request = RequestFactory().get("/")
    request.session = client.session
    record_authentication(request, user, method, **({"type": "totp"} if method == "mfa" else {}) | record)
    request.session.save()
    return client
