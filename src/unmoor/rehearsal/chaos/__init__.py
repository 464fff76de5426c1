"""Chaos: rounds of a release into a local world, each under faults that a seed draws, then to its end without them.

Begin with `draw`, then `rounds`. `addresses` are the requests and lines of the journal that a release without faults
had; `draw` chooses faults from these, so that the same seed gives the same rounds. `folders` copies what was built and
proven once, `rounds` plays a round, and `results` adds up what was met and what the judge found. Nothing here decides
what is right: that is `unmoor.rehearsal.invariants`.
"""
