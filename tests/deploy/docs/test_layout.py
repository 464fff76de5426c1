"""What a deployment changes on a branch of pages."""

from __future__ import annotations

import json

import pytest

from unmoor.deploy.docs.layout import (
    Placement,
    change_back,
    change_for,
    is_placed,
    listed,
    redirect,
    require_alias,
)
from unmoor.deploy.docs.objects import object_id
from unmoor.errors import Conflict, Refused
from unmoor.ports.pages import FILE, TREE, BranchEntry, FormerPages, PagesState

NEW, OLD, OTHER = "a" * 40, "b" * 40, "c" * 40


def state(*, files: dict[str, bytes] | None = None, links: tuple[str, ...] = (), **trees: str) -> PagesState:
    """A branch with these folders, files and links; an underscore stands for a dot."""
    entries = {name.strip("v").replace("_", "."): BranchEntry(mode=TREE, id=tree) for name, tree in trees.items()}
    entries |= {name: BranchEntry(mode=FILE, id=object_id("blob", data)) for name, data in (files or {}).items()}
    entries |= {name: BranchEntry(mode="120000", id=OTHER) for name in links}
    return PagesState(commit="d" * 40, entries=entries)


FIRST = Placement(folder="1.2", tree=NEW, stable=True)


def versions(data: bytes | None) -> dict[str, list[str]]:
    """The list of versions, with the other names of each."""
    assert data is not None
    return {each["version"]: each["aliases"] for each in json.loads(data)}


def test_the_first_version_makes_the_whole_site() -> None:
    """An empty branch gets both folders, the list, a page that leads to the stable one, and no Jekyll."""
    change = change_for(PagesState(), FIRST, None, title="tide 1.2 (v1.2)")

    assert change.folders == {"1.2": NEW, "stable": NEW}
    assert set(change.files) == {"versions.json", ".nojekyll", "index.html"}
    assert change.files["index.html"] == redirect("stable")
    assert versions(change.files["versions.json"]) == {"1.2": ["stable"]}
    assert change.message.endswith(f"Unmoor-Docs: 1.2 {NEW}\n")


def test_a_prerelease_and_a_backport_leave_stable_alone() -> None:
    """Only the highest final version is stable, which the release decides, not the branch."""
    before = state(v1_2=OLD, stable=OLD, files={".nojekyll": b"", "index.html": b"own"})
    change = change_for(before, Placement(folder="1.1.5", tree=NEW), None, title="t")

    assert change.folders == {"1.1.5": NEW}
    assert versions(change.files["versions.json"]) == {"1.2": ["stable"], "1.1.5": []}
    assert set(change.files) == {"versions.json"}  # a page of their own stays


def test_only_a_prerelease() -> None:
    """Without a stable version the first page leads to the highest there is, and later to the stable one."""
    rc = Placement(folder="1.0rc1", tree=NEW)
    assert change_for(PagesState(), rc, None, title="t").files["index.html"] == redirect("1.0rc1")
    before = state(v1_0rc1=OLD, files={"index.html": redirect("1.0rc1")})

    assert change_for(before, FIRST, None, title="t").files["index.html"] == redirect("stable")


def test_versions_keep_what_others_say_of_them() -> None:
    """Titles, properties and other names stay, a version without a folder goes, and the highest comes first."""
    known = [
        {"version": "1.1", "title": "One", "aliases": ["old", "stable"], "properties": {"hidden": True}},
        {"version": "0.9", "title": "gone", "aliases": []},
        {"version": "next", "title": "Next", "aliases": []},
    ]
    trees = {"1.1": OLD, "1.10": NEW, "1.9": OTHER, "stable": NEW, "next": OTHER, "dev": OTHER, "assets": OTHER}
    found = json.loads(listed(trees, json.dumps(known).encode()))

    assert [each["version"] for each in found] == ["1.10", "1.9", "1.1", "dev", "next"]
    assert found[0]["aliases"] == ["stable"]
    assert found[2] == {"version": "1.1", "title": "One", "aliases": ["old"], "properties": {"hidden": True}}


@pytest.mark.parametrize("data", [b"{", b"{}", b'["1.0"]', b"\xff"], ids=["cut", "table", "names", "binary"])
def test_a_list_of_versions_that_is_none(data: bytes) -> None:
    """What others wrote there is not replaced."""
    with pytest.raises(Refused, match=r"versions\.json on the branch is no list of versions"):
        change_for(PagesState(), FIRST, data, title="t")


@pytest.mark.parametrize(
    ("before", "placement", "expected"),
    [
        (state(), FIRST, False),
        (state(v1_2=NEW), FIRST, False),
        (state(v1_2=NEW, stable=OLD), FIRST, False),
        (state(v1_2=NEW, stable=NEW), FIRST, True),
        (state(v1_2=NEW, stable=OLD), Placement(folder="1.2", tree=NEW), True),
        (state(dev=OLD), Placement(folder="dev", tree=NEW, replaces=True), False),
    ],
    ids=["empty", "no-stable", "old-stable", "both", "not-highest", "dev"],
)
def test_what_counts_as_deployed(before: PagesState, placement: Placement, *, expected: bool) -> None:
    """Each folder that belongs to the release has to be its tree."""
    assert is_placed(before, placement) is expected


@pytest.mark.parametrize("mode", [TREE, FILE])
def test_other_pages_of_a_version_are_a_conflict(mode: str) -> None:
    """The folder of a version never gets other pages; the message has both ids."""
    before = PagesState(commit="d" * 40, entries={"1.2": BranchEntry(mode=mode, id=OTHER)})

    with pytest.raises(Conflict, match=f"{OTHER}.*{NEW}"):
        is_placed(before, FIRST)


@pytest.mark.parametrize("name", ["stable", "versions.json", "index.html"])
def test_links_on_the_branch_are_refused(name: str) -> None:
    """What a link leads to is somebody else's, so nothing is written over it."""
    with pytest.raises(Refused, match=f"{name} on the branch is a symbolic link"):
        change_for(state(links=(name,)), FIRST, None, title="t")


def test_taking_back_restores_what_was_there() -> None:
    """The version's folder goes, stable is as before, and the list says so."""
    before = state(v1_1=OLD, stable=OLD)
    now = state(v1_1=OLD, v1_2=NEW, stable=NEW, files={"index.html": redirect("stable")})
    change = change_back(now, FormerPages(folder="1.2", before=before), NEW, None)

    assert change is not None
    assert change.folders == {"1.2": "", "stable": OLD}
    assert versions(change.files["versions.json"]) == {"1.1": ["stable"]}
    assert change.files["index.html"] == redirect("stable")


def test_taking_back_leaves_what_a_later_version_changed() -> None:
    """If stable belongs to a later version by now, only the folder of this one goes."""
    now = state(v1_2=NEW, v1_3=OTHER, stable=OTHER, files={"index.html": b"own"})
    change = change_back(now, FormerPages(folder="1.2", before=PagesState()), NEW, None)

    assert change is not None
    assert change.folders == {"1.2": ""}
    assert "index.html" not in change.files
    assert change_back(state(v1_3=OTHER), FormerPages(folder="1.2", before=PagesState()), NEW, None) is None


def test_taking_back_the_only_version_removes_the_redirect() -> None:
    """A page that leads nowhere would be worse than none."""
    now = state(v1_2=NEW, stable=NEW, files={"index.html": redirect("stable")})
    change = change_back(now, FormerPages(folder="1.2", before=PagesState()), NEW, None)

    assert change is not None
    assert change.files["index.html"] is None


@pytest.mark.parametrize("name", ["stable", "1.2", "Dev", "a/b", "..", "", "-x", "a" * 41])
def test_names_that_pages_of_no_version_cannot_have(name: str) -> None:
    """They could be taken for a version, or lead elsewhere."""
    with pytest.raises(Refused):
        require_alias(name)


def test_dev_is_a_good_name() -> None:
    """The usual one."""
    require_alias("dev")
