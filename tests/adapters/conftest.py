"""Fixtures for the tests of programs and builds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.shells import processes_for_tests

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.uv import Uv


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Processes that end with the test."""
    with processes_for_tests() as processes:
        yield processes


@pytest.fixture
def shell(processes: Processes) -> LocalShell:
    """A shell that runs them."""
    return LocalShell(processes=processes)


@pytest.fixture
def uv(shell: LocalShell) -> Uv:
    """The real uv."""
    return Uv(shell=shell)


@pytest.fixture
def in_tree(tmp_path: Path) -> Path:
    """A project with its own build backend, which has no requirements and records its environment."""
    return sample_projects.write_files(tmp_path / "in-tree", sample_projects.files("in-tree"))
