"""Kubernetes objects as plain dictionaries, made of a blueprint: no I/O, no clock, no randomness."""
