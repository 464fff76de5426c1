"""I5: exit code 0 only if every surface holds the release; else what is missing is named, and how to go on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from unmoor.rehearsal.invariants.effects import FORGE, Effect
from unmoor.rehearsal.invariants.evidence import End, Finding, RunEvidence
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.stores import INDEX, STAGING

KILLED = frozenset({-9, 137})
SIGNALLED = frozenset({-2, -15, 130, 143})
_FAILED = re.compile(r"^(?P<stages>[a-z][\w, -]*) failed$", re.MULTILINE)
_MISSING = re.compile(r"^not reached: (?P<stages>.*)$", re.MULTILINE)
_GO_ON = re.compile(r"^(?:next|then): +\S", re.MULTILINE)
_ERROR = re.compile(r"^error: ", re.MULTILINE)
_NOTHING = "nothing was uploaded or published"
_WHOLE = "every surface holds"


def dishonest_endings(facts: Facts) -> Iterator[Finding]:
    """Look at the exit code and the last words of each run, and at what the log says was there by then."""
    for number, run in enumerate(facts.evidence.runs, 1):
        if run.exit_code in KILLED:
            continue
        where = f"run {number}, exit code {run.exit_code}"
        missing = _missing(facts, run)
        if run.exit_code == 0:
            for what in missing:
                yield Finding(f"it ended well, but {what} was missing", where)
        else:
            own = () if run.beside else facts.effects_of(run)
            yield from _failed(own, run, missing, where)
    yield from _late(facts)
    if facts.evidence.runs and facts.evidence.runs[-1].exit_code == 0 and facts.expected.end is End.CONVERGED:
        yield from _absent(facts)


def _missing(facts: Facts, run: RunEvidence) -> dict[str, tuple[str, ...]]:
    """What was not there when a run ended, each with the stages of which one must be named as failed or not reached.

    What has no line in the log was there before it began.
    """
    later = {f"{each.surface} {each.what}": each for each in facts.effects if each.request.start >= run.log_end}
    for each in facts.effects:
        if each.request.start < run.log_end:
            later.pop(f"{each.surface} {each.what}", None)
    stages = {STAGING: ("testpypi",), INDEX: ("pypi",)}
    wanted: dict[str, tuple[str, ...]] = {
        f"{index} {name}": stages[index] for index in facts.indexes for name in facts.expected.files
    }
    wanted |= {
        f"{image.host} {image.name}:{tag}": ("image-tags", "registry")
        for image in facts.expected.images
        for tag in image.tags
    }
    found = {name: each for name, each in wanted.items() if name in later or not facts.is_there(name)}
    public = any(each.final and each.surface == FORGE for each in facts.effects if each.request.start < run.log_end)
    if not public and not (_is_public(facts) and not any(e.final and e.surface == FORGE for e in facts.effects)):
        found[f"{FORGE} page"] = ("undraft", "draft")
    return found


def _is_public(facts: Facts) -> bool:
    return any(page.tag == facts.expected.tag and not page.draft for page in facts.pages)


def _failed(
    effects: Sequence[Effect], run: RunEvidence, missing: dict[str, tuple[str, ...]], where: str
) -> Iterator[Finding]:
    if _WHOLE in run.output:
        yield Finding(f"it says that {_WHOLE} the release", where)
    sent = [each for each in effects if each.surface != FORGE or each.final]
    if sent and _NOTHING in run.output:
        yield Finding(f"it says that {_NOTHING}, but {sent[0].surface} got {sent[0].what}", where)
    named = [each["stages"] for pattern in (_FAILED, _MISSING) for each in pattern.finditer(run.output)]
    if not named:
        if effects:
            yield Finding("it changed something, and does not say what failed or was not reached", where)
        if run.exit_code not in SIGNALLED and not (_ERROR.search(run.output) and _GO_ON.search(run.output)):
            yield Finding("it does not say what went wrong and how to go on", where)
        return
    if not _GO_ON.search(run.output):
        yield Finding("it does not say how to go on", where)
    stages = {stage for each in named for stage in re.split(r",\s*", each)}
    for what, one_of in missing.items():
        if not stages.intersection(one_of):
            yield Finding(f"{what} was missing, and neither of {', '.join(one_of)} is named", where)


def _late(facts: Facts) -> Iterator[Finding]:
    """What a run added after another one had said that all is done."""
    done = next((run.log_end for run in facts.evidence.runs if run.exit_code == 0), None)
    for effect in facts.effects:
        if done is not None and effect.request.start >= done:
            what = f"{effect.what} was changed on {effect.surface} after a run had ended well"
            yield Finding(what, effect.request.where)


def _absent(facts: Facts) -> Iterator[Finding]:
    """What the stores do not hold although the last run ended well."""
    expected = facts.expected
    for index in facts.indexes:
        held = {file.name for project in facts.projects[index] for file in project.files}
        for name in sorted(expected.files.keys() - held):
            yield Finding(f"{index} does not hold {name}, although the last run ended well", index)
    for image in expected.images:
        stored = facts.stored(image)
        for tag in sorted({*image.tags} - ({*stored.tags} if stored else set())):
            yield Finding(f"{image.name} has no tag {tag}, although the last run ended well", image.host)
    if not _is_public(facts):
        yield Finding(f"{expected.tag} has no public page, although the last run ended well", FORGE)
