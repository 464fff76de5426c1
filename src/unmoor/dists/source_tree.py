"""Read a source tree before it is built, prepare its build environment, and explain failed builds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.dists.lfs_pointers import pointers
from unmoor.errors import BuildFailed
from unmoor.products import Release
from unmoor.project import pythons
from unmoor.project.files import Files
from unmoor.util.text import clean

# Build requirements that derive the version from git, each with the variable that overrides it.
# setuptools-scm reads a variable that contains the project's name. hatch-vcs ignores that one.
_VERSION_VARIABLES = {
    "hatch-vcs": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "pdm-backend": "PDM_BUILD_SCM_VERSION",
    "poetry-dynamic-versioning": "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "uv-dynamic-versioning": "UV_DYNAMIC_VERSIONING_BYPASS",
}


def build_environment(release: Release, requires: Iterable[str]) -> dict[str, str]:
    """The variables for the build backend: the commit's time and the version.

    ``requires`` are the build requirements. They decide which version variables are set. Without a version the backend
    determines it.
    """
    if not release.version:
        return {"SOURCE_DATE_EPOCH": str(release.build_date)}
    name = canonicalize_name(release.project).replace("-", "_").upper()
    env = {
        "SOURCE_DATE_EPOCH": str(release.build_date),
        f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}": release.version,
    }
    for requirement in requires:
        try:
            variable = _VERSION_VARIABLES.get(canonicalize_name(Requirement(requirement).name))
        except InvalidRequirement:
            continue  # the installer reports it, with more detail
        if variable is not None:
            env[variable] = release.version
    return env


def requires_python(tree: Path) -> str:
    """``Requires-Python`` from pyproject.toml or setup.cfg, empty if only a build can determine it."""
    files = Files(lambda name: (tree / name).read_bytes() if (tree / name).is_file() else None)
    return pythons.requires_python(files)


def require_large_files(tree: Path, name: str) -> None:
    """Raise `BuildFailed` if an unpacked sdist called ``name`` contains git-lfs pointers instead of the files."""
    found = pointers(tree)
    if found:
        raise BuildFailed(
            f"{name} contains {len(found)} git-lfs pointers instead of the files, such as {found[0]}",
            next_step=advice.PULL_LFS_FILES(),
            retryable=True,
        )


def explain_build_failure(error: BuildFailed, sdist: str) -> BuildFailed:
    """Return an error that names the file missing from an sdist, if the backend names one."""
    reason = f" because {clean(Path(error.absent).name)} is missing from it" if error.absent else ""
    return BuildFailed(
        f"cannot build a wheel from {clean(sdist)}{reason}: {error.what}",
        where=error.where,
        next_step=advice.COMPLETE_SDIST(),
        file=error.file,
        line=error.line,
    )
