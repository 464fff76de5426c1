"""The stage ``dists`` builds files once from the commit; later runs find them by digest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stages.conftest import StageInputs
from tests.support import local_forge, sample_projects
from tests.support.beliefs import given
from tests.support.git_repos import Repo

from unmoor.advice import NextStep
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import FORMER_SCHEMA, Manifest, encode
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.groups import BuildOptions
from unmoor.dists import building
from unmoor.dists.inspect import extract, parse_filename, read_metadata
from unmoor.dists.source_tree import build_environment, requires_python
from unmoor.errors import BuildFailed, Conflict, Incomplete, InvalidDist, ToolMissing, Unknown
from unmoor.filesystem.files import sha256_of
from unmoor.ports.index import Holding, ListedFile
from unmoor.products import Dists, File
from unmoor.products.signatures import BY_HAND
from unmoor.util.values import replace

pytestmark = pytest.mark.journey  # real builds, clones or servers, one after the other

MakeInputs = Callable[..., StageInputs]


def built(at: StageInputs) -> Dists:
    """Run the stage."""
    return at.build_stage().make(at.context())


def test_make_then_find(make_inputs: MakeInputs) -> None:
    """An empty world has no files; built files are found, equal; the work tree is unchanged."""
    at = make_inputs()
    stage, before = at.build_stage(), at.repo.state()
    assert str(at.folder.dists) in stage.plan()
    assert stage.find(at.context()) is None
    assert at.repo.state() == before
    made = stage.make(at.context())
    assert [file.name for file in made.files] == ["small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz"]
    assert at.build_stage().find(at.context()) == made
    assert at.repo.git("status", "--porcelain") == ""
    manifest = at.folder.read_known()
    assert manifest is not None
    assert manifest.is_of(at.release)
    assert {"build", "uv", "python"} <= {tool.name for tool in manifest.tools}
    assert at.folder.leftovers([file.name for file in made.files]) == ()


def test_built_from_the_commit_not_the_tree(make_inputs: MakeInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build ignores changed and untracked files, and gets the version and the time, but no token."""
    at = make_inputs(sample_projects.files(watched=""))
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
def test_environment_of_the_backend(make_inputs: MakeInputs, requires: list[str], expected: set[str]) -> None:
    """The variable with the project's name is always set, the general one only if the build needs it."""
    release = replace(make_inputs().release, project="Small.One_x", version="1.2rc1")
    variables = build_environment(release, requires)
    assert variables.pop("SOURCE_DATE_EPOCH") == "1700000000"
    assert variables.pop("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SMALL_ONE_X") == "1.2rc1"
    assert variables == dict.fromkeys(expected, "1.2rc1")


def test_changed_file_is_a_conflict(make_inputs: MakeInputs) -> None:
    """A file with other bytes is not built again; the error has both digests."""
    at = make_inputs()
    made = built(at)
    made.files[0].path.write_bytes(b"x" * made.files[0].size)
    with pytest.raises(Conflict) as caught:
        at.build_stage().find(at.context())
    assert made.files[0].sha256 in str(caught.value)
    assert sha256_of(made.files[0].path) in str(caught.value)


def test_missing_file_is_absent(make_inputs: MakeInputs) -> None:
    """If a file is gone and no surface has it, it is built again."""
    at = make_inputs()
    made = built(at)
    made.files[0].path.unlink()
    assert at.build_stage().find(at.context()) is None
    assert built(at).wheels == made.wheels


def test_leftovers_of_an_interrupted_build_are_removed(make_inputs: MakeInputs) -> None:
    """Files without a manifest are removed."""
    at = make_inputs()
    at.folder.dists.mkdir(parents=True)
    (at.folder.dists / "small_one-0.9.tar.gz").touch()
    assert at.build_stage().find(at.context()) is None
    made = built(at)
    assert at.folder.leftovers([file.name for file in made.files]) == ()


def test_files_of_another_commit_are_not_taken(make_inputs: MakeInputs) -> None:
    """If the tag moved before anything was public, the files are built again."""
    at = make_inputs()
    built(at)
    at.repo.commit({"src/small_one/more.py": ""})
    at.repo.git("tag", "--force", "v1.0")
    at.release = sample_projects.release_of(at.repo)
    assert at.build_stage().find(at.context()) is None
    assert at.build_stage().find(at.context()) is None
    built(at)
    assert at.build_stage().find(at.context()) is not None


def test_a_build_that_fails_leaves_no_manifest(make_inputs: MakeInputs) -> None:
    """The error has the backend's output, and a later run finds nothing."""
    at = make_inputs(sample_projects.files(fail=""))
    with pytest.raises(BuildFailed, match="does not want to"):
        built(at)
    assert at.folder.read_manifest() is None
    assert at.build_stage().find(at.context()) is None


def test_hostile_file_name(make_inputs: MakeInputs) -> None:
    """A file name that could leave the folder or hide the file is refused."""
    with pytest.raises((InvalidDist, BuildFailed)):
        built(make_inputs(sample_projects.files("small-one", "-rf;x")))


# ---- taken up from the forge


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_forge.LocalForge]:
    """The forge of a local world."""
    with local_forge.start_forge(tmp_path_factory.mktemp("forge")) as local:
        yield local


def drafted(
    at: StageInputs,
    local: local_forge.LocalForge,
    made: Dists,
    *,
    leave_out: str = "",
    manifest: Manifest | None = None,
) -> Belief:
    """Attach the files, and the manifest last, to a draft. Returns the belief of a user who was given its digest."""
    forge = local.forge()
    forge_release = forge.draft(tag=at.release.tag, target=local.commit, name="x", body="x", prerelease=False)
    for file in made.files:
        if file.name != leave_out:
            forge.attach(forge_release, file)
    path = at.folder.path / "aside" / manifests.NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(manifests.encode(manifest or Manifest.of(at.release, made)))
    if leave_out != manifests.NAME:
        forge.attach(forge_release, describe_file(path))
    return given(path)


@pytest.fixture
def at(make_inputs: MakeInputs, local: local_forge.LocalForge) -> StageInputs:
    """A release whose tag the forge knows."""
    tag = local.release().tag
    version = tag[1:]
    at = make_inputs(sample_projects.files(version=version), version=version)
    at.folder = RunFolder.of(at.repo.path, tag)
    return at


def test_another_machine_uses_the_same_bytes(at: StageInputs, local: local_forge.LocalForge, tmp_path: Path) -> None:
    """Another machine gets the files and the manifest from the draft."""
    made = at.dists()
    elsewhere = RunFolder(tmp_path / "elsewhere" / "run", drafted(at, local, made))
    stage = at.build_stage(forge=local.forge(), folder=elsewhere)
    found = stage.find(at.context())
    assert found == made
    assert found is not None
    assert [describe_file(file.path) for file in found.files] == list(made.files)
    assert elsewhere.read_manifest() == at.folder.read_manifest()
    assert at.build_stage(folder=elsewhere).find(at.context()) == made


def test_a_given_digest_goes_before_what_was_built_here(at: StageInputs, local: local_forge.LocalForge) -> None:
    """A run that stopped at the draft of another build continues with that draft once its digest is given."""
    theirs = at.dists()
    belief = drafted(at, local, theirs)
    own = Dists(files=tuple(_other(file) for file in theirs.files))
    at.folder.forget_build()
    at.folder.write_build(Manifest.of(at.release, own))
    assert at.build_stage(forge=local.forge()).find(at.context()) == own
    folder = RunFolder(at.folder.path, replace(belief, notebook=at.folder.belief.notebook))
    found = at.build_stage(forge=local.forge(), folder=folder).find(at.context())
    assert found == theirs
    assert folder.read_known() == Manifest.of(at.release, theirs)


def _other(file: File) -> File:
    """The same name with other bytes."""
    file.path.write_bytes(b"other" + file.path.read_bytes())
    return describe_file(file.path)


def test_a_lost_file_comes_back_from_the_draft(at: StageInputs, local: local_forge.LocalForge) -> None:
    """A file that is missing here is fetched, not built again."""
    made = at.dists()
    drafted(at, local, made)
    made.files[1].path.unlink()
    assert at.build_stage(forge=local.forge()).find(at.context()) == made
    assert made.files[1].path.is_file()


def test_draft_without_manifest_was_never_complete(
    at: StageInputs, local: local_forge.LocalForge, tmp_path: Path
) -> None:
    """A draft without a manifest is ignored."""
    drafted(at, local, at.dists(), leave_out=manifests.NAME)
    assert at.build_stage(forge=local.forge(), folder=RunFolder(tmp_path / "run")).find(at.context()) is None


def test_draft_that_lacks_a_file(at: StageInputs, local: local_forge.LocalForge, tmp_path: Path) -> None:
    """If a manifest lists a file that no surface has, the error says what to do."""
    made = at.dists()
    folder = RunFolder(tmp_path / "run", drafted(at, local, made, leave_out=made.files[0].name))
    with pytest.raises(Incomplete, match=made.files[0].name) as caught:
        at.build_stage(forge=local.forge(), folder=folder).find(at.context())
    assert "delete the draft" in caught.value.next_step
    assert folder.read_manifest() is None
    assert not folder.dists.exists()


def test_draft_of_another_commit(at: StageInputs, local: local_forge.LocalForge, tmp_path: Path) -> None:
    """The error names both commits."""
    made = at.dists()
    belief = drafted(at, local, made, manifest=Manifest.of(replace(at.release, commit="f" * 40), made))
    with pytest.raises(Conflict, match="f" * 40) as caught:
        at.build_stage(forge=local.forge(), folder=RunFolder(tmp_path / "run", belief)).find(at.context())
    assert at.release.commit in str(caught.value)


def test_draft_of_another_project(at: StageInputs, local: local_forge.LocalForge, tmp_path: Path) -> None:
    """One tag belongs to one project: files of another project are not used."""
    made = at.dists()
    belief = drafted(at, local, made, manifest=Manifest.of(replace(at.release, path="packages/one"), made))
    with pytest.raises(Conflict, match="is of the project in packages/one, and not of that in the top") as caught:
        at.build_stage(forge=local.forge(), folder=RunFolder(tmp_path / "run", belief)).find(at.context())
    assert f"{at.release.tag} can be the release of one of them" in str(caught.value)


def test_draft_whose_file_is_not_the_manifests(at: StageInputs, local: local_forge.LocalForge, tmp_path: Path) -> None:
    """A file whose bytes differ from the manifest next to it is not used."""
    made = at.dists()
    other = replace(made.files[0], sha256="0" * 64)
    belief = drafted(at, local, made, manifest=Manifest.of(at.release, Dists(files=(other, made.files[1]))))
    with pytest.raises(Conflict, match="0" * 64):
        at.build_stage(forge=local.forge(), folder=RunFolder(tmp_path / "run", belief)).find(at.context())


@pytest.mark.parametrize("token", ["", "read"])
def test_a_token_that_sees_no_drafts_can_build(
    at: StageInputs, local: local_forge.LocalForge, tmp_path: Path, token: str
) -> None:
    """A token that can only read can build; the publishing job finds existing drafts."""
    drafted(at, local, at.dists())
    forge = local.forge(local.read_token if token else "")
    assert at.build_stage(forge=forge, folder=RunFolder(tmp_path / "run")).find(at.context()) is None
    assert ["cannot read drafts" in each for each in at.warned] == ([True] if token else [])


def test_a_forge_that_cannot_be_read_is_unknown(at: StageInputs, local: local_forge.LocalForge) -> None:
    """An unreadable forge is not an absent release."""
    forge = local.forge(api="http://127.0.0.1:9/api/v3")
    with pytest.raises(Unknown):
        at.build_stage(forge=forge).find(at.context())


# ---- versions that come from git

STATIC = '[project]\nname = "small-one"\ndynamic = ["version"]\n'
SCM = ["setuptools>=80", "setuptools-scm>=10"]  # 10 is a front end of vcs-versioning
POETRY = '[project]\nname = "small-one"\ndynamic = ["version"]\n[tool.poetry]\nversion = "0.0.0"\n'


@pytest.mark.journey
@pytest.mark.parametrize(
    ("requires", "backend", "rest"),
    [
        (
            SCM,
            "setuptools.build_meta",
            STATIC + '[tool.setuptools_scm]\nversion_file = "src/small_one/_version.py"\ntag.strict = true\n',
        ),
        (SCM, "setuptools.build_meta", STATIC + '[tool.setuptools_scm.tag]\nprefix = "other-"\n'),
        ([*SCM, "vcs-versioning"], "setuptools.build_meta", STATIC + "[tool.vcs-versioning]\n"),
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
    ids=[
        "setuptools-scm",
        "tag prefix",
        "vcs-versioning",
        "hatch-vcs",
        "pdm",
        "uv-dynamic-versioning",
        "poetry-dynamic-versioning",
    ],
)
@pytest.mark.parametrize("version", ["2.0rc1"])
def test_version_is_the_tags(
    make_inputs: MakeInputs, requires: list[str], backend: str, rest: str, version: str
) -> None:
    """Every way to read a version from git gives the release's, even with another tag on the commit."""
    text = f"[build-system]\nrequires = {json.dumps(requires)}\nbuild-backend = {json.dumps(backend)}\n{rest}"
    tracked = {"src/small_one/_version.py": "version = '0.9'\n"}
    at = make_inputs({"pyproject.toml": text, "src/small_one/__init__.py": "", **tracked}, version=version)
    at.repo.git("tag", "v9.9.9")
    made = built(at)
    assert {str(parse_filename(file.name).version) for file in made.files} == {version}
    assert {read_metadata(file.path).version for file in made.files} == {version}


# ---- what is built, and of what

TREE_ONLY = {"needed.txt": "x"}
NEEDS_A_FILE = (
    '\n_build = build_wheel\n\n\ndef build_wheel(*args):\n    open("needed.txt").close()\n    return _build(*args)\n'
)


def needing() -> dict[str, str]:
    """A project whose wheel needs a file that its sdist lacks."""
    content = sample_projects.files() | TREE_ONLY
    return content | {"own.py": content["own.py"] + NEEDS_A_FILE}


def test_an_sdist_that_builds_no_wheel(make_inputs: MakeInputs) -> None:
    """The error names the missing file and the solution: build from the tree, which the manifest then records."""
    at = make_inputs(needing())
    with pytest.raises(BuildFailed, match=r"cannot build a wheel from small_one-1\.0\.tar\.gz") as caught:
        built(at)
    assert "because needed.txt is missing from it" in caught.value.what
    assert 'wheel-from = "tree"' in caught.value.next_step
    made = replace(at.build_stage(), options=BuildOptions(wheel_from="tree")).make(at.context())
    assert len(made.files) == 2
    manifest = at.folder.read_known()
    assert manifest is not None
    assert manifest.decisions == made.decisions == ("sdist normalized", "wheel-from = tree")


@pytest.mark.parametrize(
    ("formats", "names", "words"),
    [
        (("wheel",), ["small_one-1.0-py3-none-any.whl"], "no sdist"),
        (("sdist",), ["small_one-1.0.tar.gz"], "no wheel"),
    ],
)
def test_one_format_only(make_inputs: MakeInputs, formats: tuple[str, ...], names: list[str], words: str) -> None:
    """Only the configured format is built; without an sdist the wheel comes from the tree."""
    at = make_inputs(needing())
    stage = replace(at.build_stage(), options=BuildOptions(formats=formats))
    assert words in stage.plan()
    assert [file.name for file in stage.make(at.context()).files] == names


def test_skipped_stages_are_recorded(make_inputs: MakeInputs) -> None:
    """The manifest lists a skipped stage, even if the files were built before."""
    at = make_inputs()
    at.dists()
    found = replace(at.build_stage(), skipped=("testpypi",)).find(at.context())
    assert found is not None
    assert found.decisions == ("skipped testpypi",)
    assert Manifest.of(at.release, found).decisions == ("skipped testpypi",)


def test_a_build_by_hand_says_so(make_inputs: MakeInputs) -> None:
    """The manifest records it for good, whoever continues; a run by hand adds it to no files that it finds."""
    at = make_inputs()
    made = replace(at.build_stage(), by_hand=True).make(at.context())
    assert BY_HAND in made.decisions
    for by_hand in (True, False):
        found = replace(at.build_stage(), by_hand=by_hand).find(at.context())
        assert found is not None
        assert BY_HAND in found.decisions
    at.build_stage().make(at.context())
    found = replace(at.build_stage(), by_hand=True).find(at.context())
    assert found is not None
    assert BY_HAND not in found.decisions


def test_pointers_instead_of_large_files(make_inputs: MakeInputs) -> None:
    """An sdist never contains the pointers of git-lfs."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    at = make_inputs(sample_projects.files() | {"src/small_one/model.bin": pointer})
    with pytest.raises(BuildFailed, match=r"git-lfs pointers .*model\.bin") as caught:
        built(at)
    assert "install git-lfs" in caught.value.next_step


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"pyproject.toml": "[project]\nrequires-python = '>=3.9 '\n"}, ">=3.9"),
        ({"setup.cfg": "[options]\npython_requires = >=3.8\n"}, ">=3.8"),
        ({"pyproject.toml": "[project]\nrequires-python = 3\n", "setup.cfg": ""}, ""),
        ({"setup.py": "setup(python_requires='>=3')"}, ""),
    ],
)
def test_which_python_a_tree_requires(tmp_path: Path, content: dict[str, str], expected: str) -> None:
    """The requirement is read from the usual files; if only a build can tell, it is left to the build."""
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    assert requires_python(tmp_path) == expected


def test_python_that_is_absent(make_inputs: MakeInputs) -> None:
    """If this machine lacks a suitable Python, nothing is built with another one."""
    at = make_inputs(sample_projects.files(more="requires-python = '>=3.99'\n"))
    with pytest.raises(ToolMissing, match=r"for Python >=3\.99"):
        replace(at.build_stage(), environments=at.uv).make(at.context())


@pytest.mark.parametrize("allowed", ["always", "user"])
def test_submodules(make_inputs: MakeInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: str) -> None:
    """Submodules are part of the build; the error names one that cannot be fetched."""
    for number, (key, value) in enumerate([("protocol.file.allow", "always")]):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    inner = Repo.new(tmp_path / "inner", {"deep.py": "x = 1\n"})
    at = make_inputs()
    at.repo.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "src/small_one/inner"
    )
    at.repo.git("commit", "-q", "-m", "inner")
    at.repo.git("tag", "--force", "v1.0")
    at.release = sample_projects.release_of(at.repo)
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", allowed)
    if allowed == "user":
        with pytest.raises(Unknown, match="cannot fetch a submodule") as caught:
            built(at)
        assert "protocol.file.allow" in caught.value.next_step
        return
    with tarfile.open(built(at).sdists[0].path) as archive:
        assert "small_one-1.0/src/small_one/inner/deep.py" in archive.getnames()


# ---- what an index holds already


class FakeIndex:
    """An index that holds files, with the methods that building uses."""

    name = "example"

    def __init__(self, files: tuple[File, ...], *, broken: bool = False) -> None:
        self.files = {file.name: file for file in files}
        self.broken = broken

    def holding(self, project: str, version: str) -> Holding:
        """List them."""
        del project, version
        if self.broken:
            raise Unknown("no answer", next_step=NextStep("wait"))
        listed = {n: ListedFile(name=n, url=n, sha256=file.sha256) for n, file in self.files.items()}
        return Holding(simple=listed, json=None)

    def fetch(self, listed: ListedFile, into: Path) -> File:
        """Copy one."""
        (into / listed.name).write_bytes(self.files[listed.name].path.read_bytes())
        return describe_file(into / listed.name)


def test_lost_files_come_back_from_an_index(make_inputs: MakeInputs, tmp_path: Path) -> None:
    """Files are fetched by the run folder's manifest from the production index, else from the staging index."""
    at = make_inputs()
    made = at.dists()
    kept = tmp_path / "kept"
    shutil.copytree(at.folder.dists, kept)
    wheel, sdist = (replace(file, path=kept / file.name) for file in made.files)
    shutil.rmtree(at.folder.dists)
    half: Any = FakeIndex((wheel,))
    other: Any = FakeIndex((sdist,))
    assert replace(at.build_stage(), index=half).find(at.context()) is None
    assert replace(at.build_stage(), index=half, staging=other).find(at.context()) == made
    assert at.build_stage().find(at.context()) == made
    assert RunFolder(tmp_path / "none").read_manifest() is None
    whole: Any = FakeIndex((wheel, sdist))
    without = at.build_stage(folder=RunFolder(tmp_path / "without"))
    assert replace(without, index=whole).find(at.context()) is None


def test_built_again_only_if_equal(make_inputs: MakeInputs) -> None:
    """If an index holds a file of the same name, a new build must give the same bytes."""
    at = make_inputs()
    first = built(at)
    copies = tuple(replace(file, path=file.path) for file in first.wheels)
    same: Any = FakeIndex(copies)
    assert replace(at.build_stage(), index=same).make(at.context()).wheels == first.wheels
    other: Any = FakeIndex((replace(first.wheels[0], sha256="0" * 64),))
    with pytest.raises(Conflict, match="0" * 64) as caught:
        replace(at.build_stage(), staging=other).make(at.context())
    assert first.wheels[0].sha256 in str(caught.value)
    assert "--manifest-sha256 HEX; if that is lost, leave the staging index out: --skip" in caught.value.next_step
    assert at.folder.read_manifest() is None
    left_out = replace(at.build_stage(), staging=other, unstaged=True)
    assert left_out.make(at.context()).wheels == first.wheels
    with pytest.raises(Conflict, match="0" * 64) as caught:
        replace(at.build_stage(), index=other, unstaged=True).make(at.context())
    assert caught.value.next_step.endswith("release the next version")
    broken: Any = FakeIndex((), broken=True)
    replace(at.build_stage(), index=broken).make(at.context())
    assert at.warned == []  # check-dists says it, once


def wheelhouse(at: StageInputs, folder: Path) -> Path:
    """A folder as another tool leaves it."""
    folder.mkdir()
    for file in at.dists().files:
        shutil.move(file.path, folder / file.name)
    (folder / "build.log").touch()
    shutil.rmtree(at.folder.path)
    return folder


def test_files_that_another_tool_built(make_inputs: MakeInputs, tmp_path: Path) -> None:
    """The files are used as they are, the manifest says so, and other bytes later are a conflict."""
    at = make_inputs()
    house = wheelhouse(at, tmp_path / "wheelhouse")
    stage = replace(at.build_stage(), prebuilt=house)
    assert str(house) in stage.plan()
    assert stage.find(at.context()) is None
    made = stage.make(at.context())
    assert [file.name for file in made.files] == ["small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz"]
    assert [sha256_of(house / file.name) for file in made.files] == [file.sha256 for file in made.files]
    assert "ignoring what is no release file: build.log" in at.messages
    manifest = at.folder.read_known()
    assert manifest is not None
    assert (manifest.decisions, manifest.tools) == (("built by another tool",), ())
    assert stage.find(at.context()) == made
    (house / "small_one-1.0.tar.gz").write_bytes(b"other")
    with pytest.raises(Conflict, match=f"{made.sdists[0].sha256} was taken before"):
        stage.find(at.context())


def test_an_sdist_that_another_tool_did_not_build(make_inputs: MakeInputs, tmp_path: Path) -> None:
    """Some tools build wheels only, such as cibuildwheel: a release builds the sdist, also after a dry run."""
    at = make_inputs()
    house = wheelhouse(at, tmp_path / "wheelhouse")
    metadata = read_metadata(house / "small_one-1.0.tar.gz")
    (house / "small_one-1.0.tar.gz").unlink()
    job = replace(at.build_stage(), prebuilt=house)
    stage = replace(job, whole=True)
    assert "build the sdist if there is none" in stage.plan()
    assert "build the sdist" not in job.plan()
    assert [file.name for file in job.make(at.context()).files] == ["small_one-1.0-py3-none-any.whl"]
    assert job.find(at.context()) is not None
    assert stage.find(at.context()) is None
    made = stage.make(at.context())
    assert f"there is no sdist in {house}: building it" in at.messages
    assert [file.name for file in made.files] == ["small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz"]
    assert read_metadata(made.sdists[0].path) == metadata
    assert made.decisions == ("built by another tool", "sdist normalized")
    assert stage.find(at.context()) == made
    wheels = replace(stage, options=BuildOptions(formats=("wheel",)))
    assert len(wheels.make(at.context()).files) == 1


def test_wheels_that_another_tool_did_not_build(make_inputs: MakeInputs, tmp_path: Path) -> None:
    """A release needs a wheel, which nobody but the tool can build; an sdist alone is enough if the settings say so."""
    at = make_inputs()
    house = wheelhouse(at, tmp_path / "wheelhouse")
    next(house.glob("*.whl")).unlink()
    stage = replace(at.build_stage(), prebuilt=house, whole=True)
    with pytest.raises(Incomplete, match="there is no wheel") as caught:
        stage.make(at.context())
    assert str(house) in str(caught.value)
    assert 'formats = ["sdist"]' in caught.value.next_step
    assert len(replace(stage, options=BuildOptions(formats=("sdist",))).make(at.context()).files) == 1
    assert len(replace(stage, whole=False).make(at.context()).files) == 1


def test_build_constraints_are_recorded(make_inputs: MakeInputs) -> None:
    """The manifest records the constraints of the build."""
    at = make_inputs()
    made = replace(at.build_stage(), options=BuildOptions(constraints=("setuptools<80", "wheel"))).make(at.context())
    assert made.decisions == ("build-constraints = setuptools<80, wheel", "sdist normalized")


def test_folder_that_another_tool_left_empty(make_inputs: MakeInputs, tmp_path: Path) -> None:
    """An empty folder is an error, and no manifest is written."""
    at = make_inputs()
    with pytest.raises(Incomplete, match="neither a wheel nor an sdist"):
        replace(at.build_stage(), prebuilt=tmp_path).make(at.context())
    assert at.folder.read_manifest() is None


def test_files_of_another_tag_are_refused(make_inputs: MakeInputs) -> None:
    """Files passed to the run are never replaced by a build."""
    at = make_inputs()
    at.dists()
    at.release = replace(at.release, commit="b" * 40)
    assert at.build_stage().find(at.context()) is None
    with pytest.raises(Conflict, match=r"passed to this run are of v1\.0 at commit .*, and not of v1\.0 at bbbb"):
        replace(at.build_stage(), handed=True).find(at.context())
    at.release = replace(at.release, commit=at.repo.git("rev-parse", "HEAD"))
    assert replace(at.build_stage(), handed=True).find(at.context()) is not None
    at.release = replace(at.release, settings="x.toml sha256:0")
    with pytest.raises(Conflict, match=r"are of settings of the commit, not of settings x\.toml sha256:0"):
        replace(at.build_stage(), handed=True).find(at.context())


@pytest.mark.parametrize("counts", [False, True], ids=["not vouched for", "vouched for"])
def test_a_release_that_a_former_version_began(make_inputs: MakeInputs, *, counts: bool) -> None:
    """Its manifest still changed when it was written: it is ignored with a word, or refused if its digest was given."""
    at = make_inputs()
    manifest = replace(Manifest.of(at.release, at.dists()), schema=FORMER_SCHEMA)
    data = encode(manifest)
    (at.folder.path / "manifest.json").write_bytes(data)
    given = frozenset({hashlib.sha256(data).hexdigest()}) if counts else frozenset()
    folder = RunFolder(at.folder.path, Belief(given=given))
    stage = at.build_stage(folder=folder)
    if counts:
        with pytest.raises(Conflict, match="a former version of unmoor began this release") as caught:
            stage.find(at.context())
        assert "finish it with the version of unmoor that began it" in caught.value.next_step
    else:
        assert stage.find(at.context()) is None
        assert any("an earlier version of unmoor made it" in warning for warning in at.warned)


@pytest.mark.parametrize("left", ["wheel", "sdist"])
def test_a_release_needs_every_format(make_inputs: MakeInputs, left: str) -> None:
    """One format is enough for the job that built it, but not for the release."""
    at = make_inputs()
    dists = at.dists()
    kept = dists.wheels if left == "sdist" else dists.sdists
    at.folder.write_manifest(Manifest.of(at.release, Dists(files=kept)))
    assert at.build_stage().find(at.context()) is not None
    with pytest.raises(Incomplete, match=f"there is no {left} among the files") as caught:
        replace(at.build_stage(), whole=True).find(at.context())
    assert f"UNMOOR_FORMATS={left} unmoor release --dry-run TAG" in caught.value.next_step
    other = "sdist" if left == "wheel" else "wheel"
    assert replace(at.build_stage(), whole=True, options=BuildOptions(formats=(other,))).find(at.context()) is not None


# ---- the sdist is normalized

LINKS = """
_sdist = build_sdist


def build_sdist(folder, config_settings=None):
    name = _sdist(folder)
    with tarfile.open(os.path.join(folder, name)) as archive:
        members = [(each, archive.extractfile(each)) for each in archive]
        with tarfile.open(os.path.join(folder, name) + ".part", "w:gz") as more:
            for member, stream in members:
                more.addfile(member, stream)
            for link, target in (("here", "."), ("there", "here/src")):
                member = tarfile.TarInfo(STEM + "/" + link)
                member.type, member.linkname = tarfile.SYMTYPE, target
                more.addfile(member)
    os.replace(os.path.join(folder, name) + ".part", os.path.join(folder, name))
    return name
"""


@pytest.mark.parametrize(
    ("options", "backend", "decisions", "warning", "normal"),
    [
        (BuildOptions(), "", ("sdist normalized",), "", True),
        (BuildOptions(formats=("sdist",)), "", ("formats = sdist", "sdist normalized"), "", True),
        (BuildOptions(normalize_sdist=False), "", ("normalize-sdist = false",), "", False),
        (BuildOptions(), LINKS, ("sdist not normalized",), "there leads through another link", False),
    ],
    ids=["on", "no wheel", "off", "impossible"],
)
def test_the_manifest_says_whether_the_sdist_was_normalized(
    make_inputs: MakeInputs,
    options: BuildOptions,
    backend: str,
    decisions: tuple[str, ...],
    warning: str,
    *,
    normal: bool,
) -> None:
    """It is normalized before anything else reads it, or the reason is a warning; the manifest says which."""
    content = sample_projects.files()
    at = make_inputs(content | {"own.py": content["own.py"] + backend})
    made = replace(at.build_stage(), options=options).make(at.context())
    assert Manifest.of(at.release, made).decisions == made.decisions == decisions
    assert [warning in each for each in at.warned] == ([True] if warning else [])
    with tarfile.open(made.sdists[0].path) as archive:
        assert ({(each.mtime, each.uname) for each in archive} == {(at.release.date, "")}) == normal


@pytest.mark.parametrize("keeps", [True, False], ids=["a disk of Linux", "Windows"])
def test_modes_are_those_of_the_commit(
    make_inputs: MakeInputs, monkeypatch: pytest.MonkeyPatch, *, keeps: bool
) -> None:
    """Also on a disk that has no executable files, from which a backend copies what the disk has."""
    at, module = make_inputs(), "src/small_one/__init__.py"
    at.repo.git("update-index", "--chmod=+x", module)
    at.repo.git("commit", "--quiet", "-m", "mode")
    at.repo.git("tag", "--force", "v1.0")
    release = replace(at.release, commit=at.repo.git("rev-parse", "HEAD").strip())
    if not keeps:
        monkeypatch.setattr(building, "keeps_executable_bits", lambda _: False)
        monkeypatch.setattr(building, "set_modes", lambda tree, **_: (tree / module).chmod(0o644))
    made = at.build_stage().make(at.context(tag=release))
    with tarfile.open(made.sdists[0].path) as archive:
        modes = {each.name.partition("/")[2]: each.mode for each in archive if each.isfile()}
    assert {name for name, mode in modes.items() if mode == 0o755} == {module}
    assert len(modes) > 2


def test_no_sdist_no_word(make_inputs: MakeInputs) -> None:
    """Without an sdist, nothing is said about it."""
    at = make_inputs()
    assert replace(at.build_stage(), options=BuildOptions(formats=("wheel",))).make(at.context()).decisions == (
        "formats = wheel",
    )


@pytest.mark.parametrize(
    ("requires", "backend", "differs"),
    [
        ("setuptools>=80", "setuptools.build_meta", True),
        ("hatchling", "hatchling.build", False),
        ("flit_core>=3.4", "flit_core.buildapi", False),
        ("poetry-core>=2", "poetry.core.masonry.api", False),
        ("pdm-backend", "pdm.backend", False),
    ],
)
def test_two_builds_give_the_same_files(
    make_inputs: MakeInputs, tmp_path: Path, requires: str, backend: str, *, differs: bool
) -> None:
    """Another umask, another folder and another time change neither file; with setuptools they would."""
    text = f"[build-system]\nrequires = [{requires!r}]\nbuild-backend = {backend!r}\n"
    text += '[project]\nname = "small-one"\nversion = "1.0"\ndescription = "Small."\n'
    at = make_inputs({"pyproject.toml": text, "src/small_one/__init__.py": "", "run.sh": "exit\n", "é.txt": "x"})
    stage = at.build_stage()

    def build(umask: int, options: BuildOptions) -> list[str]:
        folder = RunFolder(tmp_path / f"run-{umask}-{options.normalize_sdist}")
        before = os.umask(umask)
        try:
            made = replace(stage, folder=folder, options=options).make(at.context())
        finally:
            os.umask(before)
        assert extract(made.sdists[0].path, folder.path / "unpacked").is_dir()
        return [file.sha256 for file in made.files]

    assert build(0o022, BuildOptions()) == build(0o077, BuildOptions())
    if differs:
        raw = BuildOptions(normalize_sdist=False, formats=("sdist",))
        assert build(0o022, raw) != build(0o077, raw)
