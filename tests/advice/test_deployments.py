"""Every advice about a branch of pages and about a Space leads to a deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.advice_walks import Place, Walk, keep, walk
from tests.support.local_hub import APP, README, TOKENS, LocalHub, deployer, files_in, run_hub
from tests.support.sample_values import sample_release
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.pages import GitPages
from unmoor.adapters.process.shell import LocalShell
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.space import SpaceSettings
from unmoor.core.stage import Output, StageContext
from unmoor.deploy.docs.archive import pack
from unmoor.deploy.docs.branch import BranchDeployment
from unmoor.deploy.docs.layout import Placement
from unmoor.products import Release
from unmoor.rehearsal.hub.spaces import Mood
from unmoor.stages.check_space import CheckSpace
from unmoor.util.values import replace

SPACE = {"app.py": APP.decode(), "README.md": README.decode()}
# In parts, so that no scanner takes this file for one with a secret.
TOKEN = "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A hub for all walks; each has a Space of its own."""
    with run_hub(tmp_path_factory.mktemp("hub") / "hub") as hub:
        yield hub


def branch(files: dict[str, str], *, link: str = "") -> Callable[..., None]:
    """Give the branch of pages these files and perhaps a link, and nothing else."""

    def put(place: Place, *_: str) -> None:
        if "repo" not in place.kept:
            place.new_repo({"README": "hello\n"}, remote=True)
        repo = place.repo
        repo.git("switch", "--quiet", "--orphan", f"pages-{len(place.kept)}")
        place.kept[f"branch-{len(place.kept)}"] = True
        if link:
            (repo.path / link).symlink_to("elsewhere")
        repo.commit(files)
        repo.git("push", "--quiet", "--force", "origin", "HEAD:gh-pages")

    return put


def check_branch(place: Place) -> None:
    """Check the branch, as a release does before anything is sent."""
    page, archive = place.folder / "page", place.folder / "tide-1.0-docs.tar.gz"
    page.write_text("one", "utf-8")
    pack({"index.html": page}, archive, 1_700_000_000)
    pages = BranchDeployment(pages=GitPages(checkout=place.git, remote="origin", branch="gh-pages"))
    pages.check(archive, Placement(folder="1.0", tree="", stable=True), title="1.0", pushes=True)


def project(**changed: str) -> Callable[..., None]:
    """Write the files of a Space and commit them; the first time in a new repository."""
    files = SPACE | {name.replace("_dot_", "."): text for name, text in changed.items()}

    def write(place: Place, *_: str) -> None:
        if "repo" in place.kept:
            place.repo.commit(files)
        else:
            place.new_repo(files)

    return write


def check_space(place: Place) -> None:
    """Check the Space, as a release does before anything is sent."""
    if "repo" not in place.kept:
        project()(place)
    hub: LocalHub = place.kept["hub"]
    settings = SpaceSettings(repo=place.kept["space"], files=("*",), critical=("app.py", "README.md"))
    release: Output[Release] = Output("tag")
    stage = CheckSpace(
        release=release,
        settings=settings,
        git=place.git,
        shell=place.shell,
        hub=hub.space(settings.repo, token=place.kept.get("token", TOKENS.write)),
        folder=RunFolder(place.folder / "run"),
    )
    stage.make(StageContext({"tag": replace(sample_release(), commit=place.git.head() or "")}))


def deploy_space(place: Place) -> None:
    """Deploy to the Space, while somebody else commits to it if the walk says so."""
    hub: LocalHub = place.kept["hub"]
    space = hub.space(place.kept["space"])
    files = files_in(place.folder / "files", {name: text.encode() for name, text in SPACE.items()})
    deployment = deployer(hub, files, space=space)
    before = deployment.look()
    if place.kept.pop("race", False):
        hub.somebody_commits({"other.txt": b"other\n"}, space.repo)
    deployment.deploy(lambda _: None, before)


def mood(*moods: Mood) -> Callable[..., None]:
    """Let the hub be in these moods from now on."""
    return lambda place, *_: place.kept["hub"].has(*moods)


LIST = '[{"version": "0.9", "title": "0.9", "aliases": []}]'
WALKS = {
    "correct-versions-file": Walk(
        begin=branch({"versions.json": "{"}), act=check_branch, follow=branch({"versions.json": LIST})
    ),
    "correct-versions-file deleted": Walk(
        begin=branch({"versions.json": "{"}), act=check_branch, follow=branch({"CNAME": "docs.example.org"})
    ),
    "replace-link-on-branch": Walk(
        begin=branch({}, link="stable"), act=check_branch, follow=branch({"index.html": ""})
    ),
    "remove-other-docs": Walk(
        begin=branch({"1.0/index.html": "other"}), act=check_branch, follow=branch({"index.html": ""})
    ),
    "correct-space-files": Walk(begin=project(app_dot_py="print("), act=check_space, follow=project()),
    "correct-space-files sdk": Walk(begin=project(README_dot_md="# Demo\n"), act=check_space, follow=project()),
    "remove-space-secret": Walk(begin=project(app_dot_py=f"KEY = {TOKEN!r}\n"), act=check_space, follow=project()),
    "set-space-token": Walk(begin=keep(token=""), act=check_space, follow=keep(token=TOKENS.write)),
    "set-space-token reads": Walk(begin=keep(token=TOKENS.read), act=check_space, follow=keep(token=TOKENS.write)),
    "restart-space": Walk(begin=mood(Mood.PAUSED), act=check_space, follow=mood()),
    "correct-space": Walk(begin=mood(Mood.BUILD_ERROR), act=deploy_space, follow=mood()),
    "allow-space-more-time": Walk(begin=mood(Mood.STUCK), act=deploy_space, follow=mood()),
    "see-space-commits": Walk(begin=keep(race=True), act=deploy_space, follow=keep()),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, running: LocalHub, shell: LocalShell) -> None:
    """What the advice asks for lets the check pass, or the deployment go through."""
    running.has()
    space = f"acme/{list(WALKS).index(name)}"
    walk(name, WALKS, Place(folder=tmp_path, shell=shell, kept={"hub": running, "space": space}))
