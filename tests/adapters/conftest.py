"""What the tests of programs and builds share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unmoor.adapters.processes import Processes
from unmoor.adapters.shell import LocalShell
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
    project = tmp_path / "in-tree"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
        '[project]\nname = "in-tree"\nversion = "1.0"\n'
    )
    (project / "own.py").write_text(BACKEND)
    return project


BACKEND = """
import io, json, os, tarfile, zipfile

INFO = "Metadata-Version: 2.1\\nName: in-tree\\nVersion: 1.0\\n"


def seen():
    mask = os.umask(0)
    os.umask(mask)
    return json.dumps({"env": dict(os.environ), "umask": mask})


def build_sdist(folder, config_settings=None):
    print("building an sdist")
    if os.path.exists("fail"):
        raise SystemExit("the backend does not want to")
    with tarfile.open(os.path.join(folder, "in_tree-1.0.tar.gz"), "w:gz") as archive:
        files = {"PKG-INFO": INFO, "seen.json": seen()}
        for name in ("pyproject.toml", "own.py"):
            with open(name) as stream:
                files[name] = stream.read()
        for name, text in files.items():
            info = tarfile.TarInfo("in_tree-1.0/" + name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return "in_tree-1.0.tar.gz"


def build_wheel(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(os.path.join(folder, "in_tree-1.0-py3-none-any.whl"), "w") as archive:
        archive.writestr("in_tree.py", "")
        archive.writestr("in_tree-1.0.dist-info/METADATA", INFO)
        wheel = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        archive.writestr("in_tree-1.0.dist-info/WHEEL", wheel)
        archive.writestr("in_tree-1.0.dist-info/RECORD", "in_tree.py,,\\n")
    return "in_tree-1.0-py3-none-any.whl"
"""
