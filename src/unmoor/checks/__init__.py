"""Checks of a repository: what is wrong with it, before anything is committed, tagged or released.

Each check is a small file of its own, and `registry` lists them. They read files through a port, those of the work tree
or of git's index, and run nothing of the project unless their group says so. Begin with `model`, then read `running`.
"""
