"""A Service's own name is told from a gateway's host."""

import pytest

from blocks.domain.service_host import ServiceHost


def test_it_is_written_and_read() -> None:
    host = ServiceHost("hello", "default-dev", 8080)
    assert ServiceHost.read(str(host)) == host


@pytest.mark.parametrize("host", ["hello.default-dev.localhost", "hello.default-dev.svc", "hello.svc:80", "a.b.svc:80/x", ""])
def test_anything_else_is_a_gateways(host: str) -> None:
    assert ServiceHost.read(host) is None
