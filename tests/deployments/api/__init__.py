"""The programming interface, from outside."""
