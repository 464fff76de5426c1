"""The part ``docker``: a Dockerfile around the tested wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.support.proposals import FILES, PROJECT, applied, proposal

SCRIPTS = f'{PROJECT}[project.scripts]\nother = "demo:other"\ndemo = "demo:main"\n'


@pytest.mark.parametrize(
    ("text", "entry"), [(PROJECT, 'CMD ["python"]'), (SCRIPTS, 'ENTRYPOINT ["demo"]')], ids=["library", "program"]
)
def test_both_stages_are_written(text: str, entry: str, tmp_path: Path) -> None:
    """The image starts the program of the project's name; hadolint has nothing to say."""
    files = {**FILES, "pyproject.toml": text}
    made = proposal(files, "docker")
    after = applied(files, made)
    assert {each.path for each in made.changes} == {"Dockerfile", ".dockerignore", "pyproject.toml"}
    assert entry in after["Dockerfile"]
    assert "AS production" in after["Dockerfile"]
    assert "AS development" in after["Dockerfile"]
    assert tomllib.loads(after["pyproject.toml"])["tool"]["unmoor"]["image"] == [
        {"targets": {"production": "", "development": "-dev"}}
    ]
    assert proposal(after, "docker").changes == ()
    if hadolint := shutil.which("hadolint", path=str(Path(sys.executable).parent)):
        (tmp_path / "Dockerfile").write_text(after["Dockerfile"])
        ran = subprocess.run([hadolint, tmp_path / "Dockerfile"], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.parametrize("name", ["Dockerfile", "docker/Dockerfile", "Containerfile", "Dockerfile.dev"])
def test_a_dockerfile_stays(name: str) -> None:
    """A line says so."""
    made = proposal({**FILES, name: "FROM scratch\n"}, "docker")
    assert made.changes == ()
    assert "stays as it is" in made.notes[0]


def test_the_release_workflow_follows() -> None:
    """A workflow that unmoor wrote gets the jobs of the image in the same proposal."""
    released = applied(FILES, proposal(FILES))
    after = applied(released, proposal(released, "docker"))
    assert "linux/amd64" in after[".github/workflows/release.yml"]
    assert proposal(after).changes == ()
