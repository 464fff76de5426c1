"""The judge of releases into a local world: nine invariants, checked in what the servers stored and logged.

It reads files, and knows nothing of how unmoor releases: an import contract keeps stages, adapters and the rest of what
publishes out of its reach, so a mistake there cannot hide itself here. Each invariant has a function that returns what
violates it. What cannot be read is a violation too, never a pass. Begin with `evidence`, then `verdict`.
"""
