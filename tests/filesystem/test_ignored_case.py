"""A file system that ignores case and keeps no permissions, mounted here: exFAT."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import mounts
from tests.support.git_repos import Repo

from unmoor.dists.inspect import extract
from unmoor.errors import InvalidDist, Refused
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.safe_folder import names_in, open_folder, open_in_place, refuse_links

assert sys.platform == "linux"

__test__ = mounts.can_mount() and mounts.can_mount_exfat()  # nothing is collected from this module where it is false


@pytest.fixture
def exfat(tmp_path: Path) -> Iterator[Path]:
    """A disk that ignores case."""
    (tmp_path / "disk").mkdir()
    with mounts.exfat(tmp_path / "disk") as mounted:
        yield mounted


def test_a_disk_that_ignores_case(exfat: Path) -> None:
    """The folder of unmoor is the same in any spelling, and so is what is below it."""
    write_atomic(exfat / ".UNMOOR" / "v1" / "file", b"ours")
    assert names_in(exfat) == [".UNMOOR"]
    assert read_regular(exfat / ".unmoor" / "V1" / "FILE", 10) == b"ours"
    with open_folder(exfat / ".unmoor" / "v1") as folder:
        assert folder.names() == ["file"]
    refuse_links(exfat)


@pytest.mark.parametrize(
    ("first", "second"), [("README", "readme"), ("pkg/A.py", "pkg/a.py"), ("Pkg/one.py", "pkg/One.py")]
)
def test_an_sdist_with_two_names_that_are_one(exfat: Path, tmp_path: Path, first: str, second: str) -> None:
    """The second member is refused by its name, and the first one stays as it is."""
    path = tmp_path / "small_one-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (first, second):
            member = tarfile.TarInfo(f"small_one-1.0/{name}")
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    with pytest.raises(InvalidDist, match=f"the name small_one-1.0/{second} is that of another member on this file"):
        extract(path, exfat)
    assert (exfat / "small_one-1.0" / second).read_text("utf-8") == first


def test_a_disk_without_permissions(exfat: Path) -> None:
    """A secret that others could read is not written, and a rehearsal says what to do."""
    with pytest.raises(Refused, match=r"does not keep permissions \(mode 0777\)"):
        write_atomic(exfat / ".unmoor" / "secret", b"x", mode=0o600)
    assert names_in(exfat / ".unmoor") == []
    os.close(open_in_place(exfat / ".unmoor" / "log", mode=0o600))
    repo = Repo.new(exfat / "project", {"pyproject.toml": '[project]\nname = "demo"\nversion = "1.0"\n'})
    ran = subprocess.run(
        [sys.executable, "-m", "unmoor", "rehearse"],
        cwd=repo.path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == Refused.exit_code, ran.stderr
    assert "its file system does not keep permissions (mode 0777)" in ran.stderr
    assert "use a checkout on a disk that keeps permissions" in ran.stderr
    assert "Traceback" not in ran.stderr
