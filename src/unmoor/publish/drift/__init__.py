"""What drifted: the decisions of ``unmoor watch`` about many releases. Pure; the command reads the surfaces for them.

Begin with `one_release`, which judges one release by the states that ``status`` shows. `project` judges by lists,
`scope` chooses the tags, `ignore` has what the settings accept, and `notice` writes the one issue about what is found.
"""
