"""The stages of a release, one per module: what each plans, finds and makes. Stages never import each other.

A stage has the name of its file. Only its ``of`` sees the request and the services, and picks the ports it needs.
`unmoor.assembly` puts the stages in order. Begin with `notes`, the shortest, then read `pypi`.
"""
