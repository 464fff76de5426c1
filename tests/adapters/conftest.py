"""What the tests of programs and builds share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import sample_projects

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.uv import Uv


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Processes, ended with the test."""
    with Processes() as processes:
        yield processes


@pytest.fixture
def shell(processes: Processes) -> LocalShell:
    """A shell upon them."""
    return LocalShell(processes=processes)


@pytest.fixture
def uv(shell: LocalShell) -> Uv:
    """The real uv."""
    return Uv(shell=shell)


@pytest.fixture
def in_tree(tmp_path: Path) -> Path:
    """A project with a build backend of its own, which needs nothing and writes down what it sees."""
    return sample_projects.write_files(tmp_path / "in-tree", sample_projects.files("in-tree"))
