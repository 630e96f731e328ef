"""`python -m deployments.cli` is `pluginctl`."""

from deployments.cli import main

main()
