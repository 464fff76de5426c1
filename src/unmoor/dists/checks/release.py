"""What the files of a release owe as a whole: this project, this version, these files and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from unmoor.dists import inspect
from unmoor.dists.checks.examine import DistFindings
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.errors import InvalidDist
from unmoor.products import Dists, Release

NAME = CheckRule(name="tag-project", refuses="a file name or metadata of another project", by=By.UNMOOR)
VERSION = CheckRule(
    name="tag-version", refuses="a file name or metadata of another version than the tag's", by=By.UNMOOR
)
NOTHING = CheckRule(name="files-none", refuses="a release without files", by=By.UNMOOR)
SDISTS = CheckRule(name="files-sdists", refuses="more than one sdist of a version")
STRAY = CheckRule(name="files-stray", refuses="a file beside the built ones that nobody named", by=By.UNMOOR)
RULES = (NAME, VERSION, NOTHING, SDISTS, STRAY)


def check_file(findings: DistFindings, release: Release) -> Iterator[Problem]:
    """Compare what a file says of itself, in its name and inside, with the tag."""
    file, said = findings.file, findings.metadata
    places: list[tuple[str, str, str]] = []
    try:
        named = inspect.parse_filename(file.name)
    except InvalidDist:
        pass  # the rules of names say it
    else:
        places.append(("the file name", named.name, str(named.version)))
    if said is not None:
        inside = "METADATA" if file.is_wheel else "PKG-INFO"
        places.append((inside, said.raw.get("name", ""), said.raw.get("version", "")))
    for place, name, version in places:
        if canonicalize_name(name) != canonicalize_name(release.project):
            yield violation(NAME, f"{place} says the name {name!r}, and the project is {release.project!r}")
        if not _is_version(version, release.version):
            yield violation(VERSION, f"{place} says the version {version!r}, and the tag says {release.version!r}")


def check_files(dists: Dists, leftovers: Sequence[str]) -> Iterator[Problem]:
    """Judge which files there are."""
    if not dists.files:
        yield violation(NOTHING, "nothing was built")
    if len(dists.sdists) > 1:
        yield violation(SDISTS, f"there are {len(dists.sdists)} sdists, and an index takes one of a version")
    yield from (violation(STRAY, f"{name} lies beside the built files") for name in leftovers)


def _is_version(version: str, expected: str) -> bool:
    """Whether two spellings are one version (PEP 440)."""
    try:
        return Version(version) == Version(expected)
    except InvalidVersion:
        return False
