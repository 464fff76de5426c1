"""The rules for a project's figures: what is broken, what holds, and what nobody can tell yet.

Begin with `judging`, which applies every rule to the figures that `figures` reads from the database. `rules` has the
rules, `derived` what follows from jobs, and `evidence` the statistics of the rule for slow-downs. No rule speaks on
fewer than 20 runs: then, and wherever a figure is missing, its verdict is *unknown*, which is never a pass. `notice` is
the text of the one issue about them.
"""
