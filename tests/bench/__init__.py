"""Measurements on the real world: `make bench` prints a table and writes `build/bench.json`. Tests never assert on what is measured."""
