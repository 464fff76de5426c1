"""How the forge protects a repository: the default branch, and the tags of releases.

Begin with `proposal`, which compares the rulesets of a repository with what unmoor would have; `strictness` compares
two rules. The room decides, and reads and writes through the port `repository_rules`. What it proposes is never less
strict than what is there.
"""
