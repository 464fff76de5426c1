"""The part of GitHub's REST API that a release needs, with GitHub's refusals.

`rehearsal.serve` starts it. Begin with `app`, then `releases`.
"""
