"""What a source tree says before anything is built, and what its backend is told."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor.errors import BuildFailed
from unmoor.products import Release
from unmoor.project.files import Files, table
from unmoor.util.text import clean

# Build requirements that read the version from git in a way of their own, and what tells them the version.
# setuptools-scm reads a variable with the project's name in it; hatch-vcs passes over that one.
_VERSION_VARIABLES = {
    "hatch-vcs": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "pdm-backend": "PDM_BUILD_SCM_VERSION",
    "poetry-dynamic-versioning": "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "uv-dynamic-versioning": "UV_DYNAMIC_VERSIONING_BYPASS",
}


def build_environment(release: Release, requires: Iterable[str]) -> dict[str, str]:
    """What the backend is told: the commit's time, and the version."""
    name = canonicalize_name(release.project).replace("-", "_").upper()
    env = {
        "SOURCE_DATE_EPOCH": str(release.date),
        f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}": release.version,
    }
    for requirement in requires:
        try:
            variable = _VERSION_VARIABLES.get(canonicalize_name(Requirement(requirement).name))
        except InvalidRequirement:
            continue  # the installer will say so, and better
        if variable is not None:
            env[variable] = release.version
    return env


def requires_python(tree: Path) -> str:
    """Which Pythons a source tree takes, by pyproject.toml or setup.cfg; empty where only a build can tell."""
    files = Files(lambda name: (tree / name).read_bytes() if (tree / name).is_file() else None)
    said = table(files.pyproject, "project").get("requires-python")
    if said is None and files.read("setup.cfg") is not None:
        said = files.cfg.get("options", "python_requires", fallback=None)
    return said.strip() if isinstance(said, str) else ""


# What git-lfs leaves in the place of a file that it did not fetch; such a pointer is short.
_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_LIMIT = 1024


def pointers(tree: Path) -> list[str]:
    """Every file of a tree that is a pointer instead of a large file, sorted; what git itself keeps is left out."""
    found = []
    for folder, folders, files in os.walk(tree):
        if ".git" in folders:
            folders.remove(".git")
        for path in (Path(folder, name) for name in files):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _POINTER_LIMIT:
                with path.open("rb") as stream:
                    if stream.read(len(_POINTER)) == _POINTER:
                        found.append(clean(str(path.relative_to(tree))))
    return sorted(found)


def require_large_files(tree: Path, name: str) -> None:
    """Raise `BuildFailed` where an unpacked sdist called ``name`` holds pointers instead of large files."""
    found = pointers(tree)
    if found:
        raise BuildFailed(
            f"{name} holds {len(found)} pointers of git-lfs instead of the files, such as {found[0]}",
            next_step="install git-lfs on this machine, run git lfs pull",
            retryable=True,
        )


def explain_build_failure(error: BuildFailed, sdist: str) -> BuildFailed:
    """Say of an sdist whose wheel cannot be built what it lacks."""
    lacks = f", since it lacks {clean(Path(error.absent).name)}" if error.absent else ""
    return BuildFailed(
        f"no wheel can be built from {clean(sdist)}{lacks}: {error.what}",
        where=error.where,
        next_step="let the sdist hold what the build reads, as installers will build from it too;"
        ' or, to release all the same, set wheel-from = "tree" under [tool.unmoor]',
        file=error.file,
        line=error.line,
    )
