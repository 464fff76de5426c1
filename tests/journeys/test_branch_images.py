"""``unmoor images`` through the command line, with a real engine and a real registry; skopeo reads the digests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from tests.journeys.test_images import DOCKERFILE, digest, skopeo, start_image_release
from tests.support import sample_projects
from tests.support.engines import TestEngine, engine, tiny_image  # noqa: F401 - fixtures
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

IMAGES = '\n[[tool.unmoor.image]]\ntargets = { production = "-prod", development = "" }\n'
NAME = "ghcr.io/acme/small"


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> Iterator[LocalRelease]:
    """A project whose version 1.0 is released, with one more commit on its branch, and a world with a registry."""
    del engine
    folder = tmp_path_factory.mktemp("branch")
    repo = Repo.new(
        folder / "repo",
        sample_projects.files("small-one", "1.0", more=IMAGES) | {"Dockerfile": DOCKERFILE.format(base=tiny_image)},
    )
    repo.git("tag", "v1.0")
    repo.commit({"more.txt": "more\n"}, date=1_700_000_100)
    with start_image_release(folder, repo) as running:
        yield running


def images(
    place: LocalRelease,
    with_engine: TestEngine,
    *args: str,
    event: str = "push",
    ref: str = "refs/heads/main",
    commit: str = "",
) -> tuple[subprocess.CompletedProcess[str], dict[str, str], str]:
    """Run the command as GitHub Actions does. Return the outputs of the step and the summary, too."""
    folder = place.world.parent / "step"
    folder.mkdir(exist_ok=True)
    payload = {"repository": {"default_branch": "main"}, "number": 7}
    (folder / "event.json").write_text(json.dumps(payload))
    for name in ("output", "summary"):
        (folder / name).write_text("")
    ran = place.unmoor(
        *("images", "--world", str(place.world_file), *args),
        env={
            **with_engine.environ,
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REF": ref,
            "GITHUB_SHA": commit or place.repo.git("rev-parse", "HEAD"),
            "GITHUB_REPOSITORY": "acme/small",
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        },
    )
    lines = (folder / "output").read_text().splitlines()
    return ran, dict(line.split("=", 1) for line in lines), (folder / "summary").read_text()


def test_a_branch(place: LocalRelease, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """The images of a branch have a development version and only its tags; a second run finds every digest."""
    commit = place.repo.git("rev-parse", "HEAD")
    ran, outputs, summary = images(place, engine, "--push")
    assert ran.returncode == 0, ran.stderr
    version = f"1.0+g{commit[:7]}"
    assert (outputs["version"], outputs["commit"], outputs["pushed"]) == (version, commit, "true")
    for target, suffix in (("production", "-prod"), ("development", "")):
        tags = (f"main-{commit[:7]}{suffix}", f"main{suffix}")
        assert outputs[f"tags-{target}"] == " ".join(f"{NAME}:{tag}" for tag in tags)
        there = {digest(place, tag) for tag in tags}
        assert there == {outputs[f"digest-{target}"]}
        assert outputs[f"digest-{target}"] in summary
        labels = json.loads(skopeo(place, tags[0]))["Labels"]
        assert labels["org.opencontainers.image.version"] == version
        assert labels["org.opencontainers.image.revision"] == commit
    assert not any(digest(place, tag) for tag in ("latest", "1.0", "v1.0", "1", f"sha-{commit[:7]}"))
    assert f"without {NAME}:sha-{commit[:7]}: it belongs to a release" in ran.stderr

    again, same, _ = images(place, engine, "--push", "--json")
    assert again.returncode == 0, again.stderr
    document = json.loads(again.stdout)
    assert same == outputs
    assert {each["digest"] for each in document["images"]} == {
        outputs["digest-production"],
        outputs["digest-development"],
    }
    assert [each["state"] for each in document["run"]["stages"] if each["name"] == "branch-images"] == ["found"]


def test_a_pull_request(place: LocalRelease, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """The images of a pull request are built and tested, but nothing pushes them."""
    for event in ("pull_request", "pull_request_target"):
        ran, outputs, _ = images(place, engine, "--push", event=event, ref="refs/pull/7/merge")
        assert ran.returncode == 4
        assert "the images of a pull request are never pushed" in ran.stderr
        assert outputs == {}
    ran, outputs, summary = images(place, engine, event="pull_request", ref="refs/pull/7/merge")
    assert ran.returncode == 0, ran.stderr
    assert outputs["pushed"] == "false"
    assert outputs["tags-development"] == f"{NAME}:pr-7"
    assert not any(name.startswith("digest") for name in outputs)
    assert "not pushed" in summary
    assert digest(place, "pr-7") == ""
