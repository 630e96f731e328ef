"""The embedded pool on a Prefect server of its own."""
