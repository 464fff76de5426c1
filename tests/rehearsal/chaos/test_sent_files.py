"""A file on an index before a round is one of the release, another wheel of its name and content, or junk."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.rehearsal.index import made_dists
from tests.support.sample_projects import write_wheel

from unmoor.filesystem.files import sha256_of
from unmoor.rehearsal import local
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.sent_files import send_before, send_junk, take_name
from unmoor.rehearsal.invariants.stores import INDEX, STAGING, read_index

# Neither an extra's package nor one with an address comes first, and a broken line is none.
REQUIRES = "".join(
    f"Requires-Dist: {each}\n"
    for each in (
        "rich; extra == 'colour'",
        "there @ https://example.org/there.whl",
        "~~",
        "Helper.One>=2; python_version>'3'",
    )
)


def build(folder: WorldFolder, name: str) -> Path:
    """Put a built wheel into the run folder."""
    place = folder.run / "dists"
    place.mkdir(parents=True, exist_ok=True)
    (path,) = made_dists.write(place, made_dists.wheel(name, "1.0"))
    return Path(path)


def test_both_in_a_world(tmp_path: Path) -> None:
    """The first is the very file, the second another one with the same members; without files there is neither."""
    world = tmp_path / "world"
    with local.start(world, repository="acme/demo", checkout=None):
        own, other, none, needs = (WorldFolder(world, tag) for tag in ("v1", "v2", "v3", "v4"))
        wheels = build(own, "own"), build(other, "other")
        assert send_before(own)
        assert take_name(other)
        assert not send_before(none)
        assert not take_name(none)
        assert not send_junk(none)
        assert not send_junk(own)
        (needs.run / "dists").mkdir(parents=True)
        write_wheel(needs.run / "dists" / "needs-1.0-py3-none-any.whl", "needs", {"needs.py": ""}, more=REQUIRES)
        assert send_junk(needs)
        assert [(each.name, each.files[0].version) for each in read_index(world / STAGING)] == [
            ("Helper.One", "9999.0")
        ]
        held = {file.name: file for project in read_index(world / INDEX) for file in project.files}
        assert held.keys() == {each.name for each in wheels}
        assert held[wheels[0].name].digests.sha256 == sha256_of(wheels[0])
        assert held[wheels[1].name].digests.sha256 != sha256_of(wheels[1])
        with zipfile.ZipFile(wheels[1]) as mine, zipfile.ZipFile(world / INDEX / held[wheels[1].name].path) as theirs:
            assert {name: mine.read(name) for name in mine.namelist()} == {n: theirs.read(n) for n in theirs.namelist()}
