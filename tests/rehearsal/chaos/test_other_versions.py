"""Other versions are really released: everything that a world holds of them is as after a release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.rehearsal.conftest import PLAIN
from tests.support.git_repos import Repo

from unmoor.rehearsal import local
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.other_versions import higher_than, release_broken, release_higher, tag_of
from unmoor.rehearsal.invariants.evidence import Expected, ImageExpected
from unmoor.rehearsal.invariants.final_state import FinalState
from unmoor.rehearsal.invariants.git_objects import commit_of
from unmoor.rehearsal.invariants.stores import read_images
from unmoor.rehearsal.registry import process
from unmoor.rehearsal.registry.registries import MISSING
from unmoor.util.values import replace

HOSTS = ("ghcr.io", PLAIN)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WorldFolder, Expected]]:
    """A world with registries, and the release that a round is about, of which nothing is there yet."""
    if process.find_program() is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("versions")
    repo = Repo.new(folder / "checkout")
    repo.git("tag", "v1.2")
    world = WorldFolder(folder, "v1.2")
    expected = Expected(
        repository="acme/demo",
        project="demo",
        tag="v1.2",
        version="1.2",
        commit=repo.git("rev-parse", "HEAD"),
        files={},
        images=tuple(
            ImageExpected(
                host=host,
                name="acme/demo",
                tags=("1.2", "1.2-dev"),
                floating=("1", "latest", "latest-dev"),
            )
            for host in HOSTS
        ),
    )
    with local.start(folder, repository="acme/demo", checkout=repo.path, registry=True, hosts=HOSTS):
        yield world, expected


@pytest.mark.parametrize(
    ("version", "higher"),
    [("1", "1.0.1000"), ("1.2", "1.2.1000"), ("2.0.1rc1", "2.0.1001"), ("2026.11.30.4", "2026.11.1030")],
)
def test_a_higher_version_has_the_same_floating_tags(version: str, higher: str) -> None:
    """Only the third number differs."""
    assert higher_than(version) == higher


@pytest.mark.parametrize(
    ("tag", "version", "other"),
    [
        ("v1.0", "1.0", "v1.0.7"),
        ("1.0", "1.0", "1.0.7"),
        ("v1.0-rc.1", "1.0rc1", "v1.0.7"),
        ("h11-v11.0", "11.0", "h11-v1.0.7"),
        ("odd", "1.0", "odd1.0.7"),
    ],
)
def test_the_tag_is_written_alike(tag: str, version: str, other: str) -> None:
    """What is before the version stays."""
    assert tag_of(tag, version, "1.0.7") == other


def test_both_in_a_world(released: tuple[WorldFolder, Expected]) -> None:
    """The broken one is there first, and the higher one takes its floating tags and is the latest release."""
    folder, expected = released
    assert not release_broken(folder, replace(expected, version="0.0.1"))
    assert not release_broken(folder, replace(expected, images=()))
    assert release_broken(folder, expected)
    broken = FinalState.of(folder.path)
    for host in HOSTS:
        tags = broken.images[f"{host}/acme/demo"]
        assert tags.keys() == {"0.0.1", "0.0.1-dev", "latest", "latest-dev"}
        assert len(set(tags.values())) == 1
    for image in read_images(folder.path):
        gone = {f"sha256:{path.name}" for path in image.folder.rglob("revisions/sha256/*") if not any(path.iterdir())}
        assert len(gone) == 1
    assert release_higher(folder, expected)
    state = FinalState.of(folder.path)
    assert state.latest == "v1.2.1000"
    assert state.indexes["pypi"] == {"demo": state.indexes["pypi"]["demo"]}
    assert [*state.indexes["pypi"]["demo"]] == ["demo-1.2.1000-py3-none-any.whl"]
    (page,) = state.pages["v1.2.1000"]
    assert not page.draft
    assert page.target == commit_of(folder.remote, "refs/tags/v1.2.1000") != expected.commit
    for host in HOSTS:
        tags = state.images[f"{host}/acme/demo"]
        higher = {tag for tag, configs in tags.items() if configs == tags["1.2.1000"]}
        assert higher == {"1.2.1000", "1.2.1000-dev", "1", "latest", "latest-dev"}
