"""The rehearsal's local world: package indexes, a GitHub API, Sigstore, a container registry, a git remote.

Start it with `unmoor.rehearsal.local.start`, or by hand::

    python -m unmoor.rehearsal.serve DIR --repository acme/demo --checkout PATH --registry ghcr.io

All servers are on 127.0.0.1, and all state is in DIR; ``DIR/world.toml`` holds the addresses and the throw-away
credentials. The servers refuse what the real ones refuse. Some control files change their behaviour while they run:

- ``DIR/<index>/stale``: the simple index shows only files uploaded before the control file was last touched;
- ``DIR/<index>/foreign``: names, one a line, of projects that belong to somebody else;
- ``DIR/<index>/archived``, ``quarantined``, ``deprecated``: names of projects that have that status (PEP 792);
- ``DIR/<index>/api-token``: its token counts as a user's, so that attestations with it are refused;
- ``DIR/<index>/no-attestations``: it ignores attestations, and serves none;
- ``DIR/<index>/ahead``: seconds by which the index's clock is ahead;
- ``DIR/issuer/name-subject``: ID tokens have the older form of ``sub``, without numbers;
- ``DIR/issuer/claims.json``: claims that differ in ID tokens; see `shared.oidc`;
- ``DIR/sigstore/fulcio-ahead``, ``log-ahead``: seconds by which those clocks are ahead;
- ``DIR/forge/immutable``: releases that are published from now on cannot be changed;
- ``DIR/forge/no-attestations``: no token may store attestations;
- ``DIR/forge/private``: the repository is private;
- ``DIR/forge/organisation``: the repository's owner is an organisation, not a user;
- ``DIR/registry/<host>/…``: who may read and write which package; see `registry.rules`;
- ``DIR/faults.json``: at which requests which server fails, and how; see `faults`. These are no rules of a server.

The command line starts it; no stage depends on it. Begin with `local`, then `serve`, the process behind it.
"""
