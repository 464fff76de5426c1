"""Versions and the tags that carry them: what is highest, what comes next, how a project writes its tags.

Pure functions: nothing here reads a file or asks a server. Begin with `tag_scheme`; `pep440` compares versions.
"""
