"""What ``unmoor rehearse --chaos`` prints: a line for each round, the tables at the end, and the list of faults."""

from __future__ import annotations

from unmoor.cli.output import align_columns
from unmoor.rehearsal.chaos.results import ChaosResult, Ended, RoundResult
from unmoor.rehearsal.faults.catalogue import FAULTS
from unmoor.rehearsal.invariants.verdict import INVARIANTS
from unmoor.util.text import clean, list_some

_MOST = 8
"""The most violations of a round that are printed; the document has all."""


def fault_list() -> list[str]:
    """Return every fault as a table."""
    rows = [(each.name, each.kind.value, ", ".join(each.needs), each.summary) for each in FAULTS.values()]
    return align_columns(("fault", "kind", "needs", "what happens"), rows)


def round_line(result: RoundResult, rounds: int) -> str:
    """Return the line about a round that has ended."""
    of = f"/{rounds}" if rounds else ""
    what = "; ".join(result.injections) or "no fault"
    begun = ", from nothing" if result.from_nothing else ""
    unmet = [text for text in result.injections if not result.met.get(text)]
    missed = f", never met: {list_some(unmet)}" if unmet else ""
    codes = ", ".join(str(each.exit_code) for each in result.runs)
    facts = f"{result.seconds:.1f} s, exit codes {codes}{missed}"
    return clean(f"round {result.number}{of}: {what}{begun}: {result.ended} ({facts})", limit=1000)


def tables(result: ChaosResult) -> list[str]:
    """Return the tables: the faults, what is violated, and the numbers of the whole."""
    faults = [(each.kind, each.fault, str(each.planned), str(each.met)) for each in result.faults]
    says = {str(name): words for name, (words, _) in INVARIANTS.items()}
    none_violated = "held" if result.rounds else "not judged"
    invariants = [
        (name, says.get(name, ""), str(count) if count else none_violated) for name, count in result.invariants.items()
    ]
    ended = [each.ended for each in result.rounds]
    numbers = [
        ("rounds", str(len(result.rounds))),
        *((f"  {each}", str(ended.count(each))) for each in Ended),
        ("kills", str(result.kills)),
        ("re-runs", str(result.reruns)),
        ("longest run", f"{result.longest:.1f} s"),
        ("without faults", f"{result.plain:.1f} s"),
    ]
    return [
        *align_columns(("kind", "fault", "planned", "met"), faults),
        "",
        *align_columns(("invariant", "what it says", "violated"), invariants),
        "",
        *align_columns(("chaos", ""), numbers),
    ]


def violations_of(result: RoundResult) -> list[str]:
    """Return the lines about what a round violated: each finding, its folder, and the command that plays it again."""
    every = [f"{each.invariant}: {clean(each.what, limit=600)} ({clean(each.where)})" for each in result.violations]
    found = every if len(every) <= _MOST else [*every[:_MOST], f"and {len(every) - _MOST} more"]
    return [*found, f"its folder:  {clean(result.folder)}", f"play it again:  {result.replay}"]
