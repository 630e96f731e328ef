"""The verbs: each takes values and a block, does one thing and is safe to repeat."""
