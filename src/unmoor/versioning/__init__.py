"""Versions and the tags that name them: which is highest, which comes next, how a project writes its tags.

Pure functions: nothing here reads a file or connects to a server. Begin with `tag_scheme`, which decides which tags
are the project's. `pep440` parses and compares versions.
"""
