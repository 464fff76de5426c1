"""Compare the benchmarks of two commits that are measured side by side, round by round.

Begin with `report`, the result and its JSON. `rule` decides by statistics only, `rounds` measures as many rounds as
the spread demands, and `verdicts` turns what was measured into the report.
"""
