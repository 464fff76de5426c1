"""A package with data in git-lfs: the built files have the real bytes, or an error says why nothing can be built."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, SETTINGS, LocalRelease, start_release

from unmoor.errors import ToolMissing, Unknown

pytestmark = pytest.mark.journey

DATA = "".join(f"{hashlib.sha256(bytes([number])).hexdigest()}\n" for number in range(200))
WHEEL, SDIST = "small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz"


@pytest.fixture(autouse=True)
def _large_files() -> None:
    """Require git-lfs. If it is absent, CI fails and other machines skip the tests."""
    if shutil.which("git-lfs") is None:
        if os.environ.get("CI"):
            pytest.fail("git-lfs is missing: apt-get install git-lfs")
        pytest.skip("git-lfs is missing: apt-get install git-lfs")


@dataclass(frozen=True)
class LfsProject:
    """A project with a remote that has its large files."""

    repo: Repo
    remote: Path

    def clone(self, path: Path) -> Repo:
        """A fresh clone with pointers only, which fetches the rest from the remote."""
        self.repo.git("clone", "--quiet", "--no-checkout", self.remote.as_uri(), str(path))
        cloned = Repo(path)
        cloned.git("-c", "filter.lfs.process=", "-c", "filter.lfs.required=false", "checkout", "--quiet", "main")
        assert "git-lfs" in (path / "src/small_one/model.csv").read_text()
        return cloned


@pytest.fixture
def project(tmp_path: Path) -> LfsProject:
    """The project, its tag and its remote."""
    others = {"tests__check.py": "import small_one\n", "CHANGELOG.md": CHANGELOG}
    repo = Repo.new(tmp_path / "origin", sample_projects.files("small-one", "1.0", more=SETTINGS, **others))
    repo.git("lfs", "install", "--local", "--skip-repo")
    repo.git("lfs", "track", "*.csv")
    repo.commit({"src/small_one/model.csv": DATA})
    repo.git("tag", "v1.0")
    remote = repo.remote(tmp_path / "remote.git").path
    repo.git("remote", "set-url", "origin", remote.as_uri())
    repo.git("lfs", "push", "--all", "origin")
    assert (remote / "lfs" / "objects").is_dir()
    return LfsProject(repo=repo, remote=remote)


def see_built(folder: Path) -> None:
    """Check that both built files have the real bytes."""
    with zipfile.ZipFile(folder / WHEEL) as wheel:
        assert wheel.read("small_one/model.csv").decode() == DATA
    with tarfile.open(folder / SDIST) as sdist:
        member = sdist.extractfile("small_one-1.0/src/small_one/model.csv")
        assert member is not None
        assert member.read().decode() == DATA


def build(place: LocalRelease, **env: str) -> tuple[int, str]:
    """Build in a checkout, as a release does, with the checkout's own remote."""
    file = place.world / "checkout.toml"
    file.write_text(re.sub(r'(?m)^remote = ".*"', 'remote = "origin"', place.world_file.read_text()))
    file.chmod(0o600)
    ran = place.unmoor("release", "--world", str(file), "--dry-run", "--until", "dists", "v1.0", env=env)
    return ran.returncode, ran.stderr


def test_large_files_come_from_the_remote(project: LfsProject, tmp_path: Path) -> None:
    """A clone with pointers only builds the real bytes, and stays unchanged."""
    clone = project.clone(tmp_path / "clone")
    with start_release(tmp_path / "release", clone) as place:
        code, output = build(place)
        assert code == 0, output
        see_built(clone.path / ".unmoor" / "v1.0" / "dists")
        assert "git-lfs" in (clone.path / "src/small_one/model.csv").read_text()
        assert clone.git("status", "--porcelain") == ""


def test_large_files_that_the_checkout_has(project: LfsProject) -> None:
    """Large files in the checkout are used without the remote, since a rehearsal has its own remote."""
    shutil.rmtree(project.remote / "lfs")
    before = {path for path in (project.repo.path / ".git" / "lfs").rglob("*") if path.is_file()}
    ran = LocalRelease(repo=project.repo, world=project.repo.path).unmoor("rehearse", "v1.0")
    assert ran.returncode == 0, ran.stderr
    see_built(project.repo.path / ".unmoor" / "rehearsal" / "checkout" / ".unmoor" / "v1.0" / "dists")
    assert {path for path in (project.repo.path / ".git" / "lfs").rglob("*") if path.is_file()} == before


def test_large_files_that_are_nowhere(project: LfsProject, tmp_path: Path) -> None:
    """The error names files that neither the checkout nor the remote has, and nothing is built."""
    clone = project.clone(tmp_path / "clone")
    shutil.rmtree(project.remote / "lfs")
    with start_release(tmp_path / "release", clone) as place:
        code, output = build(place)
        assert code == Unknown.exit_code, output
        assert "git-lfs cannot fetch src/small_one/model.csv" in output
        assert "git lfs push --all origin" in output
        assert not (clone.path / ".unmoor" / "v1.0" / "dists").exists()


def test_no_git_lfs_on_the_machine(project: LfsProject, tmp_path: Path) -> None:
    """Whatever git's configuration, the error lists the files that would be pointers."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*"):
            if program.name != "git-lfs" and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    with start_release(tmp_path / "release", project.clone(tmp_path / "clone")) as place:
        code, output = build(place, PATH=str(programs))
        assert code == ToolMissing.exit_code, output
        assert "git-lfs is not installed, and it stores src/small_one/model.csv" in output
        assert "apt-get install git-lfs" in output


def test_large_files_of_a_submodule(project: LfsProject, tmp_path: Path) -> None:
    """They are fetched from the submodule's own remote."""
    others = {"tests__check.py": "import small_one\n", "CHANGELOG.md": CHANGELOG}
    outer = Repo.new(tmp_path / "outer", sample_projects.files("small-one", "1.0", more=SETTINGS, **others))
    outer.git("submodule", "--quiet", "add", project.remote.as_uri(), "src/small_one/inner")
    outer.commit({})
    outer.git("tag", "v1.0")
    outer.remote(tmp_path / "outer.git")
    allowed = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    with start_release(tmp_path / "release", outer) as place:
        code, output = build(place, **allowed)
        assert code == 0, output
        with tarfile.open(outer.path / ".unmoor" / "v1.0" / "dists" / SDIST) as sdist:
            member = sdist.extractfile("small_one-1.0/src/small_one/inner/src/small_one/model.csv")
            assert member is not None
            assert member.read().decode() == DATA
