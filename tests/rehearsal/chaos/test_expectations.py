"""What a round must end with: as a release without faults, or refused where something stays that must be refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.rehearsal.chaos.draw import Round
from unmoor.rehearsal.chaos.expectations import expected_of, left_beside, must_refuse, rebuilds, with_surfaces
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.faults.injection import parse
from unmoor.rehearsal.invariants.evidence import End, Expected, ImageExpected, RunEvidence
from unmoor.rehearsal.invariants.final_state import FinalState, PageState
from unmoor.util.values import replace

EXPECTED = Expected(
    repository="acme/small", project="small", tag="v1.0", version="1.0", commit="c" * 40, files={"small.whl": "a" * 64}
)
MANIFEST = {
    "schema": 2,
    "project": "small",
    "version": "1.0",
    "tag": "v1.0",
    "commit": "c" * 40,
    "repository": "acme/small",
    "prerelease": False,
    "artifacts": [{"name": "small.whl", "kind": "wheel", "sha256": "b" * 64, "size": 1}],
}


def round_of(*texts: str, from_nothing: bool = False) -> Round:
    """A round with these injections."""
    return Round(number=1, injections=tuple(map(parse, texts)), from_nothing=from_nothing)


def runs(*starts: int) -> tuple[RunEvidence, ...]:
    """Runs that began at these lengths of the log."""
    return tuple(
        RunEvidence(command=(), exit_code=4, output="", seconds=1.0, deadline=9.0, log_start=start, log_end=start + 10)
        for start in starts
    )


def bare(path: Path) -> Repo:
    """An empty repository that is no checkout."""
    path.mkdir()
    repo = Repo(path)
    repo.git("init", "--quiet", "--bare", "--template=")
    return repo


@pytest.mark.parametrize(
    ("text", "end", "since"),
    [
        ("moved-tag@forge:GET /user#1", End.REFUSED, 100),
        ("tampered-dist@start:run#1", End.REFUSED, 10),
        ("data-left-out@start:project#1", End.REFUSED, 10),
        ("remade-tag@forge:GET /user#1", End.CONVERGED, 0),
        ("down@pypi:POST /legacy/#1x0", End.CONVERGED, 0),
        ("KILL@journal:pypi/made#1", End.CONVERGED, 0),
        ("junk-dependency@start:world#1", End.CONVERGED, 0),
        ("two-tags@start:checkout#1", End.CONVERGED, 0),
        ("platform-missing@start:run#1", End.CONVERGED, 0),
        ("child-missing@start:world#1", End.CONVERGED, 0),
    ],
)
def test_what_stays_must_be_refused(tmp_path: Path, text: str, end: End, since: int) -> None:
    """Faults of servers are gone in the second run; a moved tag is not. A changed file is there before the first."""
    folder = WorldFolder(tmp_path, "v1.0")
    bare(folder.remote)
    met = expected_of(EXPECTED, round_of(text), folder, {text: 1}, runs(10, 100))
    assert (met.end, met.since) == (end, since)
    assert met.named == (("left-out-by-chaos.json",) if "left-out" in text else ())
    assert expected_of(EXPECTED, round_of(text), folder, {}, runs(0)).end is End.CONVERGED
    assert must_refuse({text: 1}) is (end is End.REFUSED)


@pytest.mark.parametrize(
    ("fault", "now", "names_both"),
    [
        ("moved-tag", "other", True),
        ("moved-tag", "tested", False),
        ("moved-tag", "", False),
        ("shallow-clone", "other", False),
    ],
    ids=["moved", "moved back", "deleted", "other fault"],
)
def test_a_moved_tag_is_refused_with_both_commits(tmp_path: Path, fault: str, now: str, *, names_both: bool) -> None:
    """The last run has to name the commit that was tested, and the one that the remote's tag leads to."""
    folder = WorldFolder(tmp_path, "v1.0")
    remote = bare(folder.remote)
    tree = remote.git("hash-object", "-w", "-t", "tree", os.devnull)
    commits = {name: remote.git("commit-tree", "-m", name, tree) for name in ("tested", "other")}
    if now:
        remote.git("tag", "v1.0", commits[now])
    text = f"{fault}@start:checkout#1" if fault == "shallow-clone" else f"{fault}@forge:GET /user#1"
    expected = replace(EXPECTED, commit=commits["tested"])
    found = expected_of(expected, round_of(text), folder, {text: 1}, runs(0, 100))
    assert found.named == (tuple(commits.values()) if names_both else ())


@pytest.mark.parametrize(
    ("moved", "since"), [(1.0, 1), (5.0, 2), (9.0, None)], ids=["before pypi", "before undraft", "after both"]
)
def test_nothing_final_comes_of_a_stage_that_began_after_the_move(
    tmp_path: Path, moved: float, since: int | None
) -> None:
    """A stage that began before may have checked the tag by then; the next one must see that it moved."""
    folder, text = WorldFolder(tmp_path, "v1.0"), "deleted-tag@forge:GET /user#1"
    bare(folder.remote)
    met = {"round": "1", "injection": text, "number": 1, "request": "GET /user", "at": moved, "effect": True}
    (tmp_path / "met.jsonl").write_text(json.dumps(met) + "\n", encoding="utf-8")
    lines = [f'{{"server":"forge","method":"GET","path":"/","status":200,"at":{at}}}\n' for at in (1.0, 4.0, 8.0, 9.5)]
    (tmp_path / "requests.jsonl").write_text("".join(lines), encoding="utf-8")
    journal = [{"at": at, "event": "begins", "stage": stage} for at, stage in ((3.0, "pypi"), (7.0, "undraft"))]
    first, second = runs(0, 500)
    first = replace(first, journal="".join(f"{json.dumps(each)}\n" for each in journal))
    assert expected_of(EXPECTED, round_of(text), folder, {text: 1}, (first, second)).since == (
        500 if since is None else since * len(lines[0])
    )


def test_images_and_assets_are_those_of_a_release_without_faults() -> None:
    """What the first release left is what each round must leave; the tested files stay those of the manifest."""
    files = {"small-1.0.tar.gz": "a" * 64}
    page = PageState(
        draft=False,
        prerelease=False,
        target="c" * 40,
        name="v1.0",
        body="",
        assets=files | {"manifest.json": "e" * 64},
    )
    tags = dict.fromkeys(("v1.0", "1.0", "latest", "sha-ccc"), ("config",))
    baseline = FinalState(
        indexes={"pypi": {"small": files}, "testpypi": {}},
        pages={"v1.0": (page,)},
        images={"ghcr.io/acme/small": tags},
        latest="v1.0",
    )
    found = with_surfaces(replace(EXPECTED, files=files), baseline)
    assert (found.files, found.assets) == (files, ("manifest.json",))
    (image,) = found.images
    assert (image.host, image.name) == ("ghcr.io", "acme/small")
    assert (image.tags, set(image.floating)) == (("v1.0",), {"1.0", "latest"})


def test_a_round_is_held_to_the_files_that_it_proved(tmp_path: Path) -> None:
    """A round from nothing builds its own; one that never got so far is held to what was built once."""
    folder = WorldFolder(tmp_path, "v1.0")
    round_ = round_of("slow@pypi:POST /legacy/#1", from_nothing=True)
    assert rebuilds(round_) == {"dists", "images"} == rebuilds(round_of("files-lost@start:run#1"))
    assert rebuilds(round_of("platform-missing@start:run#1")) == {"images"}
    assert not rebuilds(round_of("slow@pypi:POST /legacy/#1"))
    assert expected_of(EXPECTED, round_, folder, {}, runs(0)).files == {"small.whl": "a" * 64}
    folder.run.mkdir(parents=True)
    (folder.run / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    assert expected_of(EXPECTED, round_, folder, {}, runs(0)).files == {"small.whl": "b" * 64}


def held(tags: dict[str, str], latest: str, file: str) -> FinalState:
    """What a world holds: tags of an image with their configuration, the latest release, and a file of the project."""
    return FinalState(
        indexes={"pypi": {"small": {file: "a" * 64}}, "testpypi": {}},
        pages={},
        latest=latest,
        images={"ghcr.io/acme/small": {tag: (config,) for tag, config in tags.items()}},
    )


@pytest.mark.parametrize(
    ("highest", "latest", "tags"),
    [
        (True, "v1.0", {"0.1": "old", "1.0": "new", "latest": "new", "1": "new"}),
        (False, "v0.1", {"0.1": "old", "1.0": "new", "latest": "old", "1": "new"}),
    ],
    ids=["highest", "not the highest"],
)
def test_what_was_there_before_stays(*, highest: bool, latest: str, tags: dict[str, str]) -> None:
    """A release adds its own, and takes floating tags and the latest release only as the highest version."""
    before = held({"0.1": "old", "latest": "old"}, "v0.1", "small-0.1.tar.gz")
    baseline = held({"1.0": "new", "latest": "new", "1": "new"}, "v1.0", "small-1.0.tar.gz")
    image = ImageExpected(host="ghcr.io", name="acme/small", tags=("1.0",), floating=("latest", "1"))
    found = left_beside(before, baseline, replace(EXPECTED, highest=highest, images=(image,)))
    assert found.latest == latest
    assert found.images == {"ghcr.io/acme/small": {tag: (config,) for tag, config in tags.items()}}
    assert found.indexes["pypi"]["small"].keys() == {"small-0.1.tar.gz", "small-1.0.tar.gz"}
    empty = FinalState(indexes={}, pages={}, latest="", images={})
    assert left_beside(empty, baseline, replace(EXPECTED, highest=highest, images=(image,))) == baseline


def test_a_higher_version_makes_this_one_another_release(tmp_path: Path) -> None:
    """Only if it was really released."""
    text, folder = "higher-version@start:world#1", WorldFolder(tmp_path, "v1.0")
    assert not expected_of(EXPECTED, round_of(text), folder, {text: 1}, runs(0)).highest
    assert expected_of(EXPECTED, round_of(text), folder, {}, runs(0)).highest
