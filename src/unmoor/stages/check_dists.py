"""The look at every built file: what an index would take, and of this very version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from unmoor import distfiles
from unmoor.errors import Unfit, UnmoorError
from unmoor.files import is_intact
from unmoor.folder import RunFolder
from unmoor.products import Checked, Dists, File, Release
from unmoor.proving import subjects
from unmoor.stage import Check, Have, Promise
from unmoor.text import clean


@dataclass(frozen=True, kw_only=True)
class CheckDists(Check[Checked]):
    """Twine's own check, and name and version in every place that says them."""

    release: Promise[Release]
    dists: Promise[Dists]
    folder: RunFolder

    def plan(self) -> str:
        """Say what would be looked at."""
        return "check every file as twine does, and that names and versions are the tag's"

    def make(self, have: Have) -> Checked:
        """Look at every file. Raises `Unfit` with everything that is wrong, all files together."""
        release, dists = have[self.release], have[self.dists]
        problems = [problem for file in dists.files for problem in _problems(file, release, have)]
        if not dists.files:
            problems.append("nothing was built")
        if len(dists.sdists) > 1:
            problems.append(f"there are {len(dists.sdists)} sdists, and an index takes one of a version")
        problems += [
            f"{clean(name)} lies beside the built files"
            for name in self.folder.leftovers([f.name for f in dists.files])
        ]
        if problems:
            raise Unfit(
                "\n".join(problems), next_step="correct the project; move the tag only if nothing of it is public"
            )
        return Checked(subjects=subjects(dists))


def _problems(file: File, release: Release, have: Have) -> list[str]:
    """Everything that is wrong with one file."""
    if not is_intact(file):
        return [f"{file.name} is not the file that was built: its bytes were changed, or it is gone"]
    try:
        named = distfiles.parsed(file.name)
        metadata = distfiles.read_metadata(file.path)
        broken = distfiles.broken_member(file.path) if file.is_wheel else None
    except UnmoorError as error:
        return [error.what]
    inside = "METADATA" if file.is_wheel else "PKG-INFO"
    problems = [f"{clean(broken)} in {file.name} is damaged: its checksum is wrong"] if broken else []
    for place, name in ((file.name, named.name), (f"{inside} in {file.name}", metadata.name)):
        if canonicalize_name(name) != canonicalize_name(release.project):
            problems.append(f"{place} says the name {clean(name)!r}, and the project is {release.project!r}")
    for place, version in ((file.name, str(named.version)), (f"{inside} in {file.name}", metadata.version)):
        if not _is(version, release.version):
            problems.append(f"{place} says the version {clean(version)!r}, and the tag says {release.version!r}")
    return problems + _twine(file.path, have)


def _is(version: str, expected: str) -> bool:
    """Whether two spellings are one version (PEP 440)."""
    try:
        return Version(version) == Version(expected)
    except InvalidVersion:
        return False


def _twine(path: Path, have: Have) -> list[str]:
    """Run ``twine check`` on a file: its parts, since the whole prints. They are private, and pinned by a test."""
    from twine.commands import check
    from twine.exceptions import TwineException

    stream = check._WarningStream()  # noqa: SLF001  # twine has no public check that does not print
    try:
        warnings, renders = check._check_file(str(path), stream)  # noqa: SLF001  # likewise
    except (TwineException, ValueError) as error:
        return [f"{path.name}: {clean(str(error), 1000)}"]
    for warning in warnings:
        have.warn(f"{path.name}: {warning}")
    return [] if renders else [f"the description in {path.name} cannot be rendered: {clean(str(stream), 1000)}"]
