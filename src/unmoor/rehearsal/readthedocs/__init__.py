"""Read the Docs, as much of version 3 of its API as a deployment uses. It knows every project that it is asked for.

It builds nothing, but answers as the real one does: a build that was triggered is building, and then finished, and one
that is finished need not have gone well. Begin with `app`.
"""
