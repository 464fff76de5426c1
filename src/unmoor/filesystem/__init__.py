"""Paths and files of this machine: no links followed, private files, locks, whole writes.

What a system does its own way with files is here and nowhere else; processes are in `unmoor.adapters.process`. Begin
with `safe_folder`, which every write below ``.unmoor`` goes through.
"""
