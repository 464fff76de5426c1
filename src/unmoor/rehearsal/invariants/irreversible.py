"""I7: nothing irreversible happens before a check that could have failed, nor after a refusal."""

from __future__ import annotations

from collections.abc import Iterator

from unmoor.rehearsal.invariants.effects import FORGE, Effect
from unmoor.rehearsal.invariants.evidence import End, Finding
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.stores import INDEX, STAGING

REFUSALS = frozenset({3, 6, 7, 8, 13, 17})
"""Exit codes of checks that come before everything final: settings, build, files, proofs, this machine, scans."""


def too_early(facts: Facts) -> Iterator[Finding]:
    """Compare the first final change with everything that must come before it, and runs that were refused."""
    if (first := facts.first_final) is not None:
        yield from _out_of_order(facts, first)
        yield from _unread(facts, first)
        yield from _incomplete(facts, first)
    yield from _order_of_finals(facts)
    for number, run in enumerate(facts.evidence.runs, 1):
        final = [each for each in facts.effects_of(run) if each.final]
        if run.exit_code in REFUSALS and final:
            what = f"{final[0].what} on {final[0].surface} was final, but the run ended with {run.exit_code}"
            yield Finding(what, f"run {number}")
    if facts.expected.end is End.REFUSED:
        yield from _refused(facts)


def _out_of_order(facts: Facts, first: Effect) -> Iterator[Finding]:
    """Uploads that could still have failed when the first final change was made."""
    for effect in facts.effects:
        if not effect.final and effect.adds and effect.request.start > first.request.start:
            what = f"{effect.what} came to {effect.surface} after {first.what} was final on {first.surface}"
            yield Finding(what, effect.request.where)


def _unread(facts: Facts, first: Effect) -> Iterator[Finding]:
    """The staging index must have been read after the last file came, since its files are tested from there."""
    came = [each.request.start for each in facts.effects if each.surface == STAGING]
    if not facts.expected.staging or not came:
        return
    reads = [each for each in facts.log if each.server == STAGING and each.method == "GET" and each.done]
    if not any(max(came) < each.start < first.request.start for each in reads):
        yield Finding(f"{first.what} was final before anyone read {STAGING}", first.request.where)


def _incomplete(facts: Facts, first: Effect) -> Iterator[Finding]:
    """What the first final change found missing: files on the staging index, assets of the draft."""
    before = {(each.surface, each.what) for each in facts.effects if each.request.start < first.request.start}
    known = {each.surface for each in facts.effects}
    wanted = [(STAGING, name) for name in facts.expected.files] if facts.expected.staging else []
    wanted += [(FORGE, name) for name in (*facts.expected.files, *facts.expected.assets)]
    for surface, name in wanted:
        # A surface without a line in the log was filled before it began.
        if surface in known and (surface, name) not in before:
            yield Finding(f"{first.what} was final before {surface} had {name}", first.request.where)


def _order_of_finals(facts: Facts) -> Iterator[Finding]:
    """Tags of images come after the index, and the release page after both."""
    finals = [each for each in facts.effects if each.final]
    ranks = [0 if each.surface == INDEX else 2 if each.surface == FORGE else 1 for each in finals]
    highest = 0
    for effect, rank in zip(finals, ranks, strict=True):
        if rank < highest:
            yield Finding(f"{effect.what} came to {effect.surface} after what waits for it", effect.request.where)
        highest = max(highest, rank)


def _refused(facts: Facts) -> Iterator[Finding]:
    """After the fault was in place nothing final happened, and the last run says which values differ."""
    for effect in facts.effects:
        if effect.final and effect.request.start >= facts.expected.since:
            what = f"{effect.what} was final on {effect.surface}, although the release had to be refused"
            yield Finding(what, effect.request.where)
    if not facts.evidence.runs:
        return
    last = facts.evidence.runs[-1]
    if last.exit_code == 0:
        yield Finding("the last run ended well, although it had to be refused", "exit code 0")
    for value in facts.expected.named:
        if value not in last.output:
            yield Finding(f"the last run does not name {value}", f"exit code {last.exit_code}")
