"""What the local servers share: HTTP routes with a request log, a store on disk, tokens, the git remote.

The other rooms of `rehearsal` import it; it imports none of them. Begin with `http`.
"""
