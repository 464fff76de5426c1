"""One stage a module: what it plans, what it finds, what it makes. Stages never import each other.

A stage is named after its file; only its ``of`` sees the request and the services, and picks the ports it needs.
`unmoor.assembly` puts them together. Begin with `notes`, the shortest, then `pypi`.
"""
