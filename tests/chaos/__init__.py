"""Whoever carries an operation is killed at every point of it, and somebody else brings it to its end."""
