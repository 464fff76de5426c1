"""The judge: every invariant in turn, over the evidence of one release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from unmoor.rehearsal.invariants.evidence import Evidence, Invariant, Violation
from unmoor.rehearsal.invariants.indexes import untested_bytes
from unmoor.rehearsal.invariants.request_log import NAME, LoggedRequest, read_log

Judging = Callable[[Evidence, Sequence[LoggedRequest]], Iterator[Violation]]

INVARIANTS: Mapping[Invariant, tuple[str, Judging]] = {
    "I1": ("files on an index are the tested ones, and no name is sent with other bytes", untested_bytes),
}
"""What each says, in a few words, and what finds its violations."""


def judge(evidence: Evidence) -> tuple[Violation, ...]:
    """Return every violated invariant. What cannot be read violates each that needs it."""
    try:
        log = read_log(evidence.world)
    except (OSError, ValueError) as error:
        return (Violation(invariant="I1", what=f"the log of requests is unreadable: {error}", where=NAME),)
    found: list[Violation] = []
    for invariant, (_, violations) in INVARIANTS.items():
        try:
            found += violations(evidence, log)
        except (OSError, ValueError) as error:
            where = str(getattr(error, "filename", None) or evidence.world)
            found.append(Violation(invariant=invariant, what=f"what it is about is unreadable: {error}", where=where))
    return tuple(dict.fromkeys(found))
