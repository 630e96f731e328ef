"""Where flow runs are run: the worker of each work pool that is ours, and what a pool's runs are made of."""
