"""Release automation for Python projects: from one ``v*`` tag to the same files on every surface.

``unmoor release v1.2.3`` builds the sdist and the wheel once, tests the installed wheel, and publishes those files on
a package index, in container images and in a GitHub release. Before a stage makes anything, it compares what is already
there by sha256, so a failed release continues when the same command runs again. ``unmoor rehearse`` runs every stage
against servers on this machine.

unmoor is a command line (``unmoor`` or ``python -P -m unmoor``). The modules below are internal: their interfaces may
change in any release. The commands, settings, exit codes and JSON documents are stable, and ``docs/reference``
describes them.

Begin with `unmoor.assembly`, which lists the stages of a release in order. `unmoor.core.stage` defines a stage,
`unmoor.products` defines the values that stages pass on, and `unmoor.cli.app` lists the commands. The docstring of
every package says what it is for.
"""
