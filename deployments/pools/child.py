"""What runs one flow run: a child of the fork server, which has imported everything once for all of them.

The fork server imports this module before its first child, and with it whatever a flow run needs; a child that is forked begins where
imports end. It sets its own environment and logging, and then is Prefect's engine, as any other process that runs a flow.
"""

import os
import runpy
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

import prefect.engine
from prefect.context import SettingsContext, get_settings_context
from prefect.logging.configuration import setup_logging
from prefect.settings import Settings

import flows.discover
import flows.install
import flows.plan
import flows.rollback
import flows.switch
import flows.uninstall

# Named, so that what is imported for its effect is not taken for an accident: the modules stay loaded.
WARM = (prefect.engine, flows.discover, flows.install, flows.plan, flows.rollback, flows.switch, flows.uninstall)
# What Prefect tells a run of itself; none of it is a setting.
OF_THE_RUN = "PREFECT__"


def be_ready() -> None:
    """Nothing is done; a first child that ends proves that the fork server has imported all there is."""


def run_engine(environment: Mapping[str, str], folder: str) -> None:
    """Run the flow run that is named in these additions to the environment to its end; the exit code is the engine's."""
    asked = {name for name, value in environment.items() if os.environ.get(name) != value}
    os.environ.update(environment)
    os.chdir(folder)
    with settings_of(asked):
        if any(name.startswith("PREFECT_LOGGING_") for name in asked):
            setup_logging(incremental=False)  # a fifth of a second, so only where the run asks for another level
        runpy.run_path(prefect.engine.__file__, run_name="__main__")


def settings_of(asked: Iterable[str]) -> AbstractContextManager[object]:
    """Prefect's settings for a run that asks for these variables to be otherwise; to read them all takes a tenth of a second."""
    if all(name.startswith(OF_THE_RUN) or not name.startswith("PREFECT_") for name in asked):
        return nullcontext()
    return SettingsContext(profile=get_settings_context().profile, settings=Settings())
