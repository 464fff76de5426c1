"""Services behind a proxy, each in two slots: one serves, the other one takes the next version.

Begin with `steps`, which decides what to do next from what the engine and the proxy say, and nothing else: no file
records how far a deployment came, so the same command goes on after it was killed anywhere. `deployer` looks and acts
until nothing is left to do, `watch` judges the new version by the proxy's counters, `proxy_config` writes the proxy's
configuration.
"""
