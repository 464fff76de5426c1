"""Files are built once from the commit, and taken up again by digest."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests import forges, projects
from tests.stages.conftest import Bench

from unmoor import manifest as manifests
from unmoor.distfiles import parsed, read_metadata
from unmoor.errors import BuildFailed, Conflict, Incomplete, Unfit, Unknown
from unmoor.files import measured, sha256_of
from unmoor.folder import RunFolder
from unmoor.manifest import Manifest
from unmoor.products import Dists
from unmoor.stages.dists import _environment

Benches = Callable[..., Bench]


def built(at: Bench) -> Dists:
    """Run the stage."""
    return at.builds().make(at.have())


def test_make_then_find(bench: Benches) -> None:
    """An empty world finds nothing; what was made is found, equal; the user's tree is as it was."""
    at = bench()
    stage, before = at.builds(), at.repo.state()
    assert str(at.folder.dists) in stage.plan()
    assert stage.find(at.have()) is None
    assert at.repo.state() == before
    made = stage.make(at.have())
    assert [file.name for file in made.files] == ["small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz"]
    assert at.builds().find(at.have()) == made
    assert at.repo.git("status", "--porcelain") == ""
    manifest = at.folder.read_manifest()
    assert manifest is not None
    assert manifest.is_of(at.release)
    assert {"build", "uv", "python"} <= {tool.name for tool in manifest.tools}
    assert at.folder.leftovers([file.name for file in made.files]) == ()


def test_built_from_the_commit_not_the_tree(bench: Benches, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changed and untracked files take no part, and the backend sees the version, the time, and no token."""
    at = bench()
    at.repo.write({"src/small_one/__init__.py": "raise SystemExit\n", "src/small_one/stray.py": ""})
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    before = os.umask(0o077)
    try:
        made = built(at)
    finally:
        os.umask(before)
    with tarfile.open(made.sdists[0].path) as archive:
        member = archive.extractfile("small_one-1.0/seen.json")
        assert member is not None
        seen = json.load(member)["env"]
        init = archive.getmember("small_one-1.0/src/small_one/__init__.py")
        assert "small_one-1.0/src/small_one/stray.py" not in archive.getnames()
    assert init.mode == 0o644
    assert "s3cret" not in json.dumps(seen)
    assert seen["SOURCE_DATE_EPOCH"] == "1700000000"
    assert seen["SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SMALL_ONE"] == "1.0"
    assert "SETUPTOOLS_SCM_PRETEND_VERSION" not in seen


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        (["setuptools", "setuptools-scm>=8"], set()),
        (["hatchling", "hatch_vcs[x]>=0.4"], {"SETUPTOOLS_SCM_PRETEND_VERSION"}),
        (["pdm-backend"], {"PDM_BUILD_SCM_VERSION"}),
        (["poetry-core", "poetry-dynamic-versioning"], {"POETRY_DYNAMIC_VERSIONING_BYPASS"}),
        (["hatchling", "uv-dynamic-versioning"], {"UV_DYNAMIC_VERSIONING_BYPASS"}),
        (["not a requirement !"], set()),
    ],
)
def test_what_the_backend_is_told(bench: Benches, requires: list[str], expected: set[str]) -> None:
    """The variable that names the project is always set, one for all only where the build needs it."""
    release = replace(bench().release, project="Small.One_x", version="1.2rc1")
    told = _environment(release, requires)
    assert told.pop("SOURCE_DATE_EPOCH") == "1700000000"
    assert told.pop("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SMALL_ONE_X") == "1.2rc1"
    assert told == dict.fromkeys(expected, "1.2rc1")


def test_changed_file_is_a_conflict(bench: Benches) -> None:
    """A file of other bytes is never built anew: both digests are named."""
    at = bench()
    made = built(at)
    made.files[0].path.write_bytes(b"x" * made.files[0].size)
    with pytest.raises(Conflict) as caught:
        at.builds().find(at.have())
    assert made.files[0].sha256 in str(caught.value)
    assert sha256_of(made.files[0].path) in str(caught.value)


def test_missing_file_is_absent(bench: Benches) -> None:
    """A file that is gone, and nowhere else, leads to a new build."""
    at = bench()
    made = built(at)
    made.files[0].path.unlink()
    assert at.builds().find(at.have()) is None
    assert built(at).wheels == made.wheels


def test_leftovers_of_a_broken_build_go(bench: Benches) -> None:
    """Without a manifest nothing vouches for what lies there."""
    at = bench()
    at.folder.dists.mkdir(parents=True)
    (at.folder.dists / "small_one-0.9.tar.gz").touch()
    assert at.builds().find(at.have()) is None
    made = built(at)
    assert at.folder.leftovers([file.name for file in made.files]) == ()


def test_files_of_another_commit_are_not_taken(bench: Benches) -> None:
    """A tag that moved before anything was public is built again."""
    at = bench()
    built(at)
    at.repo.commit({"src/small_one/more.py": ""})
    at.repo.git("tag", "--force", "v1.0")
    at.release = projects.release_of(at.repo)
    assert at.builds().find(at.have()) is None
    assert at.builds().find(at.have()) is None
    built(at)
    assert at.builds().find(at.have()) is not None


def test_a_build_that_fails_leaves_no_manifest(bench: Benches) -> None:
    """The backend's words are in the error, and nothing is found afterwards."""
    at = bench(projects.files(fail=""))
    with pytest.raises(BuildFailed, match="does not want to"):
        built(at)
    assert at.folder.read_manifest() is None
    assert at.builds().find(at.have()) is None


def test_hostile_file_name(bench: Benches) -> None:
    """A file whose name could leave the folder or hide is refused."""
    with pytest.raises((Unfit, BuildFailed)):
        built(bench(projects.files("small-one", "-rf;x")))


# ---- taken up from the forge


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[forges.Scene]:
    """The forge of a local world."""
    with forges.scene(tmp_path_factory.mktemp("scene")) as scene:
        yield scene


def drafted(
    at: Bench, scene: forges.Scene, made: Dists, *, leave_out: str = "", manifest: Manifest | None = None
) -> None:
    """Attach the files, and the manifest last, to a draft."""
    forge = scene.forge()
    posting = forge.draft(tag=at.release.tag, target=scene.commit, name="x", body="x", prerelease=False)
    for file in made.files:
        if file.name != leave_out:
            forge.attach(posting, file)
    path = at.folder.path / "aside" / manifests.NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(manifests.encode(manifest or Manifest.of(at.release, made)))
    if leave_out != manifests.NAME:
        forge.attach(posting, measured(path))


@pytest.fixture
def at(bench: Benches, scene: forges.Scene) -> Bench:
    """A release whose tag the forge knows."""
    tag = scene.release().tag
    version = tag[1:]
    at = bench(projects.files(version=version), version=version)
    at.folder = RunFolder.of(at.repo.path, tag)
    return at


def test_another_machine_goes_on_with_the_very_bytes(at: Bench, scene: forges.Scene, tmp_path: Path) -> None:
    """The draft hands out the files and the manifest."""
    made = at.dists()
    drafted(at, scene, made)
    elsewhere = RunFolder(tmp_path / "elsewhere" / "run")
    stage = at.builds(forge=scene.forge(), folder=elsewhere)
    found = stage.find(at.have())
    assert found == made
    assert found is not None
    assert [measured(file.path) for file in found.files] == list(made.files)
    assert elsewhere.read_manifest() == at.folder.read_manifest()
    assert at.builds(folder=elsewhere).find(at.have()) == made


def test_a_lost_file_comes_back_from_the_draft(at: Bench, scene: forges.Scene) -> None:
    """What is gone here is fetched, not built again."""
    made = at.dists()
    drafted(at, scene, made)
    made.files[1].path.unlink()
    assert at.builds(forge=scene.forge()).find(at.have()) == made
    assert made.files[1].path.is_file()


def test_draft_without_manifest_was_never_complete(at: Bench, scene: forges.Scene, tmp_path: Path) -> None:
    """It holds nobody to anything."""
    drafted(at, scene, at.dists(), leave_out=manifests.NAME)
    assert at.builds(forge=scene.forge(), folder=RunFolder(tmp_path / "run")).find(at.have()) is None


def test_draft_that_lacks_a_file(at: Bench, scene: forges.Scene, tmp_path: Path) -> None:
    """A file that its manifest names and that nobody holds is said so, with what to do."""
    made = at.dists()
    drafted(at, scene, made, leave_out=made.files[0].name)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(Incomplete, match=made.files[0].name) as caught:
        at.builds(forge=scene.forge(), folder=folder).find(at.have())
    assert "delete the draft" in caught.value.next_step
    assert folder.read_manifest() is None
    assert not folder.dists.exists()


def test_draft_of_another_commit(at: Bench, scene: forges.Scene, tmp_path: Path) -> None:
    """Both commits are named."""
    made = at.dists()
    drafted(at, scene, made, manifest=Manifest.of(replace(at.release, commit="f" * 40), made))
    with pytest.raises(Conflict, match="f" * 40) as caught:
        at.builds(forge=scene.forge(), folder=RunFolder(tmp_path / "run")).find(at.have())
    assert at.release.commit in str(caught.value)


def test_draft_whose_file_is_not_the_manifests(at: Bench, scene: forges.Scene, tmp_path: Path) -> None:
    """A file of other bytes than the manifest beside it says is never taken."""
    made = at.dists()
    other = replace(made.files[0], sha256="0" * 64)
    drafted(at, scene, made, manifest=Manifest.of(at.release, Dists(files=(other, made.files[1]))))
    with pytest.raises(Conflict, match="0" * 64):
        at.builds(forge=scene.forge(), folder=RunFolder(tmp_path / "run")).find(at.have())


@pytest.mark.parametrize("token", ["", "read"])
def test_a_token_that_sees_no_drafts_hinders_no_build(
    at: Bench, scene: forges.Scene, tmp_path: Path, token: str
) -> None:
    """Whoever may only read can build; what was drafted before is found by who publishes."""
    drafted(at, scene, at.dists())
    forge = scene.forge(scene.read_token if token else "")
    assert at.builds(forge=forge, folder=RunFolder(tmp_path / "run")).find(at.have()) is None
    assert ["drafts cannot be seen" in each for each in at.warned] == ([True] if token else [])


def test_a_forge_that_cannot_be_read_is_unknown(at: Bench, scene: forges.Scene) -> None:
    """No answer is not an absent release."""
    forge = scene.forge(api="http://127.0.0.1:9/api/v3")
    with pytest.raises(Unknown):
        at.builds(forge=forge).find(at.have())


# ---- versions that come from git

STATIC = '[project]\nname = "small-one"\ndynamic = ["version"]\n'
POETRY = '[project]\nname = "small-one"\ndynamic = ["version"]\n[tool.poetry]\nversion = "0.0.0"\n'


@pytest.mark.journey
@pytest.mark.parametrize(
    ("requires", "backend", "rest"),
    [
        (["setuptools>=80", "setuptools-scm>=8"], "setuptools.build_meta", STATIC + "[tool.setuptools_scm]\n"),
        (["hatchling", "hatch-vcs"], "hatchling.build", STATIC + '[tool.hatch.version]\nsource = "vcs"\n'),
        (["pdm-backend"], "pdm.backend", STATIC + '[tool.pdm.version]\nsource = "scm"\n'),
        (
            ["hatchling", "uv-dynamic-versioning"],
            "hatchling.build",
            STATIC + '[tool.hatch.version]\nsource = "uv-dynamic-versioning"\n',
        ),
        (
            ["poetry-core>=2", "poetry-dynamic-versioning>=1.7"],
            "poetry_dynamic_versioning.backend",
            POETRY + "[tool.poetry-dynamic-versioning]\nenable = true\n",
        ),
    ],
    ids=["setuptools-scm", "hatch-vcs", "pdm", "uv-dynamic-versioning", "poetry-dynamic-versioning"],
)
@pytest.mark.parametrize("version", ["2.0rc1"])
def test_version_is_the_tags(bench: Benches, requires: list[str], backend: str, rest: str, version: str) -> None:
    """Every way to read a version from git finds the release's, with another tag on the commit too."""
    text = f"[build-system]\nrequires = {json.dumps(requires)}\nbuild-backend = {json.dumps(backend)}\n{rest}"
    at = bench({"pyproject.toml": text, "src/small_one/__init__.py": ""}, version=version)
    at.repo.git("tag", "v9.9.9")
    made = built(at)
    assert {str(parsed(file.name).version) for file in made.files} == {version}
    assert {read_metadata(file.path).version for file in made.files} == {version}
