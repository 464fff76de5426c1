"""Read wheels and sdists, check them before an index does, and test them once installed.

The stages that handle files use this package. It reaches the outside world through ports only. Begin with `inspect`,
which reads a built file. `checks` holds the rules that an index enforces, and `testing` what runs against an installed
file.
"""
