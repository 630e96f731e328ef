"""`python -m deployments.pools` is the embedded pool's worker.

A module of its own, and by this name, because a child of the fork server imports its parent's main module once more unless it is called
`__main__`: that takes a fifth of a second at the beginning of each run.
"""

from deployments.pools.embedded import main

main()
