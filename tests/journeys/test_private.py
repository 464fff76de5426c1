"""Releases to private indexes, which support less than PyPI and answer differently."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.support import private_indexes, sample_projects
from tests.support.local_release import LocalRelease, small_repo, start_release

from unmoor.errors import InvalidDist

pytestmark = pytest.mark.journey
KINDS: dict[str, Callable[[Path], AbstractContextManager[private_indexes.PrivateIndex]]] = {
    "devpi": private_indexes.devpi,
    "pypiserver": private_indexes.pypiserver,
    "pypiserver without hashes": partial(private_indexes.pypiserver, hashes=False),
    "pypiserver behind a login": partial(private_indexes.pypiserver, everywhere=True),
}


@dataclass(frozen=True)
class PrivateRelease(LocalRelease):
    """A release to a private index, without a staging index."""

    file: Path = Path()

    @property
    def world_file(self) -> Path:
        """The company's world."""
        return self.file


def company(place: LocalRelease, index: private_indexes.PrivateIndex, folder: Path, more: str = "") -> PrivateRelease:
    """Write a world file with the local world's forge, a private index, and no staging index."""
    tables = re.split(r"(?m)^(?=\[)", (place.world / "world.toml").read_text())
    kept = [each for each in tables if not each.startswith(("[index]", "[staging]"))]
    file = folder / "company.toml"
    file.write_text("".join([*kept, "\n", index.table, more]))
    file.chmod(0o600)
    return PrivateRelease(repo=place.repo, world=place.world, file=file)


@pytest.mark.parametrize("kind", KINDS)
def test_a_release_into_a_private_index(kind: str, tmp_path: Path) -> None:
    """The release is complete for the next run and for status; other bytes under its names are refused."""
    with KINDS[kind](tmp_path) as index, start_release(tmp_path / "release") as place:
        here = company(place, index, tmp_path)
        first = here.release()
        assert first.returncode == 0, first.stderr
        assert ("fetched and hashed" in first.stderr) == (kind == "pypiserver without hashes")
        second = here.release()
        assert second.returncode == 0, second.stderr
        assert "sending" not in second.stderr
        assert here.status().returncode == 0
        other = small_repo(tmp_path / "other" / "small", **{"src/small_one/more.py": "x = 1\n"})
        stranger = PrivateRelease(repo=other, world=place.world, file=here.file).release()
        assert stranger.returncode in {4, 9}, stranger.stderr
        assert "sending" not in stranger.stderr


def test_wheels_for_one_linux_only(tmp_path: Path) -> None:
    """Such wheels are refused, unless the world says that its index accepts them."""
    name = f"small_one-1.0-py3-none-linux_{platform.machine()}.whl"
    others = {"own.py": sample_projects.BACKEND.replace("py3-none-any", f"py3-none-linux_{platform.machine()}")}
    repo = small_repo(tmp_path / "small", **others)
    with private_indexes.devpi(tmp_path) as index, start_release(tmp_path / "release", repo) as place:
        refused = company(place, index, tmp_path).release()
        assert refused.returncode == InvalidDist.exit_code, refused.stderr
        assert "wheel-platform" in refused.stderr
        whole = company(place, index, tmp_path, 'platforms = "any"\n').release()
        assert whole.returncode == 0, whole.stderr
        assert f"sending {name}" in whole.stderr or name in whole.stdout
        status = company(place, index, tmp_path, 'platforms = "any"\n').status()
        assert (status.returncode, name in status.stdout) == (0, True), status.stderr
