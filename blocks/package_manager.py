"""pnpm as a program: it locks and lays out packages, and none of their scripts ever runs."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from blocks.domain.errors import Terminal, Transient
from blocks.domain.pnpm_says import Complaint, read_complaint
from blocks.domain.recipe import LOCK_FILE
from blocks.domain.resolution import Gap
from blocks.ports.sources import Access, Locked
from blocks.storage import write_files

# The longest that one run of pnpm may take, in seconds.
LONGEST_RUN = 900.0
COMMON = ("--ignore-scripts", "--reporter=ndjson")
LOCKING = ("--lockfile-only", *COMMON)
INSTALLING = ("--frozen-lockfile", "--prod", *COMMON)
CREDENTIALS = ".npmrc"
# What `env` says of a program that is not there or may not be run.
CANNOT_START = frozenset({126, 127})


class Pnpm:
    """The program, with one store of packages that all plugins share; `extra_ca` adds certificates to those of the machine."""

    def __init__(self, program: str | Path, store: Path, extra_ca: Path | None = None) -> None:
        self._program, self._store, self._extra_ca = str(program), store.resolve(), extra_ca

    async def default_registry(self) -> str:
        """The address of the npm registry that this machine is configured for."""
        with TemporaryDirectory(prefix="pnpm-") as folder:
            code, out, _ = await self._run(Path(folder), "config", "get", "registry")
        if code or not out.strip().startswith("http"):
            raise Terminal("pnpm knows no registry", "set NPM_REGISTRY")
        return out.strip()

    async def lock(self, project: Mapping[str, str], access: Access) -> Locked | Gap:
        """The lock of the project's files, or the first dependency that is not published; `Transient` if the registry does not answer."""
        with TemporaryDirectory(prefix="pnpm-") as folder:
            complaint = await self._install(Path(folder), project, access, LOCKING)
            if complaint is None:
                return Locked(await asyncio.to_thread((Path(folder) / LOCK_FILE).read_text))
            if complaint.gap is not None:
                return complaint.gap
            raise complaint.error

    async def install(self, project: Mapping[str, str], access: Access, folder: Path) -> None:
        """Lay out exactly what is locked in `folder/node_modules`; `IntegrityMismatch` if a package is something else, or `Transient`."""
        complaint = await self._install(folder, project, access, INSTALLING)
        if complaint is not None:
            raise complaint.error

    async def _install(self, folder: Path, project: Mapping[str, str], access: Access, how: tuple[str, ...]) -> Complaint | None:
        await asyncio.to_thread(write_files, folder, project)
        async with credentials(folder, access):
            stores = (f"--store-dir={self._store}", f"--cache-dir={self._store / 'metadata'}")
            code, out, err = await self._run(folder, "install", *how, *stores)
        return read_complaint(f"{err}\n{out}") if code else None

    async def _run(self, folder: Path, *arguments: str) -> tuple[int, str, str]:
        trusted = [f"NODE_EXTRA_CA_CERTS={self._extra_ca.resolve()}"] if self._extra_ca else []
        # A session of its own, so that what pnpm starts ends with it.
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *("env", *trusted, self._program, *arguments),
                cwd=folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        )
        code, out, err = await outcome(starting)
        if code in CANNOT_START:
            raise Terminal(f"{self._program} cannot be started: {err.strip()}", "infra/local/pnpm.sh installs it; PNPM names it")
        return code, out, err


async def outcome(starting: "asyncio.Future[asyncio.subprocess.Process]") -> tuple[int, str, str]:
    """Exit code, output and error output of the program; `Transient` if it takes too long, and it never outlives the caller."""
    try:
        # Given up in the middle of a start, the program may already have begun: it is awaited, and then ended.
        process = await asyncio.shield(starting)
        async with asyncio.timeout(LONGEST_RUN):
            out, err = await process.communicate()
    except TimeoutError as problem:
        raise Transient(f"pnpm was still busy after {LONGEST_RUN:.0f} s and was stopped") from problem
    finally:
        process = await starting
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


@asynccontextmanager
async def credentials(folder: Path, access: Access) -> AsyncIterator[None]:
    """While the block runs, pnpm finds registry and token in the folder; afterwards the token is nowhere."""
    file = folder / CREDENTIALS
    lines = [f"registry={access.address}"] if access.address else []
    if access.token:
        lines.append(f"{access.address.partition(':')[2]}:_authToken={access.token}")
    try:
        await asyncio.to_thread(write_private, file, "\n".join(lines) + "\n")
        yield
    finally:
        file.unlink(missing_ok=True)


def write_private(file: Path, text: str) -> None:
    """Write the text so that nobody else can read it, not even for a moment."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)
