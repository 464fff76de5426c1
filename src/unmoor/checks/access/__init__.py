"""Checks of what is outside of the repository: its settings and rules on the forge, and the publishers at the indexes.

Begin with `asking`, which has the ports of the repository. The checks only read. What only an administrator may see, or
nobody through an API, has no answer: it is unknown, with the page where a person sees it.
"""
