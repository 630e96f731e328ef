"""What happens once the caller has the answer."""

import logging
from uuid import UUID

from blocks.domain.errors import PipelineError
from deployments.api.ports import Dispatch

LOG = logging.getLogger("plugin-pipeline.api")


async def start_later(dispatch: Dispatch, operation: UUID) -> None:
    """Start the run that carries the operation; if it cannot be started now, it waits in the database and the log says why."""
    try:
        await dispatch(operation)
    except PipelineError as problem:
        # The operation is recorded: the keeper starts it once Prefect answers again.
        LOG.warning("operation waits", extra={"operation": str(operation), "reason": str(problem)})
