"""An npm registry in front of the real one: it has a package of its own, forwards every other question, and counts them all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from blocks.sources.known import TIMES, trust
from blocks.sources.npm import PACKUMENT
from tests.fakes.npm_registry import FakeRegistry, open_registry


class ForwardingRegistry(FakeRegistry):
    """Answers about its own packages as it is told, and about all others what `upstream` answers."""

    upstream: httpx.Client

    def answer(self, path: str) -> tuple[int, bytes]:
        """The status and body for a path without its leading slash."""
        if path.partition("/-/")[0] in self.packages:
            return super().answer(path)
        name, archive, rest = path.partition("/-/")
        said = self.upstream.get(f"{name.replace('/', '%2f') if not archive else name}{archive}{rest}")
        return said.status_code, said.content


@contextmanager
def open_forwarding(upstream: str, extra_ca: Path) -> Iterator[ForwardingRegistry]:
    """A registry on a port of its own that forwards to the upstream until the block ends."""
    head = {"Accept": PACKUMENT}
    with (
        httpx.Client(base_url=upstream, headers=head, verify=trust(extra_ca), timeout=TIMES, follow_redirects=True) as client,
        open_registry(ForwardingRegistry()) as registry,
    ):
        assert isinstance(registry, ForwardingRegistry)
        registry.upstream = client
        yield registry
