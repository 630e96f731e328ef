"""Kubernetes: the one place that talks to an API server."""
