"""Announcements of a release: what a message says, and the record that keeps it from being sent twice.

A message cannot be looked up, so the notes of the release say that it is being sent before it is, and that it was sent
afterwards. Begin with `delivery`, which does both around the sending; `message` has the words, `claim` the record.
"""
