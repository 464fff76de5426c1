"""The stage ``commit`` builds the files of a commit that is no release, and takes the version from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.stages.conftest import StageInputs
from tests.support.sample_projects import write_wheel

from unmoor.adapters.git.untagged import UntaggedCheckout, VersionEdit
from unmoor.adapters.pep517 import Pep517
from unmoor.core.stage import Output, StageContext
from unmoor.dists.source_tree import build_environment
from unmoor.errors import Refused
from unmoor.products import Dists, Release
from unmoor.project import read_version
from unmoor.stages.commit import BuildCommit
from unmoor.stages.commit_dists import TakeCommitDists
from unmoor.util.values import replace

MakeInputs = Callable[..., StageInputs]


def stage(at: StageInputs, *, version: str = "", prebuilt: Path | None = None) -> BuildCommit:
    """Return the stage for HEAD, which writes a version into its clone if one is given."""
    written, _ = read_version(
        lambda path: (at.repo.path / path).read_bytes() if (at.repo.path / path).is_file() else None
    )
    places = (written,) if version and written is not None else ()
    return BuildCommit(
        provisional=replace(at.release, tag="", version=""),
        start="v",
        git=UntaggedCheckout(at.repo.path, at.shell, edit=VersionEdit(places=places, version=version)),
        backend=Pep517(shell=at.shell, uv=at.uv),
        folder=at.folder,
        prebuilt=prebuilt,
    )


@pytest.mark.journey
def test_the_version_comes_from_the_files(make_inputs: MakeInputs) -> None:
    """The wheel and the sdist of a tagged commit have the development version, and are built again each time."""
    at = make_inputs()
    assert at.repo.git("tag", "--points-at", "HEAD") == "v1.0"
    one = stage(at, version="1.0.dev0+g1234567")
    release = one.make(at.context())
    assert (release.version, release.tag) == ("1.0.dev0+g1234567", "v1.0.dev0+g1234567")
    assert (release.commit, release.project) == (at.release.commit, "small-one")
    dists = take(at, release)
    assert [file.name for file in dists.files] == [
        "small_one-1.0.dev0+g1234567-py3-none-any.whl",
        "small_one-1.0.dev0+g1234567.tar.gz",
    ]
    assert one.find(at.context()) is None
    assert one.make(at.context()) == release
    assert take(at, release) == dists
    assert at.repo.git("status", "--porcelain") == ""
    with pytest.raises(Refused, match=r"is that of a release: 1\.0"):
        stage(at).make(at.context())


def take(at: StageInputs, release: Release) -> Dists:
    """Run the stage that describes the files."""
    wanted: Output[Release] = Output("commit")
    return TakeCommitDists(release=wanted, folder=at.folder).make(StageContext({wanted.by: release}))


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        (("1.0.dev3",), ""),
        (("1.0+g1234567",), ""),
        (("1.0",), "is that of a release: 1.0"),
        (("1.0rc1",), "is that of a release: 1.0rc1"),
        (("1.0.dev3", "1.0.dev4"), "the files have several versions: 1.0.dev3, 1.0.dev4"),
    ],
)
def test_wheels_of_another_tool(
    make_inputs: MakeInputs, tmp_path: Path, versions: tuple[str, ...], message: str
) -> None:
    """Their version counts if no release can have it and all files agree."""
    at = make_inputs()
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    for version in versions:
        write_wheel(folder / f"small_one-{version}-py3-none-any.whl", "small_one", {"small_one.py": ""}, version)
    one = stage(at, prebuilt=folder)
    if message:
        with pytest.raises(Refused, match=message):
            one.make(at.context())
        return
    assert one.make(at.context()).version == versions[0]
    assert str(folder) in one.plan()


@pytest.mark.parametrize("requires", [(), ("setuptools-scm>=8",), ("hatch-vcs", "pdm-backend", "poetry-core")])
def test_the_backend_determines_the_version(make_inputs: MakeInputs, requires: tuple[str, ...]) -> None:
    """Without a version, no variable replaces the one that the backend derives from tags."""
    release = replace(make_inputs().release, version="")
    assert build_environment(release, requires) == {"SOURCE_DATE_EPOCH": str(release.build_date)}
