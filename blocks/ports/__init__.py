"""What the toolchain holds, as protocols: a flow test may put something else in the same place."""
