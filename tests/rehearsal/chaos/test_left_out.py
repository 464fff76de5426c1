"""A package reads a file that git tracks and that its wheel lacks, whatever backend the project has."""

from __future__ import annotations

import json
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.git_repos import Repo

from unmoor.rehearsal.chaos import leaving_out
from unmoor.rehearsal.chaos.folders import CHECKOUT, REMOTE, WorldFolder
from unmoor.rehearsal.chaos.left_out import LEFT_OUT, leave_out_data
from unmoor.rehearsal.invariants.evidence import Expected


def prepare(folder: Path, files: dict[str, str], project: str = "") -> tuple[WorldFolder, Expected]:
    """The folder of a round with a checkout and its remote."""
    top = f"{project}/" if project else ""
    repo = Repo.new(folder / CHECKOUT, {f"{top}{path}": text for path, text in files.items()})
    repo.git("tag", "v1.0")
    repo.git("clone", "--quiet", "--bare", ".", str(folder / REMOTE))
    expected = Expected(
        repository="acme/demo",
        project="small-one",
        tag="v1.0",
        version="1.0",
        commit=repo.git("rev-parse", "v1.0"),
        files={},
    )
    return WorldFolder(folder, "v1.0", project), expected


@pytest.mark.parametrize("project", ["", "packages/one"], ids=["top", "subfolder"])
def test_the_wheel_lacks_what_the_package_reads(tmp_path: Path, project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here and on the remote the tag leads to a commit with the file; a build leaves it out, and so can one later."""
    folder, expected = prepare(tmp_path, sample_projects.files("small-one"), project)
    assert leave_out_data(folder, expected)
    repo = Repo(folder.checkout)
    moved = repo.git("rev-parse", "v1.0^{commit}")
    assert moved == Repo(folder.remote).git("rev-parse", "v1.0^{commit}") != expected.commit
    listed = repo.git("ls-tree", "-r", "--name-only", "v1.0").split()
    home = folder.checkout / project
    assert f"{project}{'/' if project else ''}src/small_one/{LEFT_OUT}" in listed
    system = tomllib.loads((home / "pyproject.toml").read_text())["build-system"]
    assert system["backend-path"] == [".left-out-by-chaos", "."]
    (tmp_path / "dists").mkdir()
    monkeypatch.syspath_prepend(str(home))
    monkeypatch.chdir(home)
    monkeypatch.setattr(leaving_out, "__file__", str(home / ".left-out-by-chaos" / "leaving_out.py"))
    try:
        built = tuple(build(str(tmp_path / "dists")) for build in (leaving_out.build_sdist, leaving_out.build_wheel))
        assert leaving_out.NAME == "small_one"
        assert not hasattr(leaving_out, "__wrapped__")
    finally:
        sys.modules.pop("own", None)
    with zipfile.ZipFile(tmp_path / "dists" / built[1]) as wheel:
        assert LEFT_OUT in wheel.read("small_one/__init__.py").decode()
        assert not any(LEFT_OUT in name for name in wheel.namelist())
        assert LEFT_OUT not in wheel.read("small_one-1.0.dist-info/RECORD").decode()
    with tarfile.open(tmp_path / "dists" / built[0]) as sdist:
        own = {name for name in sdist.getnames() if ".left-out-by-chaos" in name}
        assert own == {f"small_one-1.0/.left-out-by-chaos/{name}" for name in ("leaving_out.py", "facts.json")}
        facts = sdist.extractfile("small_one-1.0/.left-out-by-chaos/facts.json")
        assert facts is not None
        assert json.load(facts) == {"backend": "own", "file": LEFT_OUT}


@pytest.mark.parametrize(
    "files",
    [{"pyproject.toml": "[project]\n", "small_one.py": ""}, {"setup.py": "", "small_one/__init__.py": ""}],
    ids=["one module", "no pyproject"],
)
def test_without_a_package_nothing_is_done(tmp_path: Path, files: dict[str, str]) -> None:
    """The tag stays where it is."""
    folder, expected = prepare(tmp_path, files)
    assert not leave_out_data(folder, expected)
    assert Repo(folder.checkout).git("rev-parse", "v1.0") == expected.commit
