"""TruffleHog: secrets in what the image is made of.

It searches everything of the build context, and of `node_modules` the packages that the project itself asks for, the plugin first of all.
What those bring with them is left out: published packages are full of examples that look like secrets (a Backstage backend has a hundred),
they are public anyway, and nobody here could mend them. It never verifies, because that would send what it finds to somebody.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

from blocks.domain.errors import ScanFailed
from blocks.domain.findings import Finding, Identity, Kind, Report, Severity
from blocks.domain.release import Image, Materials
from blocks.scanners.program import Answer, Program

NAME = "trufflehog"
QUIET = ("--json", "--no-update", "--no-verification")
NOTE = "searched the build context and the packages it asks for itself, not what those bring with them nor the base image"
VERSION = re.compile(r"trufflehog v?(\d\S*)")


class _Where(BaseModel):
    file: str
    line: int = 0


class _Said(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal)


class _Origin(_Said):
    filesystem: _Where


class _Source(_Said):
    data: _Origin


class _Secret(_Said):
    """One line of the answer; the secret itself stands in it too and is not read."""

    source_metadata: _Source
    detector_name: str


class _Log(BaseModel):
    """One line of the log; the one that ends a search says how much was searched and how much was found."""

    level: str
    msg: str
    bytes: int = 0
    verified_secrets: int = 0
    unverified_secrets: int = 0
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trufflehog:
    """The TruffleHog program."""

    program: Program

    def subject(self, image: Image, materials: Materials) -> str:  # noqa: ARG002  # every scanner is asked the same
        """The hash of everything the image is built from."""
        return materials.key

    async def identify(self) -> Identity:
        """TruffleHog's version, which is also that of its detectors; `ScanFailed` when it is unknown."""
        answer = await self.program.about_itself("--version")
        said = VERSION.search(answer.err) or VERSION.search(answer.out)
        if answer.code or said is None:
            raise ScanFailed(
                f"trufflehog has no known version: {answer.last_words}", "build it with its version, as `make up` does"
            )
        return Identity(NAME, said[1])

    async def scan(self, image: Image, materials: Materials, identity: Identity) -> Report:  # noqa: ARG002
        """Every secret in the materials by detector, file and line, without the secret."""
        folder = await asyncio.to_thread(Path(materials.folder).absolute)
        places = await asyncio.to_thread(_choose_places, folder)
        with TemporaryDirectory(prefix="except-") as room:
            answer = await self.program.run("filesystem", *QUIET, "-x", _write_exceptions(room, places), *map(str, places))
        findings = _read_answer(answer, folder)
        return Report(NAME, identity.version, materials.key, (Kind.SECRET,), findings, notes=(NOTE,))


def _choose_places(folder: Path) -> list[Path]:
    """Everything of the folder but `node_modules`, and of that the packages which the project asks for itself."""
    if not folder.is_dir():
        raise ScanFailed("what the image was built from is not on this machine", "fetch it again by installing again")
    own = [place for place in sorted(folder.iterdir()) if place.name != "node_modules"]
    asked = [(folder / "node_modules" / name).resolve() for name in _asked_for(folder / "package.json")]
    return [*own, *(place for place in asked if place.is_dir())]


def _asked_for(project: Path) -> list[str]:
    try:
        return sorted(json.loads(project.read_bytes()).get("dependencies", {}))
    except FileNotFoundError:
        return []
    except (ValueError, AttributeError) as problem:
        raise ScanFailed("the project's package.json cannot be read", "the plugin's archive is broken") from problem


def _write_exceptions(room: str, places: list[Path]) -> str:
    file = Path(room, "except")
    file.write_text("".join(f"^{re.escape(str(place))}/(.*/)?node_modules/\n" for place in places))
    return str(file)


def _read_answer(answer: Answer, folder: Path) -> tuple[Finding, ...]:
    """The findings of a search that ended whole, or `ScanFailed`: exit code 0 is also what TruffleHog says of a folder it did not find."""
    if answer.code:
        raise ScanFailed(f"trufflehog ended with exit code {answer.code}: {answer.last_words}", "its own last words say why")
    try:
        log = [_Log.model_validate_json(line) for line in answer.err.splitlines() if line.startswith("{")]
        found = [_Secret.model_validate_json(line) for line in answer.out.splitlines()]
    except ValidationError:
        # The cause is left out on purpose: it quotes the line, and the line may hold a secret.
        raise ScanFailed("trufflehog's answer cannot be read or is cut off", "try again; if it stays so, report it") from None
    _check_whole(log, len(found))
    return tuple(dict.fromkeys(_read_secret(secret, folder) for secret in found))


def _check_whole(log: list[_Log], found: int) -> None:
    ended = next((line for line in log if line.msg == "finished scanning"), None)
    wrong = next(_wrong(log), "")
    if ended is None or wrong:
        raise ScanFailed(f"trufflehog did not finish: {wrong or 'it does not say that it did'}", "its own last words say why")
    if not ended.bytes:
        raise ScanFailed("trufflehog searched nothing", "what the image was built from is empty or cannot be read")
    if ended.verified_secrets + ended.unverified_secrets != found:
        raise ScanFailed(
            f"trufflehog found {ended.unverified_secrets} secrets and names {found}", "its answer is cut off: try again"
        )


def _wrong(log: list[_Log]) -> Iterator[str]:
    return (", ".join((line.msg, *line.errors)) for line in log if line.level in ("error", "fatal", "panic"))


def _read_secret(secret: _Secret, folder: Path) -> Finding:
    where = secret.source_metadata.data.filesystem
    file = where.file.removeprefix(f"{folder}/")
    return Finding(Kind.SECRET, secret.detector_name, file, Severity.CRITICAL, place=str(where.line or ""), found_by=(NAME,))
