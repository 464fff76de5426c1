"""Checks that cost: they build the project, install it and rehearse its release, and so they run its code.

They are about the last commit, as a release is: uncommitted changes are no part of it, and each says so. The project's
code gets an allow-list of variables, as in a release. Begin with `install`.
"""
