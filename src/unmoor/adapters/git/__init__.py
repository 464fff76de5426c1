"""Git as a program: one checkout and its remote, read and cloned.

Implements `unmoor.ports.git`. Begin with `checkout`; `program` runs git with nothing of the user's settings but what is
needed.
"""
