"""The local key and token."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from blocks.domain.errors import Refused
from deployments.api.identity import Expected, Role, read_verifier
from deployments.tokens import SIGNING_KEY, TOKEN, URL, Access, make_access
from tests.deployments.builders import EXPECTED

ADDRESS = "http://127.0.0.1:8080"


def make(folder: Path, expected: Expected = EXPECTED) -> Access:
    """A local access in the folder."""
    return make_access(folder / "access", folder / "keys/token.pub", expected, ADDRESS)


def mode(path: Path) -> int:
    """Who may do what with the file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_token_is_accepted_by_whoever_reads_the_public_key(tmp_path: Path) -> None:
    access = make(tmp_path)
    caller = read_verifier(access.public_key, EXPECTED).verify(access.token.read_text().strip())
    assert (caller.subject, caller.tenants, caller.roles) == ("local", None, frozenset({Role.ADMIN}))
    assert (tmp_path / "access" / URL).read_text().strip() == ADDRESS


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    access = make(tmp_path)
    assert mode(access.token.parent) == 0o700
    assert [mode(access.token.parent / name) for name in (SIGNING_KEY, TOKEN, URL)] == [0o600, 0o600, 0o600]
    assert mode(access.public_key) == 0o644


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    first = make(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    second = make(tmp_path)
    assert (first.renewed, second.renewed) == (True, False)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "days",
    [pytest.param(-1, id="that has run out"), pytest.param(5, id="that soon runs out"), pytest.param(None, id="that is none")],
)
def test_a_token_is_renewed(tmp_path: Path, days: int | None) -> None:
    access = make(tmp_path)
    key = load_pem_private_key((access.token.parent / SIGNING_KEY).read_bytes(), None)
    claims = jwt.decode(access.token.read_text().strip(), options={"verify_signature": False})
    until = datetime.now(UTC) + timedelta(days=days or 0)
    old = jwt.encode(claims | {"exp": until}, key, "EdDSA") if days else "nonsense"  # type: ignore[arg-type]
    access.token.write_text(old)
    assert make(tmp_path).renewed
    assert access.token.read_text() != old


def test_a_token_for_another_api_is_renewed(tmp_path: Path) -> None:
    make(tmp_path)
    assert make(tmp_path, Expected("plugin-pipeline", "another-api")).renewed


def test_a_token_that_others_could_read_is_closed_again(tmp_path: Path) -> None:
    access = make(tmp_path)
    access.public_key.chmod(0o600)
    make(tmp_path)
    assert mode(access.public_key) == 0o644


@pytest.mark.parametrize("kind", ["nonsense", "rsa"])
def test_a_key_that_is_none_of_ours_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    rsa = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / "access" / SIGNING_KEY
    path.parent.mkdir()
    path.write_bytes(rsa if kind == "rsa" else b"nonsense")
    with pytest.raises(Refused, match="key"):
        make(tmp_path)
    assert path.read_bytes() == (rsa if kind == "rsa" else b"nonsense")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "access").write_text("a file")
    with pytest.raises(Refused, match="access cannot be used"):
        make(tmp_path)
