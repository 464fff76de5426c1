"""Facts as one block of text to paste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from unmoor.diagnostics.facts import Fact

FENCE = "```"


def block(facts: Sequence[Fact]) -> Iterator[str]:
    """Yield the lines of the report, which a tracker that takes Markdown shows as they are."""
    width = max((len(each.name) for each in facts), default=0)
    yield FENCE
    for group, members in groupby(facts, key=lambda each: each.group):
        yield str(group)
        for each in members:
            yield f"  {each.name.ljust(width)}  {each.value.replace(FENCE, '')}".rstrip()
    yield FENCE
