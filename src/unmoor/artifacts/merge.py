"""Merge what several jobs built, each with its own manifest, into one manifest.

Only a manifest that is vouched for, and the bytes that it names, count. The order of the legs does not matter: the
same legs in another order give the same manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief, require_vouched
from unmoor.artifacts.files import signature_beside
from unmoor.artifacts.manifest import Artifact, Manifest
from unmoor.errors import Conflict, Incomplete
from unmoor.filesystem.files import read_regular
from unmoor.products import Asset, Proof, Result, Verdict
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace

# What the manifests of one release must agree on, by the name that messages use.
_SAME: tuple[tuple[str, Callable[[Manifest], str]], ...] = (
    ("the tag", lambda each: each.tag),
    ("the commit", lambda each: each.commit),
    ("the version", lambda each: each.version),
    ("the project's folder", lambda each: each.path or "the top"),
    ("the project", lambda each: canonicalize_name(each.project)),
    ("the repository", lambda each: each.repository.lower()),
    ("the settings", lambda each: each.settings or "of the commit"),
)
_FORMATS = "formats = "
_LOOSE = ("prove-dists", "rebuild")
"""The proofs of files that a job can hand over without the files."""


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """What one job handed over: a folder of files, and the manifest that names them."""

    dists: Path
    manifest: Path

    @classmethod
    def of(cls, folder: Path, manifest: Path | None = None) -> Handover:
        """``folder`` holds the files, or is a run folder (``.unmoor/<tag>``) that has them in ``dists``."""
        inner = folder / "dists"
        return cls(dists=inner if inner.is_dir() else folder, manifest=manifest or folder / manifests.NAME)

    @property
    def sboms(self) -> Path:
        """The folder of the bills of materials: ``sboms`` beside the manifest, else that of the files."""
        beside = self.manifest.parent / "sboms"
        return beside if beside.is_dir() else self.dists

    @property
    def docs(self) -> Path:
        """The folder of the documentation: ``docs`` beside the manifest, else that of the files."""
        beside = self.manifest.parent / "docs"
        return beside if beside.is_dir() else self.dists

    def read(self, belief: Belief) -> bytes:
        """Read the manifest. Raises `Incomplete` if there is none, `Refused` if nothing vouches for it.

        Raises also as `Belief.vouches_for` does.
        """
        try:
            data = read_regular(self.manifest, manifests.LIMIT)
        except FileNotFoundError as error:
            raise Incomplete(
                "there is no manifest: files count only with one that names them",
                where=str(self.manifest),
                next_step=advice.HAND_OVER_WITH_MANIFEST(),
                retryable=False,
            ) from error
        require_vouched(belief, data, where=str(self.manifest), signature=signature_beside(self.manifest))
        return data

    def with_proofs(self, manifest: Manifest, belief: Belief) -> Manifest:
        """The same manifest with the proofs beside it that count by themselves, and itself if there are none.

        A job that tests after it has handed over its files can have changed none of them.
        """
        found = []
        for name in _LOOSE:
            try:
                data = read_regular(self.manifest.parent / "proofs" / f"{name}.json", manifests.LIMIT)
                proof = decode_json(data, Proof) if belief.vouches_for(data) else None
            except (FileNotFoundError, ValueError):
                continue
            found += [proof] if proof is not None and proof.name == name else []
        return replace(manifest, proofs=merge_proofs((*manifest.proofs, *found))) if found else manifest


def merge_manifests(legs: Sequence[tuple[Handover, Manifest]]) -> Manifest:
    """Merge manifests that count. A proof speaks only of their files: what else it names is left out.

    Raises `Conflict` if two legs are of different releases, or have different files of one name.
    """
    first_leg, first = legs[0]
    named: dict[str, tuple[Handover, Artifact]] = {}
    for leg, manifest in legs:
        for what, of in _SAME:
            if of(manifest) != of(first):
                raise Conflict(
                    f"{first_leg.manifest} and {leg.manifest} are of different releases: {what} is"
                    f" {clean(of(first))} in the first and {clean(of(manifest))} in the second",
                    next_step=advice.HAND_OVER_ONE_COMMIT(),
                )
        for artifact in manifest.artifacts:
            other_leg, other = named.setdefault(artifact.name, (leg, artifact))
            if other != artifact:
                raise Conflict(
                    f"{artifact.name} has the sha256 {other.sha256} in {other_leg.manifest} and {artifact.sha256} in"
                    f" {leg.manifest}",
                    next_step=advice.BUILD_EACH_FILE_ONCE(),
                )
    proofs = merge_proofs(_about(proof, named) for _, manifest in legs for proof in manifest.proofs)
    if len(legs) == 1:
        return replace(first, proofs=proofs)
    sboms = _merge_assets(legs, lambda manifest: manifest.sboms)
    docs = _merge_assets(legs, lambda manifest: manifest.docs)
    sdists = [f"{name} ({leg.manifest})" for name, (leg, each) in sorted(named.items()) if each.kind == "sdist"]
    if len(sdists) > 1:
        raise Conflict(f"there is more than one sdist: {', '.join(sdists)}", next_step=advice.BUILD_EACH_FILE_ONCE())
    every = [manifest for _, manifest in legs]
    return replace(
        first,
        project=min(each.project for each in every),
        repository=min(each.repository for each in every),
        artifacts=tuple(sorted((each for _, each in named.values()), key=lambda one: (one.kind != "wheel", one.name))),
        proofs=proofs,
        sboms=sboms,
        docs=docs,
        tools=tuple(
            sorted(
                {tool for one in every for tool in one.tools}, key=lambda tool: (tool.name, tool.version, tool.sha256)
            )
        ),
        # A leg that builds only one kind of file is nothing unusual in the whole release.
        decisions=tuple(sorted({each for one in every for each in one.decisions if not each.startswith(_FORMATS)})),
    )


def _merge_assets(
    legs: Sequence[tuple[Handover, Manifest]], of: Callable[[Manifest], tuple[Asset, ...]]
) -> tuple[Asset, ...]:
    """What the manifests of all legs list besides files, sorted by name. Raises `Conflict` for two of one name."""
    named: dict[str, tuple[Handover, Asset]] = {}
    for leg, manifest in legs:
        for each in of(manifest):
            other_leg, other = named.setdefault(each.name, (leg, each))
            if other != each:
                raise Conflict(
                    f"{each.name} has the sha256 {other.sha256} in {other_leg.manifest} and {each.sha256} in"
                    f" {leg.manifest}",
                    next_step=advice.BUILD_EACH_FILE_ONCE(),
                )
    return tuple(named[name][1] for name in sorted(named))


def _about(proof: Proof, named: Mapping[str, tuple[Handover, Artifact]]) -> Proof:
    """The same proof without subjects that no manifest names."""
    known = {(artifact.name, artifact.sha256) for _, artifact in named.values()}
    return replace(proof, subjects=tuple(each for each in proof.subjects if (each.name, each.sha256) in known))


def merge_proofs(proofs: Iterable[Proof]) -> tuple[Proof, ...]:
    """Merge proofs of the same name: all their digests, all their results. Sorted by name.

    What one leg could not test is left out if another one did: a module for Windows, which the leg on Linux installs.
    """
    found: dict[str, Proof] = {}
    for proof in proofs:
        known = found.setdefault(proof.name, proof)
        if known != proof:
            subjects = {*known.subjects, *proof.subjects}
            results = _without_answered({*known.results, *proof.results})
            found[proof.name] = Proof(
                name=proof.name,
                subjects=tuple(sorted(subjects, key=lambda each: (each.name, each.sha256))),
                results=tuple(sorted(results, key=_sort_key)),
            )
    return tuple(found[name] for name in sorted(found))


def _without_answered(results: Iterable[Result]) -> list[Result]:
    """The results without those of what was not tested on one machine and passed on another."""
    every = list(results)
    passed = {each.name for each in every if each.verdict is Verdict.PASSED}
    return [each for each in every if each.verdict is not Verdict.NOT_TESTED or each.name not in passed]


def _sort_key(result: Result) -> tuple[str, str, str]:
    return result.name, result.verdict, result.detail


def built_files(folder: Path) -> tuple[list[Path], list[str]]:
    """The dists in a folder that another tool filled, wheels first, and the names of all other files there.

    Raises `Incomplete` if there are no dists.
    """
    # By name as text: Windows compares paths without regard to case.
    entries = sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else []
    wheels = [path for path in entries if path.is_file() and path.suffix == ".whl"]
    sdists = [path for path in entries if path.is_file() and path.name.endswith(".tar.gz")]
    if not wheels and not sdists:
        raise Incomplete(
            "it holds neither a wheel nor an sdist",
            where=str(folder),
            next_step=advice.NAME_BUILT_FOLDER(),
            retryable=False,
        )
    return [*wheels, *sdists], [clean(path.name) for path in entries if path not in {*wheels, *sdists}]
