"""A wheel is resolved for the Python and the platform that its tags name."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.ports.environments import Interpreter
from unmoor.products import File
from unmoor.sbom.targets import describe, environment_of, target_of

PYTHON = Interpreter(version="3.12.4", path="/python3.12")


@pytest.mark.parametrize(
    ("tag", "version", "platform", "words"),
    [
        ("py3-none-any", "", "", "Python 3.12 on linux x86_64"),
        ("cp312-cp312-manylinux_2_17_x86_64", "", "", "Python 3.12 on linux x86_64"),
        ("cp39-abi3-manylinux_2_17_x86_64", "", "", "Python 3.12 on linux x86_64"),
        ("cp310-cp310-manylinux_2_17_x86_64", "3.10", "", "Python 3.10 on linux x86_64"),
        ("cp313-cp313t-manylinux_2_17_x86_64", "3.13", "", "Python 3.13 on linux x86_64"),
        ("cp312-cp312-win_amd64", "3.12", "win_amd64", "Python 3.12 on win32 AMD64"),
        ("cp310-cp310-macosx_11_0_arm64", "3.10", "macosx_11_0_arm64", "Python 3.10 on darwin arm64"),
        ("cp312-cp312-macosx_11_0_universal2", "3.12", "macosx_11_0_universal2", "Python 3.12 on darwin arm64"),
        ("cp311-cp311-musllinux_1_2_aarch64", "3.11", "musllinux_1_2_aarch64", "Python 3.11 on linux aarch64"),
        ("py3-none-win32", "", "win32", "Python 3.12 on win32 x86"),
    ],
)
def test_target(tag: str, version: str, platform: str, words: str) -> None:
    """Wheels for here are resolved for the chosen interpreter, others for what they are for."""
    wheel = File(name=f"demo-1.0-{tag}.whl", sha256="0" * 64, size=1, path=Path("unused"))
    target = target_of(wheel, PYTHON)
    assert (target.version, target.platform) == (version, platform)
    assert describe(target) == words
    assert set(environment_of(target)) >= {"os_name", "platform_system", "implementation_name", "extra"}
