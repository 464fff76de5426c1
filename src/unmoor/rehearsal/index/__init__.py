"""A package index that refuses what PyPI refuses.

`rehearsal.serve` starts it; it shares no rule with the checks of `dists`, so that a mistake in one shows at the other.
Begin with `app`, then `upload_api`.
"""
