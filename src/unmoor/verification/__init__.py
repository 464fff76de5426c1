"""Whether a release is what its workflow made: every byte, signature and list that anybody can download, compared.

Nothing here writes, and nothing needs a login. What cannot be read is *unknown*, and never passes. Begin with
`release`, which puts the checks of the surfaces together.
"""
