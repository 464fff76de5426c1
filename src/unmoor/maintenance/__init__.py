"""Upkeep of a project between its releases: what its lock updates to, and what its runs left on the forge.

`leftovers` decides which artifacts and caches of GitHub Actions can go. The room plans and judges on values; the forge,
git and the resolver are behind ports.
"""
