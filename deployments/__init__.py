"""The ways in: API, command line, Prefect deployments, and the processes that carry them."""
