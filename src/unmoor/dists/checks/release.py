"""Check the files of a release together: this project, this version, these files and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name
from packaging.version import Version

from unmoor import advice
from unmoor.dists import inspect
from unmoor.dists.checks.examine import DistFindings
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.errors import InvalidDist
from unmoor.products import Dists, Release

NAME = CheckRule(name="tag-project", refuses="a file name or metadata that names another project", by=By.UNMOOR)
VERSION = CheckRule(
    name="tag-version",
    refuses="a file name or metadata with another version than the tag",
    by=By.UNMOOR,
    advice=advice.SET_BUILT_VERSION(),
)
NOTHING = CheckRule(name="files-none", refuses="a release without files", by=By.UNMOOR)
SDISTS = CheckRule(name="files-sdists", refuses="more than one sdist")
STRAY = CheckRule(name="files-stray", refuses="an unexpected file next to the built ones", by=By.UNMOOR)
RULES = (NAME, VERSION, NOTHING, SDISTS, STRAY)


def check_file(findings: DistFindings, release: Release) -> Iterator[Problem]:
    """Compare the name and version in a file's name and metadata with the tag."""
    file, metadata = findings.file, findings.metadata
    places: list[tuple[str, str, str]] = []
    try:
        named = inspect.parse_filename(file.name)
    except InvalidDist:
        pass  # the rules for file names report it
    else:
        places.append(("the file name", named.name, str(named.version)))
    if metadata is not None:
        inside = "METADATA" if file.is_wheel else "PKG-INFO"
        places.append((inside, metadata.raw.get("name", ""), metadata.raw.get("version", "")))
    for place, name, version in places:
        if canonicalize_name(name) != canonicalize_name(release.project):
            yield violation(NAME, f"{place} has the name {name!r}, but the project is {release.project!r}")
        if not _is_version(version, release.version):
            yield violation(VERSION, f"{place} has version {version!r}, but the tag has {release.version!r}")


def check_files(dists: Dists, leftovers: Sequence[str]) -> Iterator[Problem]:
    """Check which files there are. ``leftovers`` are unexpected files next to them."""
    if not dists.files:
        yield violation(NOTHING, "nothing was built")
    if len(dists.sdists) > 1:
        yield violation(SDISTS, f"there are {len(dists.sdists)} sdists, but an index accepts one for each version")
    yield from (
        violation(STRAY, f"{name} is in the folder of the built files but is not one of them") for name in leftovers
    )


def _is_version(version: str, expected: str) -> bool:
    """Whether two spellings are the same version (PEP 440)."""
    try:
        return Version(version) == Version(expected)
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return False
