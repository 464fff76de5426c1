"""A project with a C extension, whose wheels several jobs build with another tool, is released as one."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease, start_release

from unmoor.artifacts import manifest as manifests
from unmoor.errors import CheckFailed, Incomplete, InvalidDist, Refused
from unmoor.filesystem.files import sha256_of
from unmoor.products import Proof, Result, Subject, Verdict
from unmoor.util.values import replace

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

EXTENSION = """\
#include <Python.h>

static PyObject *depth(PyObject *self, PyObject *none) { return PyLong_FromLong(7); }
static PyMethodDef methods[] = {{"depth", depth, METH_NOARGS, "Fathoms."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "sounding", NULL, -1, methods};
PyMODINIT_FUNC PyInit_sounding(void) { return PyModule_Create(&module); }
"""
FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"

[project]
name = "sounding"
version = "1.0"
description = "How deep the water is."
readme = "README.md"
requires-python = ">=3.11"

[tool.unmoor]
repository = "acme/small"
test-command = "python {project}/tests/check.py"
""",
    "setup.py": """\
from setuptools import Extension, setup

setup(ext_modules=[Extension("sounding", ["sounding.c"])])
""",
    "sounding.c": EXTENSION,
    "README.md": "# sounding\n",
    "CHANGELOG.md": "# Changes\n\n## 1.0\n\n- It sounds.\n",
    "tests/check.py": "import sounding\n\nassert sounding.depth() == 7\n",
}
SDIST = "sounding-1.0.tar.gz"
MANYLINUX = f"manylinux_2_17_{platform.machine()}"
LEG = ("--dry-run", "--until", "check-dists", "--until", "prove-dists")


@dataclass(frozen=True)
class Job:
    """One job of the workflow: its own checkout, and the world that all share."""

    local: LocalRelease

    @property
    def folder(self) -> Path:
        """The folder that the job passes on."""
        return self.local.repo.path / ".unmoor" / "v1.0"

    def run(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run ``unmoor release`` in the job."""
        return self.local.unmoor("release", "--world", str(self.local.world_file), *args, "v1.0", env=env)


@dataclass(frozen=True)
class Jobs:
    """All jobs."""

    local: LocalRelease
    folder: Path

    def job(self, name: str) -> Job:
        """A job with a fresh clone."""
        clone = self.folder / name / "checkout"
        subprocess.run(
            ["git", "clone", "--quiet", self.local.repo.path, clone],  # noqa: S607
            check=True,
            capture_output=True,
        )
        return Job(replace(self.local, repo=Repo(clone), state=self.folder / name / "state"))

    def built(self, sdist: Path, name: str, tag: str) -> Path:
        """The output of another tool: a wheel from the sdist for one platform, retagged by a repair."""
        house = self.folder / f"wheelhouse-{name}"
        tree = self.folder / f"tree-{name}"
        shutil.unpack_archive(sdist, tree)
        options = json.dumps({"--build-option": f"--plat-name={tag}"})
        code = f"import setuptools.build_meta as b; b.build_wheel({str(house)!r}, {options})"
        uv = Path(sys.executable).with_name("uv")
        with_setuptools: list[str | Path] = [uv, "run", "--quiet", "--no-project", "--python", sys.executable]
        with_setuptools += ["--with", "setuptools>=80", "python", "-c", code]
        house.mkdir()
        environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        subprocess.run(with_setuptools, cwd=tree / "sounding-1.0", check=True, capture_output=True, env=environ)
        (house / "cibuildwheel.log").touch()
        return house


def handed_over(*folders: Path) -> list[str]:
    """The options that hand over what jobs built; the digests may come in any order."""
    digests = [sha256_of(folder / manifests.NAME) for folder in folders]
    dists = [option for folder in folders for option in ("--dists", str(folder))]
    return [*dists, *(option for digest in digests for option in ("--manifest-sha256", digest))]


def mac(linux: Job, folder: Path) -> Path:
    """The folder of a job on a Mac that proved nothing."""
    manifest = manifests.decode((linux.folder / manifests.NAME).read_bytes(), where="linux")
    (folder / "dists").mkdir(parents=True)
    wheel = retagged(linux.folder / "dists" / manifest.artifacts[0].name, folder / "dists", "macosx_11_0_arm64")
    artifact = replace(manifest.artifacts[0], name=wheel.name, sha256=sha256_of(wheel), size=wheel.stat().st_size)
    (folder / manifests.NAME).write_bytes(
        manifests.encode(replace(manifest, artifacts=(artifact,), sboms=(), proofs=()))
    )
    return folder


def proven(folder: Path) -> None:
    """Add to a job's manifest the proof that only its machine can make."""
    manifest = manifests.decode((folder / manifests.NAME).read_bytes(), where="mac")
    subjects = tuple(Subject(name=each.name, sha256=each.sha256) for each in manifest.artifacts)
    results = tuple(Result(name=f"{each.name}: imports", verdict=Verdict.PASSED) for each in subjects)
    proof = Proof(name="prove-dists", subjects=subjects, results=results)
    (folder / manifests.NAME).write_bytes(manifests.encode(replace(manifest, proofs=(proof,))))


def retagged(wheel: Path, into: Path, tag: str) -> Path:
    """The same wheel for another platform, as ``wheel tags`` writes it."""
    uvx: list[str | Path] = [Path(sys.executable).with_name("uvx"), "--quiet", "--from", "wheel>=0.45", "wheel"]
    shutil.copyfile(wheel, into / wheel.name)
    subprocess.run(
        [*uvx, "tags", "--remove", f"--platform-tag={tag}", into / wheel.name],
        check=True,
        capture_output=True,
    )
    return next(into.glob("*.whl"))


def test_wheels_of_several_jobs_are_one_release(tmp_path: Path) -> None:
    """Each job proves its wheels; an unproven one is refused by name; nothing is built or tested again."""
    repo = Repo.new(tmp_path / "sounding", FILES)
    repo.git("tag", "v1.0")
    with start_release(tmp_path, repo) as place:
        jobs = Jobs(place, tmp_path / "jobs")
        source, linux, last = (jobs.job(name) for name in ("sdist", "linux", "join"))
        made = source.run(*LEG, UNMOOR_FORMATS="sdist")
        assert made.returncode == 0, made.stderr
        house = jobs.built(source.folder / "dists" / SDIST, "linux", MANYLINUX)
        bare = last.run(*LEG, "--dists", str(house))
        assert bare.returncode == Incomplete.exit_code, bare.stderr
        assert "--built DIR" in bare.stderr
        taken = linux.run(*LEG, "--built", str(house))
        assert taken.returncode == 0, taken.stderr
        assert "building" not in taken.stderr

        # One leg alone gives no release, nor does a wheel that no machine has tested.
        few = last.run("--hold", *handed_over(linux.folder))
        assert few.returncode == Incomplete.exit_code, few.stderr
        assert "there is no sdist" in few.stderr
        shutil.rmtree(last.folder)
        folders = [source.folder, linux.folder, mac(linux, tmp_path / "mac")]
        unvouched = last.run(*LEG, *handed_over(*folders)[:-2])
        assert unvouched.returncode == Refused.exit_code, unvouched.stderr
        assert "mac/manifest.json: nothing vouches for this document" in unvouched.stderr
        assert not (last.folder / "dists").exists()
        untried = last.run(*LEG, *handed_over(*folders))
        assert untried.returncode == CheckFailed.exit_code, untried.stderr
        assert "macosx_11_0_arm64.whl is for macosx_11_0_arm64: not available here" in untried.stderr

        # The proof comes later, with the very same bytes.
        proven(tmp_path / "mac")
        whole = last.run(*handed_over(*folders))
        assert whole.returncode == 0, whole.stderr
        assert "building" not in whole.stderr
        assert "testing the files" not in whole.stderr
        names = sorted(path.name for path in (last.folder / "dists").iterdir())
        assert len(names) == 3
        assert sorted(place.stored()) == sorted((index, name) for index in ("pypi", "testpypi") for name in names)
        assert last.local.status().returncode == 0
        manifest = manifests.decode((last.folder / manifests.NAME).read_bytes(), where="join")
        # That of the job on Linux, and one for the Mac that this job has made.
        handed = linux.folder / "sboms" / next(each.name for each in manifest.sboms if MANYLINUX in each.name)
        assert [each.name for each in manifest.sboms] == [f"{name}.cdx.json" for name in names if name.endswith(".whl")]
        assert sha256_of(handed) in {each.sha256 for each in manifest.sboms}
        (proof, *_) = manifest.proofs
        assert sorted(each.name for each in proof.subjects) == names
        tests = next(each for each in proof.results if each.name.endswith(f"{MANYLINUX}.whl: tests"))
        assert tests.verdict is Verdict.PASSED


def test_a_compiled_project_is_rehearsed(tmp_path: Path) -> None:
    """A wheel for this machine only is rehearsed with a warning, and refused by a release; handed-over files, too."""
    repo = Repo.new(tmp_path / "sounding", FILES)
    repo.git("tag", "v1.0")
    with start_release(tmp_path, repo) as place:
        local = place.unmoor("rehearse")
        assert local.returncode == 0, local.stderr
        assert "the wheel is for this machine only (linux_" in local.stderr
        assert "unmoor release" not in local.stderr
        real = place.release("--dry-run", "--until", "check-dists")
        assert real.returncode == InvalidDist.exit_code, real.stderr
        assert "cibuildwheel" in real.stderr
        assert "--built DIR" in real.stderr

        jobs = Jobs(place, tmp_path / "jobs")
        built = repo.path / ".unmoor" / "rehearsal" / "checkout" / ".unmoor" / "v1.0" / "dists"
        house = jobs.built(built / SDIST, "linux", MANYLINUX)
        rehearsed = place.unmoor("rehearse", "--built", str(house))
        assert rehearsed.returncode == 0, rehearsed.stderr
        assert f"{house} holds files of version 1.0: rehearsing the tag v1.0" in rehearsed.stderr
        assert "for this machine only" not in rehearsed.stderr
        handed = tmp_path / "handed"
        shutil.copytree(repo.path / ".unmoor" / "rehearsal" / "checkout" / ".unmoor" / "v1.0", handed)
        other = place.unmoor("rehearse", "--built", str(house), "v1.1")
        assert other.returncode == Refused.exit_code, other.stderr
        assert "the files are of version 1.0, but the tag v1.1 names 1.1" in other.stderr

        # What one rehearsal made counts in another one by its digest.
        unvouched = place.unmoor("rehearse", "--dists", str(handed))
        assert unvouched.returncode == Refused.exit_code, unvouched.stderr
        joined = place.unmoor("rehearse", *handed_over(handed))
        assert joined.returncode == 0, joined.stderr
        assert "building" not in joined.stderr
