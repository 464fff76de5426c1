"""The judge: every invariant in turn, over the evidence of one release."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from unmoor.rehearsal.invariants.bounds import broken_bounds
from unmoor.rehearsal.invariants.commits import mixed_commits
from unmoor.rehearsal.invariants.convergence import other_ends
from unmoor.rehearsal.invariants.endings import dishonest_endings
from unmoor.rehearsal.invariants.evidence import Evidence, Finding, Invariant, Violation
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.indexes import untested_bytes
from unmoor.rehearsal.invariants.irreversible import too_early
from unmoor.rehearsal.invariants.leaks import leaked_secrets
from unmoor.rehearsal.invariants.pointers import wrong_pointers
from unmoor.rehearsal.invariants.release_page import incomplete_pages
from unmoor.rehearsal.invariants.request_log import NAME, read_log

INVARIANTS: Mapping[Invariant, tuple[str, Callable[[Facts], Iterator[Finding]]]] = {
    "I1": ("files on an index are the tested ones, and no name is sent with other bytes", untested_bytes),
    "I2": ("no public release page lacks an asset", incomplete_pages),
    "I3": ("floating pointers never move back, to a prerelease, or too early", wrong_pointers),
    "I4": ("the end is that of a release without faults, and nothing is built twice", other_ends),
    "I5": ("exit code 0 only if all is there; else what is missing is named", dishonest_endings),
    "I6": ("runs end in time, with bounded tries, and wait where they are asked to", broken_bounds),
    "I7": ("nothing final comes before a check that could fail, or after a refusal", too_early),
    "I8": ("no secret is printed, sent or left anywhere", leaked_secrets),
    "I9": ("tag, files, images and release page are of one commit", mixed_commits),
}
"""What each says, in a few words, and what finds where it does not hold."""


def judge(evidence: Evidence) -> tuple[Violation, ...]:
    """Return every violated invariant. What cannot be read violates each that needs it."""
    try:
        facts = Facts(evidence, read_log(evidence.world))
    except (OSError, ValueError) as error:
        what = f"the log of requests is unreadable: {error}"
        return tuple(Violation(invariant=invariant, what=what, where=NAME) for invariant in INVARIANTS)
    found: list[Violation] = []
    for invariant, (_, violations) in INVARIANTS.items():
        try:
            found += (Violation(invariant=invariant, what=each.what, where=each.where) for each in violations(facts))
        except (OSError, ValueError) as error:
            where = str(getattr(error, "filename", None) or evidence.world)
            found.append(Violation(invariant=invariant, what=f"what it is about is unreadable: {error}", where=where))
    return tuple(dict.fromkeys(found))
