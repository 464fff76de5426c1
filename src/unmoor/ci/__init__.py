"""What a CI service says about the run: repository, commit, event.

Only `cli` imports it: no other room may depend on where a run happens. Begin with `github_actions`.
"""
