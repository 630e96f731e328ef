"""Which release of the pipeline this is."""

from importlib.metadata import PackageNotFoundError, version

PACKAGE = "plugin-pipeline"


def own_version() -> str:
    """The version that is installed, or a word that says that none is."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "not installed"
