"""One checkout and its remote, read and cloned with the git program.

Implements `unmoor.ports.git`. Begin with `checkout`; `program` runs git with only those settings of the user that
it needs.
"""
