"""What a CI service says of the run: the repository, the commit, the event.

Only `cli` reads it, since only there a run may depend on where it runs. Begin with `github_actions`.
"""
