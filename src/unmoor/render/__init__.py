"""Listeners: they say aloud what happened. Talk goes to stderr; only ``cli`` writes data to stdout.

Listeners hear the events of `core` and know no stage; the command line chooses among them. Begin with `plain`,
the smallest; `words` holds what all of them say.
"""
