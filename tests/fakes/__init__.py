"""Stand-ins with behaviour; each runs the same contract tests as what it stands for."""
