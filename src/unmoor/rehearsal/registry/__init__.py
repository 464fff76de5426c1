"""A real OCI registry behind a proxy that answers as GHCR does.

`rehearsal.serve` starts it. Begin with `site`, the folder of a registry; `proxy` and `rules` decide what is refused.
"""
