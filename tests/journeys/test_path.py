"""Two packages in one repository, each released on its own, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support import forked
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease, start_release
from tests.support.two_packages import repo_of_two_packages

pytestmark = pytest.mark.journey

ALPHA = ["alpha-1.0-py3-none-any.whl", "alpha-1.0.tar.gz"]
BETA = ["beta-2.0-py3-none-any.whl", "beta-2.0.tar.gz"]
SETTING = {"unmoor.toml": 'path = "packages/alpha"\n'}


def unmoor(repo: Repo, *args: str, folder: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder of a repository."""
    return forked.run(args, cwd=repo.path / folder, env=os.environ, timeout=110)


def manifest_of(place: LocalRelease, tag: str) -> dict[str, Any]:
    """The manifest in a run folder."""
    found: dict[str, Any] = json.loads((place.repo.path / ".unmoor" / tag / "manifest.json").read_text())
    return found


@pytest.mark.parametrize(
    ("more", "args", "folder", "tag", "files"),
    [
        pytest.param(SETTING, (), "", "alpha-v1.0", ALPHA, id="from the top, by the setting"),
        pytest.param({}, ("--path", "packages/beta"), "", "beta-v2.0", BETA, id="from the top, by the option"),
        pytest.param(SETTING, (), "packages/beta/src", "beta-v2.0", BETA, id="from the folder"),
        pytest.param({}, ("alpha-v1.0",), "", "alpha-v1.0", ALPHA, id="by the tag"),
    ],
)
def test_one_of_two_is_rehearsed(
    *, tmp_path: Path, more: dict[str, str], args: tuple[str, ...], folder: str, tag: str, files: list[str]
) -> None:
    """The package has its own version, changelog and tests, whichever way it is named."""
    repo = repo_of_two_packages(tmp_path / "both", more)
    done = unmoor(repo, "rehearse", "--json", *args, folder=folder)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    name = tag.partition("-")[0]
    assert (document["tag"], document["project"], document["path"]) == (tag, name, f"packages/{name}")
    assert [each["name"] for each in document["files"]] == files
    clone = repo.path / ".unmoor" / "rehearsal" / "checkout"
    manifest = json.loads((clone / ".unmoor" / tag / "manifest.json").read_text())
    results = [result for proof in manifest["proofs"] for result in proof["results"]]
    assert [result["verdict"] for result in results if result["name"].endswith("whl: tests")] == ["passed"]
    notes = unmoor(repo, "notes", *args, folder=folder)
    assert notes.stdout == f"- {name.capitalize()} floats.\n"


def test_the_one_leaves_the_other_alone(tmp_path: Path) -> None:
    """Both are released from one commit; a candidate of one then leaves the other unchanged."""
    repo = repo_of_two_packages(tmp_path / "both")
    with start_release(tmp_path, repo) as place:
        world = ("--world", str(place.world_file))
        for tag in ("alpha-v1.0", "beta-v2.0"):
            done = place.unmoor("release", *world, tag)
            assert done.returncode == 0, done.stderr
        assert {name for _, name in place.stored()} == {*ALPHA, *BETA}
        repo.commit({"packages/alpha/CHANGELOG.md": "# Changes\n"}, "Tidy alpha")
        repo.commit({"packages/beta/src/beta/__init__.py": "X = 1\n"}, "Let beta count")
        repo.git("tag", "beta-v2.1rc1")
        repo.git("push", "--quiet", str(place.world / "remote.git"), "beta-v2.1rc1")
        planned = json.loads(place.unmoor("plan", "--json", *world, "beta-v2.1rc1").stdout)
        assert (planned["path"], planned["version"], planned["latest"]) == ("packages/beta", "2.1rc1", False)
        done = place.unmoor("release", *world, "--path", "packages/beta", "beta-v2.1rc1")
        assert done.returncode == 0, done.stderr
        page = place.unmoor("notes", "beta-v2.1rc1").stdout
        assert page == "- Let beta count\n"
        assert manifest_of(place, "beta-v2.1rc1")["path"] == "packages/beta"
        sent = len(place.stored())
        for tag in ("alpha-v1.0", "beta-v2.0", "beta-v2.1rc1"):
            again = place.unmoor("release", "--json", *world, tag)
            assert again.returncode == 0, again.stderr
            states = {stage["name"]: stage["state"] for stage in json.loads(again.stdout)["stages"]}
            assert {states[name] for name in ("dists", "prove-dists", "draft", "pypi", "undraft")} == {"found"}
            assert place.unmoor("status", *world, tag).returncode == 0
        assert len(place.stored()) == sent
        undone = place.unmoor("undo", *world, "alpha-v1.0").stdout
        assert "alpha-v1.0" in undone
        assert "beta" not in undone
        refused = place.unmoor("release", *world, "--path", "packages/alpha", "beta-v2.0")
        assert refused.returncode == 4
        assert "beta-v2.0" in refused.stderr
        assert "--path DIR" in refused.stderr


def test_a_tag_with_equal_signs_and_a_change_elsewhere(tmp_path: Path) -> None:
    """`name==1.2` works on every surface; without a tag, any changed tracked file stops the release."""
    repo = repo_of_two_packages(tmp_path / "both")
    repo.git("tag", "-d", "alpha-v1.0")
    repo.git("tag", "alpha==1.0")
    with start_release(tmp_path, repo) as place:
        world = ("--world", str(place.world_file))
        repo.write({"packages/beta/src/beta/__init__.py": "X = 2\n"})
        refused = place.unmoor("release", *world, "--path", "packages/alpha")
        assert refused.returncode == 4
        assert "packages/beta/src/beta/__init__.py" in refused.stderr
        done = place.unmoor("release", *world, "alpha==1.0")
        assert done.returncode == 0, done.stderr
        assert manifest_of(place, "alpha==1.0")["version"] == "1.0"
        assert place.unmoor("status", *world, "alpha==1.0").returncode == 0
