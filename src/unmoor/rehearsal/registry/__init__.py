"""A real OCI registry behind a proxy that answers as GHCR does.

`rehearsal.serve` starts it. Begin with `site`, which puts the parts together; `proxy` and `rules`
decide what is refused.
"""
