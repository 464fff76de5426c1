"""Cut a release: choose the version, write it, commit, tag and push, or open a pull request for it.

Begin with `steps`, which is the list of what happens; each step is a small function or has a module of its own here.
Everything is prepared in a linked work tree (see `unmoor.adapters.git.writing`), so nothing of the user's checkout
changes before the push, and one fast-forward follows it.
"""
