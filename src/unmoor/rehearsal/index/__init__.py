"""A package index that refuses what PyPI refuses.

`rehearsal.serve` starts it. It shares no code with the checks of `dists`, so that each of them reveals mistakes in
the other. Begin with `app`, then `upload_api`.
"""
