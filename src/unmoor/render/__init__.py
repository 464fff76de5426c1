"""Listeners show the progress of a run on stderr or in files. Only ``cli`` writes to stdout.

A listener gets the events of `core.events` and knows no stage. The command line chooses the listeners of a run. Begin
with `plain`, the smallest; `words` holds the text that they share. `html` writes static pages, which are no listeners.
"""
