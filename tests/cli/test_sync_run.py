"""``unmoor sync space`` deploys HEAD to the Space, only if a file of it has changed, and continues after a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.support.local_release import LocalRelease, small_repo

from unmoor.rehearsal import local
from unmoor.rehearsal.hub.spaces import Mood, Spaces

SPACE = '\n[tool.unmoor.space]\nrepo = "acme/demo"\nfiles = ["app.py", "README.md"]\ncritical = ["app.py"]\n'
README = "---\nsdk: gradio\n---\n# Demo\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRelease]:
    """Return a project with a Space, and a world with a hub."""
    folder = tmp_path_factory.mktemp("sync")
    repo = small_repo(folder / "small", **{"app.py": "import small_one\n", "README.md": README})
    settings = repo.path / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8") + SPACE, "utf-8")
    repo.git("commit", "-aqm", "A Space")
    with local.start(folder / "world", repository="acme/small", checkout=repo.path, deployments=("hub",)):
        yield LocalRelease(repo=repo, world=folder / "world")


def edit(place: LocalRelease, text: str, name: str = "app.py") -> None:
    """Commit another text of a file."""
    (place.repo.path / name).write_text(text, "utf-8")
    place.repo.git("commit", "-aqm", "Change it")


@pytest.mark.journey
def test_each_push_is_deployed(place: LocalRelease) -> None:
    """A change of a file is one commit there, another change none; what does not build is rolled back."""
    world = ("--world", str(place.world_file))
    hub = place.world / "hub"
    first = place.unmoor("sync", "space", *world, "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["deployments"][0]["counts"] == {"files": 2}
    head = place.repo.git("rev-parse", "HEAD")
    edit(place, "# Changes\n\n## 1.0\n\n- It floats well.\n", "CHANGELOG.md")
    other = place.unmoor("sync", "space", *world, "--changed-since", "HEAD~1")
    assert (other.returncode, other.stdout) == (0, "nothing to sync: 0 files of the Space changed since HEAD~1\n")
    edit(place, "import small_one\n\nsmall_one.main()\n")
    (hub / Mood.BUILD_ERROR).touch()
    broken = place.unmoor("sync", "space", *world, "--changed-since", head)
    assert broken.returncode == 6
    assert "then:  unmoor sync space" in broken.stderr
    assert "ERROR: No matching distribution" in broken.stderr
    (hub / Mood.BUILD_ERROR).unlink()
    again = place.unmoor("sync", "space", *world, "--changed-since", head)
    assert again.returncode == 0, again.stderr
    space = Spaces(hub).open("acme/demo")
    assert [each.title.partition(" at ")[0] for each in space.commits] == [
        *("Sync small-one", "Roll back: Sync small-one", "Sync small-one", "Sync small-one", "initial commit"),
    ]


@pytest.mark.journey
@pytest.mark.parametrize("since", ["nowhere", "--all", "HEAD:app.py"])
def test_unknown_revision(place: LocalRelease, since: str) -> None:
    """A revision that this checkout does not have is no reason to deploy nothing."""
    ran = place.unmoor("sync", "space", "--world", str(place.world_file), f"--changed-since={since}")
    assert ran.returncode == 4
    assert "this checkout has no commit" in ran.stderr
