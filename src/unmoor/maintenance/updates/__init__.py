"""Updates of ``uv.lock``: what can be updated, which updates pass the tests, and what is proposed of them.

Begin with `steps`, which goes through an update from the lock of a commit to the result. `lock` reads and compares
locks, `groups` decides how large a step an update is, `caps` what the project's own bounds hold back, and `halving`
finds the members of a batch with which the tests fail. `result` is what one job hands to another, `examine` decides
whether that can be believed, and `proposing` makes pull requests of it.
"""
