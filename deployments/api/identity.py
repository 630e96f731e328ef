"""Who is calling: a signed token in, a caller with tenants and roles out.

The algorithm follows from the kind of key that we hold and never from the token's header, so that a public key cannot be passed
off as a shared secret and `none` is not an algorithm. To add a kind of key: name its algorithm in `_algorithm_of`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from blocks.domain.errors import Terminal

PublicKey: TypeAlias = RSAPublicKey | Ed25519PublicKey
# Seconds that two clocks may differ.
LEEWAY = 10
RSA_BITS = 2048
EVERY_TENANT = "*"


class Unauthenticated(Terminal):
    """Nobody knows who is calling."""

    code = "unauthenticated"


class Forbidden(Terminal):
    """It is known who is calling, and that is not enough."""

    code = "forbidden"


class Role(StrEnum):
    """What a person may do in the tenants of the token."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    APPROVER = "approver"
    SECURITY = "security"
    ADMIN = "admin"


CHANGING = frozenset({Role.DEVELOPER, Role.ADMIN})
AUDITING = frozenset({Role.SECURITY, Role.ADMIN})


@dataclass(frozen=True)
class Caller:
    """Who is calling; `tenants` None means every tenant."""

    subject: str
    tenants: frozenset[str] | None
    roles: frozenset[Role]

    def sees(self, tenant: str) -> bool:
        """Whether anything of this tenant may be shown."""
        return bool(self.roles) and (self.tenants is None or tenant in self.tenants)

    def may_change(self, tenant: str) -> bool:
        """Whether installing and uninstalling in this tenant is allowed."""
        return self.sees(tenant) and bool(self.roles & CHANGING)

    def may_waive(self, tenant: str) -> bool:
        """Whether findings of this tenant's plugins may be waived: by those who look after security, not by who wants to install."""
        return self.sees(tenant) and bool(self.roles & AUDITING)

    def may_audit(self) -> bool:
        """Whether the journal may be checked and copied out: it is one for all tenants, so only who sees all of them may."""
        return self.tenants is None and bool(self.roles & AUDITING)


@dataclass(frozen=True)
class Expected:
    """What every token must say about itself."""

    issuer: str
    audience: str


class Verifier:
    """The public keys we trust and what a token must say; keys are told apart by their `kid`, a single key needs none."""

    def __init__(self, keys: Mapping[str, PublicKey], expected: Expected) -> None:
        self._keys, self._expected = dict(keys), expected

    def verify(self, token: str) -> Caller:
        """The caller that the token speaks for, or `Unauthenticated` with what is wrong with it."""
        try:
            key = self._choose(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=[_algorithm_of(key)],
                audience=self._expected.audience,
                issuer=self._expected.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as problem:
            raise Unauthenticated(f"the token is not valid: {_lower(str(problem))}", "get a new token") from problem
        return read_claims(claims)

    def _choose(self, name: object) -> PublicKey:
        if len(self._keys) == 1 and name is None:
            return next(iter(self._keys.values()))
        if not isinstance(name, str) or name not in self._keys:
            # With one key that has no name of its own, a token's `kid` says nothing that could be checked but the signature.
            if set(self._keys) == {""}:
                return self._keys[""]
            raise Unauthenticated("the token is not valid: it is signed with a key that is not known here", "get a new token")
        return self._keys[name]


def read_claims(claims: Mapping[str, Any]) -> Caller:
    """The caller that verified claims describe; roles nobody knows here give nothing, malformed claims are `Unauthenticated`."""
    subject, tenants, roles = claims.get("sub"), claims.get("tenants"), claims.get("roles", [])
    if not isinstance(subject, str) or not subject.strip():
        raise Unauthenticated("the token does not say whose it is", "claim sub must be a text")
    if not _is_texts(roles):
        raise Unauthenticated("the roles of the token cannot be read", "claim roles must be a list of names")
    if tenants != EVERY_TENANT and not _is_texts(tenants):
        raise Unauthenticated("the token does not say for which tenants it is", 'claim tenants must be a list of names or "*"')
    known = frozenset(role for role in Role if role.value in roles)
    everywhere = tenants == EVERY_TENANT or Role.ADMIN in known
    return Caller(subject, None if everywhere else frozenset(tenants), known)


def read_verifier(path: Path, expected: Expected) -> Verifier:
    """A verifier for the keys in a PEM or JWKS file, or `Terminal` with what is wrong with the file."""
    try:
        raw = path.read_bytes()
        keys = _read_jwks(raw) if raw.lstrip()[:1] == b"{" else {"": _accept(load_pem_public_key(raw), str(path))}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, jwt.PyJWTError) as problem:
        raise Terminal(f"the public keys in {path} cannot be read", "JWT_PUBLIC_KEY names a PEM or JWKS file") from problem
    if not keys:
        raise Terminal(f"there is no key in {path} that tokens could be checked with", "give an RSA or Ed25519 public key")
    return Verifier(keys, expected)


def _read_jwks(raw: bytes) -> dict[str, PublicKey]:
    entries = [entry for entry in json.loads(raw)["keys"] if entry.get("use", "sig") == "sig"]
    return {str(entry.get("kid", "")): _accept(jwt.PyJWK(entry).key, str(entry.get("kid", ""))) for entry in entries}


def _accept(key: object, name: str) -> PublicKey:
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS):
        return key
    raise Terminal(f"key {name} is neither Ed25519 nor RSA of {RSA_BITS} bits or more", "a shared secret is not accepted")


def _algorithm_of(key: PublicKey) -> str:
    return "RS256" if isinstance(key, RSAPublicKey) else "EdDSA"


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
