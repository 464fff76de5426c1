"""I4: in the end all is as after a release without faults, and nothing that was finished was built again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from unmoor.rehearsal.invariants.evidence import End, Finding
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.final_state import FinalState, PageState

_BUNDLE = re.compile(r" --bundle [^\s`]+\.sigstore\.json(?=`)")
_VERIFY = "gh attestation verify"
_BUILT = re.compile(r"^(dists|images) +(done:|already there|building\b)", re.MULTILINE)


def other_ends(facts: Facts) -> Iterator[Finding]:
    """Compare the end with that of the release without faults, and look for builds in what the runs printed."""
    yield from _built_twice(facts)
    if facts.expected.end is not End.CONVERGED:
        return
    if facts.evidence.runs and facts.evidence.runs[-1].exit_code:
        yield Finding(f"the last run, without faults, ended with {facts.evidence.runs[-1].exit_code}", "exit code")
    if facts.evidence.baseline is not None:
        yield from _differences(facts, facts.evidence.baseline, FinalState.of(facts.evidence.world))


def _built_twice(facts: Facts) -> Iterator[Finding]:
    """A build in a run after the files were finished: before the first run, unless the release began from nothing."""
    finished = {"dists", "images"} - facts.evidence.rebuilt
    for number, run in enumerate(facts.evidence.runs, 1):
        for stage, what in _BUILT.findall(run.output):
            if what == "building" and stage in finished and (stage == "dists" or facts.expected.images):
                yield Finding(f"{stage} built what was finished before", f"output of run {number}")
                break
        finished |= {stage for stage, what in _BUILT.findall(run.output) if what != "building"}


def _differences(facts: Facts, base: FinalState, found: FinalState) -> Iterator[Finding]:
    """Everything that is missing, too much or other. Bytes count, unless a build of its own made them."""
    exact = "dists" not in facts.evidence.rebuilt
    for index in facts.indexes:
        for project in sorted({*base.indexes.get(index, {}), *found.indexes.get(index, {})}):
            before = base.indexes.get(index, {}).get(project, {})
            after = found.indexes.get(index, {}).get(project, {})
            yield from _compared(before, after, where=index, exact=exact)
    for tag in sorted({*base.pages, *found.pages}):
        yield from _pages(facts, tag, base.pages.get(tag, ()), found.pages.get(tag, ()), exact=exact)
    if base.latest != found.latest:
        yield Finding(f"the latest release is {found.latest or 'none'}, not {base.latest or 'none'}", "forge")
    # A branch with documentation has an alias of the highest version, which may be another one here.
    same = exact and facts.expected.highest
    yield from _compared(base.branches, found.branches, where="branches of the remote", exact=same)
    for image in sorted({*base.images, *found.images}):
        old, new = base.images.get(image, {}), found.images.get(image, {})
        yield from _compared(old, new, where=image, exact=not facts.evidence.rebuilt)
        for tag in sorted(old.keys() & new.keys()):
            if (wanted := len(old[tag])) != (there := len(new[tag])):
                yield Finding(f"{tag} is of {there} platforms, not of {wanted}", image)


def _pages(
    facts: Facts, tag: str, base: tuple[PageState, ...], found: tuple[PageState, ...], *, exact: bool
) -> Iterator[Finding]:
    where = f"release page of {tag}"
    if len(base) != len(found):
        yield Finding(f"there are {len(found)}, not {len(base)}", where)
    for before, after in zip(base, found, strict=False):
        for field in ("draft", "prerelease", "target", "name"):
            if (old := getattr(before, field)) != (new := getattr(after, field)):
                yield Finding(f"its {field} is {new!r}, not {old!r}", where)
        yield from _bodies(facts, before.body, after.body, where)
        # Signatures differ each time, and so does what lists them: only the tested files have one content.
        tested = facts.expected.files if exact else ()
        same = {name for name in before.assets if name in tested}
        yield from _compared(
            {name: digest if name in same else "" for name, digest in before.assets.items()},
            {name: digest if name in same else "" for name, digest in after.assets.items()},
            where=where,
            exact=exact,
        )


def _bodies(facts: Facts, old: str, new: str, where: str) -> Iterator[Finding]:
    """Compare notes. The forge may do without the provenance: then they say to verify with the file of it."""
    if _BUNDLE.sub("", old) != _BUNDLE.sub("", new):
        yield Finding(f"its body is {new!r}, not {old!r}", where)
        return
    stored = any((facts.evidence.world / "forge" / "attestations").glob("*.json"))
    if _VERIFY in new and not stored and not _BUNDLE.search(old + new):
        yield Finding("its body says that the forge has the provenance, and it has none", where)


def _compared(base: Mapping[str, object], found: Mapping[str, object], *, where: str, exact: bool) -> Iterator[Finding]:
    for name in sorted({*base, *found}):
        if name not in found:
            yield Finding(f"{name} is missing", where)
        elif name not in base:
            yield Finding(f"{name} is there, which a release without faults does not leave", where)
        elif exact and base[name] != found[name]:
            yield Finding(f"{name} is {found[name]}, not {base[name]}", where)
