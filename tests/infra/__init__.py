"""Mirrors the tree; these tests stop and start the local world, so they run last."""
