"""Who is let in, and as whom."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from blocks.domain.errors import Terminal
from deployments.api.identity import LEEWAY, Caller, PublicKey, Role, Unauthenticated, Verifier, read_verifier
from tests.deployments.builders import EXPECTED, KEY, VERIFIER, make_claims, make_token, read_cases

RSA = generate_rsa(65537, 2048)
TIMES = {"past": -timedelta(seconds=LEEWAY + 5), "future": timedelta(seconds=LEEWAY + 60)}


def encode(part: object) -> str:
    """A part of a token, as it stands in it."""
    return jwt.utils.base64url_encode(json.dumps(part, default=lambda at: int(at.timestamp())).encode()).decode()


def forge(how: str) -> str:
    """A token that must not be accepted."""
    claims, public = make_claims(), KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, seal = make_token().split(".")
    confused = f"{encode({'alg': 'HS256', 'typ': 'JWT'})}.{body}"
    other = Ed25519PrivateKey.generate()
    forged = {
        "none": f"{encode({'alg': 'none'})}.{body}.",
        # PyJWT itself refuses to sign with a public key, an attacker does not.
        "confused": f"{confused}.{jwt.utils.base64url_encode(sign_hmac(confused, public)).decode()}",
        "other-key": jwt.encode(claims, other, "EdDSA"),
        "rsa": jwt.encode(claims, RSA, "RS256"),
        "tampered": f"{head}.{encode(claims | {'sub': 'eve'})}.{seal}",
        "cut": f"{head}.{body}.",
        "own-key": jwt.encode(claims, other, "EdDSA", headers={"jwk": json.loads(OKPAlgorithm.to_jwk(other.public_key()))}),
        "garbage": "not.a.token",
    }
    return forged[how]


def sign_hmac(text: str, secret: bytes) -> bytes:
    """The seal that a confused verifier would accept."""
    return jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(text.encode(), secret)


@pytest.mark.parametrize("case", read_cases("tokens.json"), ids=lambda case: case["rule"])
def test_refuses(case: dict[str, Any]) -> None:
    claims = {
        name: datetime.now(UTC) + TIMES[value] if value in ("past", "future") else value
        for name, value in case.get("claims", {}).items()
    }
    token = forge(case["forged"]) if "forged" in case else make_token(**claims)
    with pytest.raises(Unauthenticated) as refused:
        VERIFIER.verify(token)
    assert case["says"] in str(refused.value)


@pytest.mark.parametrize(
    ("claims", "caller"),
    [
        pytest.param(
            {"tenants": ["acme"], "roles": ["viewer"]},
            Caller("ann", frozenset({"acme"}), frozenset({Role.VIEWER})),
            id="of one tenant",
        ),
        pytest.param(
            {"tenants": "*", "roles": ["developer"]}, Caller("ann", None, frozenset({Role.DEVELOPER})), id="of every tenant"
        ),
        pytest.param(
            {"tenants": [], "roles": ["admin"]}, Caller("ann", None, frozenset({Role.ADMIN})), id="an admin is of every tenant"
        ),
        pytest.param(
            {"tenants": ["acme"], "roles": ["king"]},
            Caller("ann", frozenset({"acme"}), frozenset()),
            id="an unknown role gives nothing",
        ),
        pytest.param(
            {"tenants": ["acme"], "roles": None}, Caller("ann", frozenset({"acme"}), frozenset()), id="no roles give nothing"
        ),
        pytest.param({"aud": ["x", "plugin-api"]}, Caller("ann", None, frozenset({Role.ADMIN})), id="one audience among others"),
    ],
)
def test_knows_the_caller(claims: dict[str, Any], caller: Caller) -> None:
    assert VERIFIER.verify(make_token(**claims)) == caller


def test_two_clocks_may_differ_a_little() -> None:
    token = make_token(exp=datetime.now(UTC) - timedelta(seconds=LEEWAY / 2))
    assert VERIFIER.verify(token).subject == "ann"


@pytest.mark.parametrize(
    ("roles", "tenants", "sees", "changes"),
    [
        pytest.param({"viewer"}, {"acme"}, True, False, id="a viewer sees and does not change"),
        pytest.param({"developer"}, {"acme"}, True, True, id="a developer changes"),
        pytest.param({"approver"}, {"acme"}, True, False, id="an approver does not change"),
        pytest.param({"security"}, {"acme"}, True, False, id="security does not change"),
        pytest.param({"admin"}, None, True, True, id="an admin changes everything"),
        pytest.param({"developer"}, {"other"}, False, False, id="a developer of another tenant sees nothing"),
        pytest.param(set(), {"acme"}, False, False, id="nobody sees anything"),
    ],
)
def test_roles_allow(roles: set[str], tenants: set[str] | None, sees: bool, changes: bool) -> None:  # noqa: FBT001 (a table)
    caller = Caller("ann", None if tenants is None else frozenset(tenants), frozenset(map(Role, roles)))
    assert (caller.sees("acme"), caller.may_change("acme")) == (sees, changes)


def write_keys(path: Path, *entries: dict[str, Any]) -> Path:
    """A JWKS file."""
    path.write_text(json.dumps({"keys": entries}))
    return path


def test_reads_keys_from_a_pem_file(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    verifier = read_verifier(tmp_path / "key.pem", EXPECTED)
    assert verifier.verify(jwt.encode(make_claims(), RSA, "RS256")).subject == "ann"
    assert verifier.verify(jwt.encode(make_claims(), RSA, "RS256", headers={"kid": "any"})).subject == "ann"


def test_chooses_the_key_by_its_name(tmp_path: Path) -> None:
    old, new = json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), json.loads(OKPAlgorithm.to_jwk(KEY.public_key()))
    verifier = read_verifier(write_keys(tmp_path / "keys", old | {"kid": "old"}, new | {"kid": "new"}), EXPECTED)
    assert verifier.verify(jwt.encode(make_claims(), RSA, "RS256", headers={"kid": "old"})).subject == "ann"
    assert verifier.verify(jwt.encode(make_claims(), KEY, "EdDSA", headers={"kid": "new"})).subject == "ann"


@pytest.mark.parametrize("name", [pytest.param("gone", id="an unknown key"), pytest.param(None, id="no key named among several")])
def test_refuses_a_key_that_is_not_known(tmp_path: Path, name: str | None) -> None:
    keys: dict[str, PublicKey] = {"a": KEY.public_key(), "b": RSA.public_key()}
    token = jwt.encode(make_claims(), KEY, "EdDSA", headers={"kid": name} if name else {})
    with pytest.raises(Unauthenticated, match="not known here"):
        Verifier(keys, EXPECTED).verify(token)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "cannot be read", id="an empty file"),
        pytest.param("{}", "cannot be read", id="a file without keys"),
        pytest.param('{"keys": []}', "no key", id="a list of no keys"),
        pytest.param('{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}', "neither", id="a shared secret"),
        pytest.param(
            generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "neither",
            id="a key of another kind",
        ),
        pytest.param(
            generate_rsa(65537, 1024).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "2048",
            id="a key that is too short",
        ),
    ],
)
def test_does_not_start_with(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(Terminal, match=says):
        read_verifier(tmp_path / "keys", EXPECTED)


def test_does_not_start_without_a_key_file(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="cannot be read"):
        read_verifier(tmp_path / "none", EXPECTED)
