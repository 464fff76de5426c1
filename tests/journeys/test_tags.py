"""Releases of tags with a prefix, and with settings from a file, through the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.support.local_release import LocalRelease, small_repo, start_release

pytestmark = pytest.mark.journey


def test_a_tag_with_a_slash_and_settings_from_a_file(tmp_path: Path) -> None:
    """The tag's slash works on every surface; the manifest names the settings file."""
    repo = small_repo(tmp_path / "small")
    repo.git("tag", "-d", "v1.0")
    repo.git("tag", "pkg/v1.0")
    repo.git("tag", "v9.0")
    repo.git("tag", "-f", "other-3.0")
    config = tmp_path / "emergency.toml"
    config.write_text('repository = "acme/small"\ntag-prefix = "pkg/v"\ntestpypi = "off"\n')
    with start_release(tmp_path, repo) as place:
        world = ("--world", str(place.world_file))
        refused = place.unmoor("release", *world, "pkg/v1.0")
        assert refused.returncode == 4
        assert "set tag-prefix" in refused.stderr
        done = place.unmoor("release", *world, "--config", str(config), "pkg/v1.0")
        assert done.returncode == 0, done.stderr
        assert "using the settings in emergency.toml sha256:" in done.stderr
        folder = place.repo.path / ".unmoor" / "pkg%2Fv1.0"
        manifest = json.loads((folder / "manifest.json").read_text())
        digest = hashlib.sha256(config.read_bytes()).hexdigest()
        assert (manifest["tag"], manifest["settings"]) == ("pkg/v1.0", f"emergency.toml sha256:{digest}")
        assert {index for index, _ in place.stored()} == {"pypi"}
        again = place.unmoor("release", *world, "--config", str(config), "pkg/v1.0")
        assert again.returncode == 0, again.stderr
        assert len(place.stored()) == 2
        elsewhere = LocalRelease(repo=small_repo(tmp_path / "elsewhere" / "small"), world=place.world)
        elsewhere.repo.git("tag", "pkg/v1.0")
        seen = elsewhere.unmoor(
            "status", *world, "pkg/v1.0", env={"UNMOOR_TAG_PREFIX": "pkg/", "UNMOOR_TESTPYPI": "off"}
        )
        assert seen.returncode == 0, seen.stderr
        given = elsewhere.unmoor("status", *world, "--config", str(config), "pkg/v1.0")
        assert given.returncode == 0, given.stderr
        assert (given.stdout, "testpypi" in given.stdout) == (seen.stdout, False)
        refused = elsewhere.unmoor("undo", *world, "pkg/v1.0")
        assert refused.returncode == 4
        taken = elsewhere.unmoor("undo", *world, "--config", str(config), "pkg/v1.0")
        assert taken.returncode == 0, taken.stderr
        assert "pypi: stays." in taken.stdout
        assert "testpypi" not in taken.stdout


def test_a_rehearsal_continues_from_the_projects_own_tags(tmp_path: Path) -> None:
    """A prefix that is the project's name is detected, and the next tag has it."""
    repo = small_repo(tmp_path / "small")
    repo.git("tag", "-d", "v1.0")
    repo.git("tag", "small-one-0.9")
    repo.git("tag", "unrelated-4.0")
    place = LocalRelease(repo=repo, world=tmp_path / "world")
    done = place.unmoor("rehearse", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tag"] == "small-one-1.0"


def test_undo_finds_a_release_whose_tag_moved(tmp_path: Path) -> None:
    """After a tag moved, undo finds everything of the release, and status gives both commits."""
    with start_release(tmp_path) as place:
        assert place.release().returncode == 0
        before = place.repo.git("rev-parse", "v1.0")
        place.repo.git("commit", "--allow-empty", "-m", "after")
        place.repo.git("tag", "-f", "v1.0")
        place.repo.git("push", "--force", str(tmp_path / "world" / "remote.git"), "v1.0")
        undone = place.unmoor("undo", "--world", str(place.world_file), "v1.0")
        seen = place.status("--json")
    assert undone.returncode == 0, undone.stderr
    assert {line.partition(":")[0] for line in undone.stdout.splitlines()} == {"undraft", "pypi", "testpypi"}
    assert f"but this release is of commit {before}" in undone.stderr
    assert (seen.returncode, json.loads(seen.stdout)["state"]) == (9, "conflicting")
    assert before in seen.stdout
    assert place.repo.git("rev-parse", "v1.0") in seen.stdout
