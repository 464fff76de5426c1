"""What must be true at the end of a round: that of a release without faults, or a refusal that its faults force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from unmoor.artifacts.manifest import NAME, Manifest
from unmoor.filesystem.files import read_regular
from unmoor.rehearsal.chaos.draw import Round
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.left_out import LEFT_OUT
from unmoor.rehearsal.faults import control
from unmoor.rehearsal.faults.catalogue import fault_of
from unmoor.rehearsal.faults.injection import START, parse
from unmoor.rehearsal.invariants.evidence import End, Expected, RunEvidence
from unmoor.rehearsal.invariants.expectation import expect
from unmoor.rehearsal.invariants.final_state import FinalState
from unmoor.rehearsal.invariants.git_objects import commit_of
from unmoor.rehearsal.invariants.request_log import read_log
from unmoor.rehearsal.invariants.stores import INDEX, read_index
from unmoor.util.decode import decode_json
from unmoor.util.values import replace

REFUSING: Final = frozenset(
    {"moved-tag", "deleted-tag", "shallow-clone", "tampered-dist", "name-taken", "data-left-out"}
)
"""Faults that stay when the others are gone, and that the same command must refuse from then on."""
_MOVES: Final = frozenset({"moved-tag", "deleted-tag"})
_CHECKING: Final = frozenset({"pypi", "undraft"})
"""Stages that check the tag before they do what is final."""
_LIMIT = 10_000_000


class _Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a line in the journal that says when a stage began."""

    event: str
    stage: str = ""
    at: float = 0.0


def with_surfaces(expected: Expected, baseline: FinalState) -> Expected:
    """Add what a release without faults left on the release page and in the registries: its assets and its images."""
    left = expect(
        baseline,
        repository=expected.repository,
        project=expected.project,
        tag=expected.tag,
        version=expected.version,
        commit=expected.commit,
    )
    assets = (name for name in left.assets if name not in expected.files)
    return replace(expected, assets=tuple(assets), images=left.images)


def must_refuse(met: Mapping[str, int]) -> bool:
    """Whether one of the injections that were met must be refused."""
    return not REFUSING.isdisjoint(_faults(met))


def expected_of(
    expected: Expected, round_: Round, folder: WorldFolder, met: Mapping[str, int], runs: Sequence[RunEvidence]
) -> Expected:
    """Return what a round must end with. ``expected`` is that of a release from the files that were built once.

    A round that builds its own files is held to those that it has proven.
    """
    if rebuilds(round_):
        expected = replace(expected, files=_proven(folder) or expected.files)
    if "higher-version" in _faults(met):
        expected = replace(expected, highest=False)
    if must_refuse(met):
        expected = replace(
            expected, end=End.REFUSED, since=_since(folder, met, runs), named=_both_commits(expected, folder, met)
        )
    if "data-left-out" in _faults(met):
        commit = commit_of(folder.remote, f"refs/tags/{expected.tag}") or expected.commit
        expected = replace(expected, commit=commit, named=(*expected.named, LEFT_OUT))
    if (taken := _taken(expected, folder, met)) and expected.end is End.REFUSED:
        digests = (each for name in taken for each in (expected.files[name], taken[name]))
        expected = replace(expected, taken=taken, named=(*expected.named, *digests))
    return expected


def _after_the_move(folder: WorldFolder, run: RunEvidence) -> tuple[int, ...]:
    """Where in the log the first stage began that checks the tag, after it was moved or deleted during a run.

    Empty if none did. Whatever had begun before the move may have checked the tag already.
    """
    moved = (each.at for each in control.met(folder.path) if each.effect and parse(each.injection).fault in _MOVES)
    if (since := next(moved, None)) is None:
        return ()
    lines = (decode_json(line, _Begun) for line in run.journal.splitlines(keepends=True) if line.endswith("\n"))
    begun = next(
        (each.at for each in lines if each.stage in _CHECKING and each.event == "begins" and each.at > since), 0
    )
    later = (each.start for each in read_log(folder.path) if each.start >= run.log_start and each.at >= begun)
    return tuple(later)[:1] if begun else ()


def _since(folder: WorldFolder, met: Mapping[str, int], runs: Sequence[RunEvidence]) -> int:
    """Where in the log what must be refused was surely in place: before the first run, or some time during it."""
    refused = (parse(text) for text, times in met.items() if times)
    first = any(each.service == START for each in refused if each.fault in REFUSING)
    if first:
        return runs[0].log_start
    return min((runs[min(1, len(runs) - 1)].log_start, *_after_the_move(folder, runs[0])))


def left_beside(before: FinalState, baseline: FinalState, expected: Expected) -> FinalState:
    """Return what a release without faults leaves in a world that held something before.

    All of that stays. Floating tags and the latest release stay, too, if this version is not the highest.
    """
    floating = {f"{image.host}/{image.name}": image.floating for image in expected.images}

    def files(index: str, project: str) -> Mapping[str, str]:
        held = (state.indexes.get(index, {}).get(project, {}) for state in (before, baseline))
        return {name: digest for each in held for name, digest in each.items()}

    def stays(image: str) -> Mapping[str, tuple[str, ...]]:
        held = before.images.get(image, {})
        kept = () if expected.highest else floating.get(image, ())
        return {tag: held[tag] for tag in kept if tag in held}

    return FinalState(
        indexes={
            index: {
                project: files(index, project) for project in {*before.indexes.get(index, {}), *baseline.indexes[index]}
            }
            for index in baseline.indexes
        },
        pages={**before.pages, **baseline.pages},
        latest=baseline.latest if expected.highest and baseline.latest else before.latest or baseline.latest,
        images={
            image: {**before.images.get(image, {}), **baseline.images.get(image, {}), **stays(image)}
            for image in {*before.images, *baseline.images}
        },
        branches=baseline.branches,
    )


def _both_commits(expected: Expected, folder: WorldFolder, met: Mapping[str, int]) -> tuple[str, ...]:
    """What a refusal must name if the tag was moved: the commit that was tested, and the one that the tag leads to."""
    if "moved-tag" not in _faults(met):
        return ()
    now = commit_of(folder.remote, f"refs/tags/{expected.tag}")
    return (expected.commit, now) if now is not None and now != expected.commit else ()


def _taken(expected: Expected, folder: WorldFolder, met: Mapping[str, int]) -> dict[str, str]:
    """The files of the index that have a name of the release and other bytes, if that is the fault."""
    if "name-taken" not in _faults(met):
        return {}
    held = (file for project in read_index(folder.path / INDEX) for file in project.files)
    return {
        file.name: file.digests.sha256
        for file in held
        if expected.files.get(file.name, file.digests.sha256) != file.digests.sha256
    }


def rebuilds(round_: Round) -> frozenset[str]:
    """The stages of a round that build, whose bytes may differ from what was built once."""
    if round_.from_nothing:
        return frozenset({"dists", "images"})
    return frozenset(stage for each in round_.injections for stage in fault_of(each).rebuilds)


def _proven(folder: WorldFolder) -> dict[str, str]:
    """The files of the manifest in the run folder; none if there is no manifest yet."""
    try:
        manifest = decode_json(read_regular(folder.run / NAME, _LIMIT), Manifest)
    except FileNotFoundError:
        return {}
    return {each.name: each.sha256 for each in manifest.artifacts}


def _faults(met: Mapping[str, int]) -> set[str]:
    """The names of the faults that were met."""
    return {parse(text).fault for text, times in met.items() if times}
