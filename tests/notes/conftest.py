"""Fixtures for the tests of the notes: a shell, a release and a folder of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.shells import shell_for_tests

from unmoor.ports.shell import Shell
from unmoor.products import Release

RELEASE = Release(
    repository="owner/demo",
    project="demo",
    tag="v1.2.0",
    version="1.2.0",
    commit="0" * 40,
    date=1_767_225_599,  # one second before 2026 begins, in UTC
    prerelease=False,
    highest=True,
    previous="v1.1.0",
)


@pytest.fixture
def release() -> Release:
    """Version 1.2.0 of demo, after v1.1.0."""
    return RELEASE


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A real shell."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], Path]:
    """Create a folder with the given files, as in a checkout."""

    def create(files: Mapping[str, str | bytes]) -> Path:
        top = tmp_path / "checkout"
        top.mkdir()
        for name, content in files.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return top

    return create
