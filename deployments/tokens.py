"""The key and the token of a local pipeline: made once, kept, and renewed before they run out.

Who has an identity provider gives the API that provider's keys instead (JWT_PUBLIC_KEY) and needs nothing of this.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from blocks.domain.errors import Refused
from deployments.api.identity import EVERY_TENANT, Expected

LIFE = timedelta(days=30)
GUEST_LIFE = timedelta(days=1)
RENEWED_BEFORE = timedelta(days=7)
SIGNING_KEY, TOKEN, URL = "signing-key.pem", "token", "url"
PRIVATE, PUBLIC = 0o600, 0o644


@dataclass(frozen=True)
class Person:
    """Somebody who is to be known by a token: the name, the tenants (all of them unless named) and the roles."""

    subject: str
    roles: tuple[str, ...]
    tenants: tuple[str, ...] = ()


LOCAL = Person("local", ("admin",))


@dataclass(frozen=True)
class Access:
    """What a local client needs; `renewed` is False when nothing had to be made."""

    token: Path
    public_key: Path
    renewed: bool


def make_access(folder: Path, public_key: Path, expected: Expected, url: str) -> Access:
    """Let the folder hold a signing key, a token for an admin and the API's URL, and let the public key stand where the API reads it.

    A second call changes nothing while the token is good for another week. Raises `Refused` if a file cannot be read or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = _read_or_make_key(folder / SIGNING_KEY)
        _write(public_key, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), PUBLIC)
        _write(folder / URL, f"{url}\n".encode(), PRIVATE)
        renewed = not _is_good(folder / TOKEN, key, expected)
        if renewed:
            _write(folder / TOKEN, f"{_sign(key, expected, LOCAL, LIFE)}\n".encode(), PRIVATE)
    except OSError as problem:
        raise Refused(f"{problem.filename or folder} cannot be used: {problem.strerror}", "see who owns it") from problem
    return Access(folder / TOKEN, public_key, renewed)


def issue_token(folder: Path, expected: Expected, person: Person) -> str:
    """A token for another person, good for a day, signed with the folder's key; `Refused` if it has none.

    It is kept nowhere: this is for trying on one machine what takes two people, as an approval does.
    """
    if not (folder / SIGNING_KEY).is_file():
        raise Refused(f"there is no signing key in {folder}", "make run makes one")
    return _sign(_read_or_make_key(folder / SIGNING_KEY), expected, person, GUEST_LIFE)


def _read_or_make_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        _write(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), PRIVATE)
        return made
    try:
        found = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as problem:
        raise Refused(f"{path} is not a private key", "remove it and a new one is made") from problem
    if not isinstance(found, Ed25519PrivateKey):
        raise Refused(f"{path} is not an Ed25519 key", "remove it and a new one is made")
    return found


def _is_good(path: Path, key: Ed25519PrivateKey, expected: Expected) -> bool:
    # A token is renewed while there is still time: its leeway here is negative.
    try:
        jwt.decode(
            path.read_text().strip(),
            key.public_key(),
            algorithms=["EdDSA"],
            audience=expected.audience,
            issuer=expected.issuer,
            leeway=-RENEWED_BEFORE,
        )
    except (FileNotFoundError, jwt.PyJWTError):
        return False
    return True


def _sign(key: Ed25519PrivateKey, expected: Expected, person: Person, life: timedelta) -> str:
    who = {"iss": expected.issuer, "aud": expected.audience, "sub": person.subject, "roles": [*person.roles]}
    tenants = [*person.tenants] or EVERY_TENANT
    return jwt.encode({**who, "tenants": tenants, "exp": datetime.now(UTC) + life}, key, "EdDSA")


def _write(path: Path, content: bytes, mode: int) -> None:
    """Let the file have this content and mode; it appears whole or not at all, and never readable by others first."""
    if path.exists() and path.read_bytes() == content and path.stat().st_mode & 0o777 == mode:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as new:
        new.write(content)
        os.fchmod(new.fileno(), mode)
    Path(new.name).replace(path)
