"""The record in memory: the same answers as the catalogue, decided by the same pure functions; it runs the catalogue's contract tests."""

from tests.fakes.neighbours import FakeNeighbours
from tests.fakes.requests import FakeRequests
from tests.fakes.views import FakeViews
from tests.fakes.waivers import FakeWaivers
from tests.fakes.watches import FakeWatches
from tests.fakes.words import FakeWords


class FakeRecord(FakeRequests, FakeWords, FakeViews, FakeWatches, FakeWaivers, FakeNeighbours):
    """Requests, words, views, timelines, watches, waivers, orders, neighbours and audit in one."""
