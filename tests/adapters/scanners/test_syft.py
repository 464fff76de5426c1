"""syft, by programs that stand in for it, and by itself if it is there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.support.syft import docker_archive, syft_stand_in

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.scanners import Syft
from unmoor.adapters.scanners import syft as module
from unmoor.errors import ToolMissing, Unknown
from unmoor.products import Image
from unmoor.sbom.image import is_of, write

IMAGE = Image(name="ghcr.io/acme/demo", target="", platform="linux/amd64", id=f"sha256:{'1' * 64}", size=1)


def stand_in(shell: LocalShell, folder: Path, script: str) -> Syft:
    """Return an adapter whose program is a script."""
    return Syft(shell=shell, environ={"PATH": f"{syft_stand_in(folder, script)}:{os.defpath}", "TOKEN": "secret"})


def test_what_it_prints(shell: LocalShell, tmp_path: Path) -> None:
    """It gets the archive, asks nobody for a newer version, sees no login, and its words are passed on as they are."""
    script = 'echo "$@ $SYFT_CHECK_FOR_APP_UPDATE ${TOKEN-none}"'
    printed = stand_in(shell, tmp_path, script).describe(tmp_path / "image.tar", patience=60.0)
    assert printed == f"scan docker-archive:{tmp_path}/image.tar --output cyclonedx-json@1.6 false none\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo broken >&2; exit 1", "syft failed: broken"),
        ("exec sleep 30", "ran for more than 2 s"),
        ("head -c 3000 /dev/zero", "prints more than 2000 bytes"),
    ],
)
def test_what_is_no_answer(
    shell: LocalShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    """A program that fails, hangs or prints without end says nothing about an image."""
    monkeypatch.setattr(module, "_OUTPUT", 2000)
    with pytest.raises(Unknown, match=words):
        stand_in(shell, tmp_path, script).describe(tmp_path / "image.tar", patience=2.0)


def test_no_program(shell: LocalShell, tmp_path: Path) -> None:
    """Without it there is no program, and the error names it."""
    none = Syft(shell=shell, environ={"PATH": str(tmp_path)})
    assert none.program == ""
    with pytest.raises(ToolMissing, match="syft is not installed"):
        none.describe(tmp_path / "image.tar", patience=60.0)


# For machines that have it: it is too large to be installed for one test.
if shutil.which("syft") is not None:

    def test_the_real_one(shell: LocalShell, tmp_path: Path) -> None:
        """It finds the package in an image, and two runs give the same bytes."""
        archive = tmp_path / "image.tar"
        docker_archive(archive)
        syft = Syft(shell=shell, environ=os.environ)
        printed = [syft.describe(archive, patience=300.0) for _ in range(2)]
        assert printed[0] != printed[1]
        data = {write(text, IMAGE, date=0, program="syft") for text in printed}
        assert len(data) == 1
        (only,) = data
        assert is_of(only, IMAGE)
        assert b'"pkg:pypi/demo@1.0"' in only
