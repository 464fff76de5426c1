"""The files of a commit are checked, deployed, found again and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.local_hub import APP, README, REPO, TOKENS, LocalHub, run_hub
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.space import SpaceSettings
from unmoor.core.stage import NotUndone, Output, StageContext, Undone
from unmoor.errors import Denied, Refused
from unmoor.ports.shell import Shell
from unmoor.products import Release, SpaceFiles
from unmoor.rehearsal.hub.spaces import Mood
from unmoor.stages.check_space import CheckSpace
from unmoor.stages.space import DeploySpace
from unmoor.util.values import replace

RELEASE: Output[Release] = Output("tag")
FILES: Output[SpaceFiles] = Output("check-space")
SETTINGS = SpaceSettings(repo=REPO, files=("app.py", "README.md", "*.json"), critical=("app.py",))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    """Return a hub."""
    with run_hub(tmp_path / "hub") as running:
        yield running


class Place:
    """A project with a Space, and its stages."""

    def __init__(self, folder: Path, hub: LocalHub, shell: Shell) -> None:
        files = {"app.py": APP.decode(), "README.md": README.decode(), "bad.json": "{", "other.py": "print()\n"}
        self.repo = Repo.new(folder / "project", files)
        self.repo.git("tag", "v1.0")
        git = GitCheckout(self.repo.path, shell, "origin")
        commit = git.head() or ""
        self.hub = hub
        self.warned: list[str] = []
        self.release = Release(
            repository="acme/demo",
            project="demo",
            tag="v1.0",
            version="1.0",
            commit=commit,
            date=0,
            prerelease=False,
            highest=True,
        )
        self.check = CheckSpace(
            release=RELEASE,
            settings=SETTINGS,
            git=git,
            shell=shell,
            hub=hub.space(),
            folder=RunFolder(self.repo.path / ".unmoor" / "v1.0"),
        )
        self.deploy = DeploySpace(release=RELEASE, files=FILES, settings=SETTINGS, hub=hub.space(), clock=hub.clock)

    def checked(self) -> StageContext:
        """Run the check, and return the context for the deployment."""
        context = StageContext({"tag": self.release}, warn=self.warned.append)
        return StageContext({"tag": self.release, "check-space": self.check.make(context)})


@pytest.fixture
def place(tmp_path: Path, hub: LocalHub) -> Iterator[Place]:
    """Return a project with a Space on the hub."""
    with shell_for_tests() as shell:
        yield Place(tmp_path, hub, shell)


def test_deployment_is_found_and_taken_back(place: Place, hub: LocalHub) -> None:
    """Found is what was made; after undo there is nothing to find, and it can be made again."""
    context = place.checked()
    assert place.warned == ["the Space does not get bad.json: it is not valid: Input data was truncated"]
    before = hub.contents()
    assert place.deploy.find(context) is None
    made = place.deploy.make(context)
    assert (made.counts, made.left_out) == ((("files", 2),), ("bad.json: it is not valid: Input data was truncated",))
    assert place.deploy.find(context) == made
    assert isinstance(place.deploy.undo(made), Undone)
    assert hub.contents() == before
    assert place.deploy.find(context) is None
    assert place.deploy.make(context) == made
    assert hub.contents()["app.py"] == APP


def test_few_requests(place: Place, hub: LocalHub) -> None:
    """The deployment asks only what the check, of the same Space, has not read: each answer is a wait for users."""
    place.deploy = replace(place.deploy, hub=place.check.hub)
    context = place.checked()
    asked = len(hub.requests())
    assert place.deploy.find(context) is None
    head = hub.spaces.open("acme/demo").head.id
    place.deploy.make(context)
    made = hub.spaces.open("acme/demo").head.id
    api, commit = "/api/spaces/acme/demo", f"/spaces/acme/demo/resolve/{made}"
    sent = [path for _, path in hub.requests()[asked:] if path != f"{api}/runtime"]  # asked until it runs
    assert sorted(sent) == sorted(
        [
            *(api, f"{api}/refs", f"{api}/tag/{head}"),
            *("/api/validate-yaml", f"{api}/preupload/main", f"{api}/commit/main"),
            *(f"{api}/tree/{made}", f"{commit}/app.py"),
        ]
    )


def test_a_deployment_that_was_killed_is_taken_back(place: Place, hub: LocalHub) -> None:
    """A commit that the Space does not run yet is not deployed, and there to be taken back, unless another follows."""
    context = place.checked()
    before = hub.contents()
    assert place.deploy.find_begun(context) is None
    place.deploy.make(context)
    hub.has(Mood.STUCK)
    assert place.deploy.find(context) is None
    begun = place.deploy.find_begun(context)
    assert begun is not None
    assert isinstance(place.deploy.undo(begun), Undone)
    assert hub.contents() == before
    assert place.deploy.find_begun(context) is None


def test_files_that_were_there_are_not_taken_back(place: Place, hub: LocalHub) -> None:
    """A Space that held the files before was not changed, so there is nothing to undo."""
    hub.somebody_commits({"app.py": APP, "README.md": README})
    context = place.checked()
    made = place.deploy.make(context)
    assert hub.commits()[0] == "Somebody else"
    assert isinstance(place.deploy.undo(made), NotUndone)


def test_lower_version_leaves_the_space(place: Place, hub: LocalHub) -> None:
    """A backport does not replace the demo of the highest version."""
    place.release = replace(place.release, highest=False)
    found = place.deploy.find(place.checked())
    assert found is not None
    assert found.identity == ""
    assert hub.commits() == ["initial commit"]


@pytest.mark.parametrize(
    ("mood", "step"), [(Mood.PAUSED, "restart-space"), (Mood.ABSENT, "create-space")], ids=["paused", "absent"]
)
def test_space_that_cannot_run_stops_early(place: Place, hub: LocalHub, mood: Mood, step: str) -> None:
    """Before anything is published, the hub is asked whether the Space is there and runs what it gets."""
    hub.has(mood)
    with pytest.raises((Refused, Denied)) as caught:
        place.checked()
    assert caught.value.next_step.ids == (step,)
    assert [verb for verb, _ in hub.requests() if verb != "GET"] == []


def test_private_and_sleeping_spaces_are_named(place: Place, hub: LocalHub) -> None:
    """A private Space is deployed with a warning, one that sleeps is woken by the commit."""
    hub.has(Mood.PRIVATE, Mood.SLEEPING)
    place.deploy.make(place.checked())
    assert f"the Space {REPO} is private: only its members see it" in place.warned


def test_token_that_only_reads_stops_early(place: Place, hub: LocalHub) -> None:
    """What would fail after the release is public fails before."""
    place.check = replace(place.check, hub=hub.space(token=TOKENS.read))
    with pytest.raises(Denied, match="may only read"):
        place.checked()


def test_files_in_the_run_folder_have_names_of_ours(place: Place) -> None:
    """The copies are named by their digest, and those of a former run are gone."""
    folder = place.check.folder.path / "space"
    folder.mkdir(parents=True)
    (folder / "old").touch()
    files = place.checked()[FILES].files
    assert sorted(each.name for each in folder.iterdir()) == sorted(each.sha256 for each in files)
