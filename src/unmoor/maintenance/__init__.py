"""Upkeep of a project between its releases: what its lock updates to, and what its runs left on the forge.

The room plans and judges on values; the forge, git and the resolver are behind ports. Begin with `leftovers`, which
decides which artifacts and caches of GitHub Actions can go.
"""
