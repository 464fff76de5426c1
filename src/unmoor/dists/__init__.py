"""Wheels and sdists: reading them, judging them before an index does, testing them as installed.

The stages about files import it; it decides, and reaches outside through ports alone. Begin with `inspect`, which reads
a built file; `checks` holds the rules an index enforces, `testing` what runs against an installed file.
"""
