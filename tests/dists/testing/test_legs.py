"""The leg that would try a wheel for another platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.artifacts.run_dir import RunFolder
from unmoor.dists.testing.install_test import assign_interpreters
from unmoor.dists.testing.interpreters import untried
from unmoor.dists.testing.legs import leg_for
from unmoor.errors import CheckFailed
from unmoor.ports.environments import Interpreter
from unmoor.products import File, Verdict

HERE = (Interpreter(version="3.11.7", path="/usr/bin/python3.11"),)


def wheel(tags: str) -> File:
    """A wheel with these tags."""
    name = f"demo-1.0-{tags}.whl"
    return File(name=name, sha256="0" * 64, size=1, path=Path(name))


@pytest.mark.parametrize(
    ("platform", "leg"),
    [
        ("win32", "a job on windows-latest"),
        ("win_amd64", "a job on windows-latest"),
        ("win_arm64", "a job on windows-11-arm"),
        ("macosx_11_0_arm64", "a job on macos-latest"),
        ("macosx_10_9_universal2", "a job on macos-latest"),
        ("macosx_10_9_x86_64", "a job on macos-15-intel"),
        ("macosx_10_6_intel", "a job on macos-15-intel"),
        ("linux_x86_64", "a job on ubuntu-latest"),
        ("manylinux2014_x86_64", "a job on ubuntu-latest"),
        ("manylinux_2_28_aarch64", "a job on ubuntu-24.04-arm"),
        ("musllinux_1_2_x86_64", "a job in a container with Alpine Linux on ubuntu-latest"),
        ("musllinux_1_2_aarch64", "a job in a container with Alpine Linux on ubuntu-24.04-arm"),
        ("manylinux_2_17_s390x", "a machine for manylinux_2_17_s390x"),
        ("musllinux_1_2_armv7l", "a machine for musllinux_1_2_armv7l"),
        ("pyodide_2024_0_wasm32", "a machine for pyodide_2024_0_wasm32"),
        ("ios_13_0_arm64_iphoneos", "a machine for ios_13_0_arm64_iphoneos"),
    ],
)
def test_leg_for(platform: str, leg: str) -> None:
    """The leg is a runner that GitHub offers, or a machine for that platform."""
    assert leg_for(platform) == leg


@pytest.mark.parametrize(
    ("tags", "detail"),
    [
        ("cp311-cp311-win_arm64", "not tried on this platform: a job on windows-11-arm would try it"),
        ("cp39-abi3-macosx_11_0_arm64", "not tried on this platform: a job on macos-latest would try it"),
        (
            "py3-none-manylinux_2_17_s390x",
            "not tried on this platform: a machine for manylinux_2_17_s390x would try it",
        ),
        ("pp310-pypy310_pp73-any", "not tried on this platform: it needs pp310"),
        ("cp399-cp399-any", ""),
    ],
)
def test_a_wheel_that_is_not_tried(tmp_path: Path, tags: str, detail: str) -> None:
    """It is refused, or, where nothing reaches a user, "not tried" with its leg; a Python can always be installed."""
    file = wheel(tags)
    result = untried(file)
    assert (result.detail if result else "") == detail
    with pytest.raises(CheckFailed, match="not available here") as caught:
        assign_interpreters([file], HERE, RunFolder(tmp_path / "run"))
    said = detail.removeprefix("not tried on this platform: ").removesuffix(" would try it").removeprefix("it needs ")
    assert said in f"{caught.value.next_step} {caught.value}"
    if result is None:
        with pytest.raises(CheckFailed, match="not available here"):
            assign_interpreters([file], HERE, RunFolder(tmp_path / "run"), lenient=True)
    else:
        assert assign_interpreters([file], HERE, RunFolder(tmp_path / "run"), lenient=True) == ([], [result])
        assert result.verdict is Verdict.NOT_TESTED
