"""The rehearsal's local world: two package indexes, a GitHub API and a git remote on 127.0.0.1.

Start it with `unmoor.rehearsal.local.start`, or by hand::

    python -m unmoor.rehearsal.serve DIR --repository acme/demo --checkout PATH

Everything lies in DIR; ``DIR/world.toml`` holds the addresses and the throw-away credentials. The
servers refuse what the real ones refuse. Three files change how they behave while they run:

- ``DIR/<index>/stale``: the simple index shows only what was there when the file was last touched;
- ``DIR/<index>/foreign``: names, one a line, of projects that belong to somebody else;
- ``DIR/forge/immutable``: releases published from now on cannot be changed.
"""
