"""Copy what a test suite needs from the repository, without what it could import instead of the installed files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from unmoor import advice
from unmoor.dists.testing.suites import Suite, source_files
from unmoor.errors import ConfigError
from unmoor.ports.git import Git
from unmoor.products import Release

# What is copied if test-sources is not set: the usual folders, and the files that configure pytest.
_TESTS = ("tests", "test", "testing")
_CONFIGURATION = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "setup.cfg", "pyproject.toml")


def copy_for(
    suite: Suite, git: Git, release: Release, *, modules: Sequence[str], sources: Sequence[str], into: Path
) -> Path:
    """Copy the files that a suite needs into a folder that does not exist yet.

    ``modules`` are the project's own, and ``sources`` the paths that the settings name. Returns the project's folder
    in the copy. Raises `ConfigError` if the repository lacks one of the ``sources``.
    """
    if suite.folder and not sources:
        return _copy_without_modules(git, release, modules, suite.folder, into)
    return _copy_paths(git, release, sources, into)


def _copy_without_modules(git: Git, release: Release, modules: Sequence[str], folder: str, into: Path) -> Path:
    """Copy the repository at the commit without the project's own modules: the tests may need any other file."""
    copy = git.clone(into, commit=release.commit, tag=release.tag)
    shutil.rmtree(into / ".git")
    for path in source_files(git.files(release.commit), modules, folder=folder):
        (copy / path).unlink(missing_ok=True)
    return copy


def _copy_paths(git: Git, release: Release, named_by_user: Sequence[str], into: Path) -> Path:
    """Copy the tests from a temporary clone of the commit. Raises `ConfigError` if it lacks a path."""
    temporary = into.with_name("clone")
    clone = git.clone(temporary, commit=release.commit, tag=release.tag)
    into.mkdir()
    for name in named_by_user or (*_TESTS, *_CONFIGURATION):
        source = clone / name
        if not source.resolve().is_relative_to(clone.resolve()) or not source.exists():
            if named_by_user:
                raise ConfigError(
                    f"test-sources names {name!r}, which is not in the repository at {release.commit[:12]}",
                    next_step=advice.CORRECT_TEST_SOURCES(),
                )
            continue
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, into / name, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, into / name)
    shutil.rmtree(temporary, ignore_errors=True)
    return into
