"""What git writes about a push that failed, read into what happened to its refs."""

from __future__ import annotations

import re

from unmoor.adapters.git.program import reason
from unmoor.ports.git_writer import PushOutcome, PushState
from unmoor.ports.shell import Ran
from unmoor.util.text import clean

_REJECTED = re.compile(r"^!\t[^\t]*:(?P<ref>refs/[^\t]+)\t\[(?P<kind>[^\]]+)\](?: \((?P<why>.*)\))?$", re.MULTILINE)


def read_outcome(ran: Ran) -> PushOutcome:
    """What a push with ``--porcelain`` that failed says of its refs."""
    found = {match["ref"]: match for match in _REJECTED.finditer(ran.out)}
    because = {ref: each for ref, each in found.items() if "atomic" not in (each["why"] or "")}
    words = "; ".join(dict.fromkeys(clean(each["why"] or each["kind"], 200) for each in because.values()))
    remote = "; ".join(line.removeprefix("remote:").strip() for line in ran.err.splitlines() if "remote:" in line)
    said = clean("; ".join(filter(None, (words, remote))), 1000)
    refs = tuple(because)
    if "does not support --atomic" in ran.err:
        return PushOutcome(state=PushState.NOT_ATOMIC, reason=reason(ran.err))
    if any("remote" in each["kind"] for each in because.values()):
        return PushOutcome(state=PushState.REFUSED, reason=said, refs=refs)
    if any(each["why"] == "already exists" for each in because.values()):
        return PushOutcome(state=PushState.EXISTS, reason=said, refs=refs)
    if because:
        return PushOutcome(state=PushState.MOVED, reason=said, refs=refs)
    if ran.code == 1 and "hook" in ran.err:  # a pre-push hook of this machine prints what it likes
        return PushOutcome(state=PushState.LOST, reason=reason(ran.err))
    return PushOutcome(state=PushState.LOST, reason=reason(ran.err or ran.out))
