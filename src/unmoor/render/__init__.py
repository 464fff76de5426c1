"""Listeners: they say aloud what happened. Talk goes to stderr; only ``cli`` writes data to stdout."""
