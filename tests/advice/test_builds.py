"""Every advice about builds, built files, and files that other machines built leads to files that count."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.advice.test_suites import setting
from tests.stages.conftest import RELEASE, StageInputs
from tests.support import sample_projects
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.pep517 import Pep517
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import BuildOptions, SuiteOptions
from unmoor.core.stage import Output
from unmoor.dists.building import DistBuilder
from unmoor.dists.testing.copied_tests import CopiedTests
from unmoor.dists.testing.suites import Suite
from unmoor.products import Dists
from unmoor.stages.check_dists import CheckDists
from unmoor.stages.rebuild import RebuildDists
from unmoor.util.values import replace

SDIST = "small_one-1.0.tar.gz"


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def inputs(place: Place) -> StageInputs:
    """The repository of the walk, and what builds it."""
    it = place.kept["at"]
    assert isinstance(it, StageInputs)
    return it


def project(place: Place, **more: Any) -> None:
    """A project with its own backend, which needs nothing."""
    repo = Repo.new(place.folder / "checkout", sample_projects.files(**more))
    release = sample_projects.release_of(repo)
    place.kept |= {"repo": repo, "at": StageInputs(repo, release, place.shell, RunFolder.of(repo.path, "v1.0"))}


def build(place: Place) -> object:
    """Build the commit as it is now, under the tag, with uv offline."""
    at = inputs(place)
    place.repo.git("tag", "--force", "v1.0")
    at.release = replace(at.release, commit=place.repo.git("rev-parse", "HEAD"))
    uv = Uv(shell=place.shell, environ={**os.environ, "UV_OFFLINE": "1"})
    options = BuildOptions(**place.kept.get("options", {}))
    stage = replace(at.build_stage(), backend=Pep517(shell=place.shell, uv=uv), options=options)
    return stage.make(at.context())


def project_with(**files: str) -> Callable[..., None]:
    """Begin with a project that has these files, with ``__`` for a slash."""
    return lambda place, *_: project(place, **files)


def commit(**files: str) -> Callable[..., None]:
    """Correct files of the project, with ``_dot_`` for a dot."""
    return lambda place, *_: place.write(**files)


def requiring(name: str) -> str:
    """The project with a requirement of its build."""
    return sample_projects.files()["pyproject.toml"].replace("requires = []", f'requires = ["{name}"]')


def _remove_marker(place: Place, _: str) -> None:
    place.repo.git("rm", "--quiet", "fail")
    place.repo.commit({})


NEEDS_FILE = "open('notes.txt').read()\n    wheel = STEM + "


def _with_tree(place: Place, text: str) -> None:
    """Set what the advice spells out."""
    place.kept["options"] = {"wheel_from": re.findall(r'wheel-from = "(\w+)" under \[tool\.unmoor\]', text)[0]}


BUILDS: dict[str, Walk] = {
    "build-in-fresh-clone": Walk(begin=project_with(fail="x"), act=build, follow=_remove_marker),
    "correct-build-requirements": Walk(
        begin=also(project, commit(pyproject_dot_toml=requiring("absent-one"))),
        act=build,
        follow=commit(pyproject_dot_toml=requiring("absent-one").replace('"absent-one"', "")),
    ),
    "complete-sdist": Walk(
        begin=also(
            project,
            commit(own_dot_py=sample_projects.BACKEND.replace("wheel = STEM + ", NEEDS_FILE), notes_dot_txt="x"),
        ),
        act=build,
        follow=_with_tree,
    ),
}


def enough(place: Place) -> object:
    """Check that the known files are enough for a release."""
    at = inputs(place)
    stage = replace(at.build_stage(), whole=True, prebuilt=place.kept.get("prebuilt"))
    stage = replace(stage, options=BuildOptions(**place.kept.get("options", {})))
    stage._require_enough(Dists(files=place.kept["files"]))
    return None


def _wheels_only(place: Place) -> None:
    project(place)
    place.kept["files"] = inputs(place).dists().wheels


def formats(place: Place, text: str) -> None:
    """Set the formats that the advice spells out."""
    place.kept["options"] = {
        "formats": setting(text.partition("set ")[2] and f"set {text.rpartition('set ')[2]}")["formats"]
    }


def _house(place: Place) -> None:
    """A folder that another tool filled, and that has changed since its files were taken."""
    project(place)
    files = inputs(place).dists().files
    house = place.folder / "house"
    house.mkdir()
    for file in files:
        shutil.copy(file.path, house / file.name)
    (house / files[0].name).write_bytes(b"built again")
    place.kept |= {"prebuilt": house, "files": files}


def _start_again(place: Place, text: str) -> None:
    """Remove the run folder, and take the files as they are now."""
    assert text.startswith("remove that folder")
    shutil.rmtree(inputs(place).folder.path)
    place.kept["files"] = tuple(describe_file(path) for path in sorted(place.kept["prebuilt"].iterdir()))


def _no_wheel(place: Place) -> None:
    _house(place)
    next(place.kept["prebuilt"].glob("*.whl")).unlink()
    shutil.rmtree(inputs(place).folder.path)


def _taken(place: Place) -> object:
    at = inputs(place)
    options = BuildOptions(**place.kept.get("options", {}))
    return replace(at.build_stage(), whole=True, prebuilt=place.kept["prebuilt"], options=options).make(at.context())


def _other_tag(place: Place) -> None:
    project(place)
    at = inputs(place)
    at.dists()
    place.kept["commit"], at.release = at.release.commit, replace(at.release, commit="b" * 40)


def _own_files(place: Place, text: str) -> None:
    """Pass the files that were built for this tag, which here is the one that they name."""
    assert "pass the files built for this tag" in text
    inputs(place).release = replace(inputs(place).release, commit=place.kept["commit"])


def _handed(place: Place) -> object:
    at = inputs(place)
    return replace(at.build_stage(), handed=True).find(at.context())


def checked(place: Place) -> object:
    """Check the built files against the tag."""
    at = inputs(place)
    stage = CheckDists(
        name="check-dists",
        release=RELEASE,
        dists=Output("dists"),
        git=at.git,
        shell=at.shell,
        folder=at.folder,
        max_file_size=100 << 20,
    )
    return stage.make(at.context(dists=place.kept["dists"]))


def _other_version(place: Place) -> None:
    project(place)
    at = inputs(place)
    place.kept["dists"], at.release = at.dists(), replace(at.release, version="2.0", tag="v2.0")


def _own_version(place: Place, text: str) -> None:
    """Release the tag of the version that the build gives."""
    assert "release the tag of the version that the build gives" in text
    inputs(place).release = replace(inputs(place).release, version="1.0", tag="v1.0")


def _linux_wheel(place: Place) -> None:
    project(place)
    at = inputs(place)
    dists = at.dists()
    wheel = dists.wheels[0]
    dists.sdists[0].path.unlink()
    name = wheel.name.replace("py3-none-any", "py3-none-linux_x86_64")
    place.kept |= {"dists": Dists(files=(describe_file(wheel.path.rename(wheel.path.with_name(name))),)), "name": name}


def _for_all(place: Place, text: str) -> None:
    assert "build wheels for all platforms" in text
    path = next(inputs(place).folder.dists.glob("*linux_x86_64*"))
    name = path.name.replace("linux_x86_64", "any")
    place.kept["dists"] = Dists(files=(describe_file(path.rename(path.with_name(name))),))


def _sources(place: Place) -> object:
    at = inputs(place)
    into = place.folder / f"copy-{len(list(place.folder.iterdir()))}" / "copy"
    into.parent.mkdir()
    tests = CopiedTests(
        git=at.git,
        release=at.release,
        suite=Suite(command="pytest"),
        options=SuiteOptions(sources=place.kept["sources"]),
        modules=("small_one",),
    )
    return tests.copy(into, installed=into.parent)


FILES: dict[str, Walk] = {
    "build-missing-format": Walk(begin=_wheels_only, act=enough, follow=formats),
    "start-with-current-files": Walk(begin=_house, act=enough, follow=_start_again),
    "build-wheels-too": Walk(begin=_no_wheel, act=_taken, follow=formats),
    "pass-other-files": Walk(begin=_other_tag, act=_handed, follow=_own_files),
    "set-built-version": Walk(begin=_other_version, act=checked, follow=_own_version),
    "build-wheels-for-all": Walk(begin=_linux_wheel, act=checked, follow=_for_all),
    "correct-test-sources": Walk(
        begin=also(project, keep(sources=("tests",))), act=_sources, follow=keep(sources=("src",))
    ),
}


def rebuild(place: Place) -> object:
    """Build the commit, and again, with the settings of the walk."""
    at, dists = inputs(place), build(place)
    uv = Uv(shell=place.shell, environ={**os.environ, "UV_OFFLINE": "1"})
    options = BuildOptions(**place.kept.get("options", {}))
    builder = DistBuilder(git=at.git, backend=Pep517(shell=place.shell, uv=uv), options=options)
    required, prebuilt = place.kept.get("reproducible", "required") == "required", place.kept.get("prebuilt")
    output: Output[Dists] = Output("dists")
    stage = RebuildDists(
        release=RELEASE, dists=output, builder=builder, folder=at.folder, required=required, prebuilt=prebuilt
    )
    context = at.context(dists=dists)
    return stage.find(context) or stage.make(context)


def _wheel_of_another_tool(place: Place) -> None:
    project(place)
    place.kept |= {"options": {"formats": ("wheel",)}, "prebuilt": place.folder / "house"}
    place.kept["prebuilt"].mkdir()
    (place.kept["prebuilt"] / "small_one-1.0-py3-none-any.whl").touch()


def _reproducible(place: Place, text: str) -> None:
    """Set what the advice spells out."""
    place.kept["reproducible"] = re.findall(r'set reproducible = "(\w+)" under \[tool\.unmoor\]', text)[0]


BY_HASH = "    files['small_one/seed.txt'] = str(hash('a'))\n    record = "

REBUILDS: dict[str, Walk] = {
    "make-reproducible": Walk(
        begin=also(project, commit(own_dot_py=sample_projects.BACKEND.replace("    record = ", BY_HASH))),
        act=rebuild,
        follow=commit(own_dot_py=sample_projects.BACKEND),
    ),
    "rebuild-advisory": Walk(begin=_wheel_of_another_tool, act=rebuild, follow=_reproducible),
}

WALKS = BUILDS | FILES | REBUILDS


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """With the file, the folder or the setting that the advice names, the same files count."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell))
