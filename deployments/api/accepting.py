"""The answer to whoever asked for something: it is recorded, and where it is to be seen."""

from fastapi import Response

from blocks.catalog.requests import Requested
from blocks.domain.journal import WORKABLE, Phase
from deployments.api.shapes import Accepted, InstallationShown, operation_links
from deployments.api.shown import INSTALLATIONS
from deployments.api.visit import Named, Visit


async def accept(visit: Visit, asked: Requested, response: Response) -> Accepted:
    """The recorded wish, with the run that carries it started once the caller has the answer."""
    if asked.created:
        visit.start(asked.operation)
    answering = await visit.ports.views.operation(asked.operation)
    phase = answering.phase if answering else Phase.REQUESTED
    return await _answer(visit, asked, phase, response)


async def accept_word(visit: Visit, named: Named, phase: Phase, response: Response) -> Accepted:
    """The recorded word, with a run started where it leaves something to do."""
    if phase in WORKABLE:
        visit.start(named.operation)
    return await _answer(visit, Requested(named.installation, named.operation, created=True), phase, response)


async def _answer(visit: Visit, asked: Requested, phase: Phase, response: Response) -> Accepted:
    view = await visit.find(asked.installation)
    response.headers["Location"] = f"{INSTALLATIONS}/{asked.installation}"
    links = InstallationShown.of(view, visit.ports.prefect_ui).links | operation_links(asked.installation, asked.operation)
    return Accepted(id=asked.installation, operation=asked.operation, status=phase, created=asked.created, links=links)
