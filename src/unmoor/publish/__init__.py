"""What the publishing stages share: uploading, release assets, and comparing surfaces with the manifest.

Stages and `cli` import this room. It decides what is equal, absent or in conflict, and reaches surfaces only through
ports. Begin with `compare`, which compares every surface, then read `upload`.
"""
