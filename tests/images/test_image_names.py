"""Names, tags, targets, labels and the record of images."""

from __future__ import annotations

import pytest

from unmoor.config.images import ImageSettings, TargetSettings
from unmoor.errors import ConfigError
from unmoor.images import image_names
from unmoor.images.image_names import BuildTarget
from unmoor.products import Dists, Release

RELEASE = Release(
    repository="Acme/Demo",
    project="demo",
    tag="v1.0",
    version="1.0",
    commit="0123456789abcdef" * 2 + "01234567",
    date=1_700_000_000,
    prerelease=False,
    highest=True,
)


def test_which_images() -> None:
    """Configured images; else one for the Dockerfile, if there is one; else none."""
    own = ImageSettings(dockerfile="other")
    assert image_names.configured_images((own,), ()) == (own,)
    assert image_names.configured_images((), ("README", "Dockerfile")) == (ImageSettings(),)
    assert image_names.configured_images((), ("docker/Dockerfile",)) == ()


def test_images_of_a_project_in_a_subfolder() -> None:
    """Packages of one repository must not share an image and its tags; a configured name stays."""
    named = ImageSettings(name="ghcr.io/acme/other")
    below = image_names.with_project_names((ImageSettings(), named), "Acme/Demo", "Some.Pkg")
    assert [image_names.names_of(each, "Acme/Demo") for each in below] == [
        ("ghcr.io/acme/demo/some-pkg",),
        ("ghcr.io/acme/other",),
    ]


def test_targets() -> None:
    """Targets are a suffix, a table, or the last stage by default."""
    assert image_names.targets_of(ImageSettings()) == (BuildTarget(stage=""),)
    given = ImageSettings(targets={"a": "-x", "b": TargetSettings(suffix="", floating="prod")})
    assert image_names.targets_of(given) == (
        BuildTarget(stage="a", suffix="-x"),
        BuildTarget(stage="b", floating="prod"),
    )


@pytest.mark.parametrize(
    ("settings", "repository", "names"),
    [
        (ImageSettings(), "Acme/Demo", ("ghcr.io/acme/demo",)),
        (ImageSettings(mirrors=("docker.io/a/b", "docker.io/a/b")), "a/b", ("ghcr.io/a/b", "docker.io/a/b")),
        (ImageSettings(name="localhost:5000/x"), "", ("localhost:5000/x",)),
    ],
)
def test_names(settings: ImageSettings, repository: str, names: tuple[str, ...]) -> None:
    """The name of a repository is lower-cased."""
    assert image_names.names_of(settings, repository) == names


@pytest.mark.parametrize("repository", ["", "acme/.github", "acme/-x"])
def test_repositories_without_a_valid_image_name(repository: str) -> None:
    """A repository whose name is not a valid image name is refused, with a next step."""
    with pytest.raises(ConfigError) as caught:
        image_names.names_of(ImageSettings(), repository)
    assert "give the image a name" in caught.value.next_step


def test_tags() -> None:
    """The commit's tag has 12 digits; a local image is named by name, tag and platform."""
    assert image_names.commit_tag(RELEASE, "-prod") == "sha-0123456789ab-prod"
    local = image_names.local_name("localhost:5000/acme/demo", RELEASE, "-prod", "linux/amd64")
    assert local == "unmoor.local/localhost-5000/acme/demo:sha-0123456789ab-prod-linux-amd64"


def test_labels() -> None:
    """Labels that tie an image to its release cannot be overridden; all others can."""
    own = {image_names.REVISION: "x", image_names.VERSION: "x", "org.opencontainers.image.title": "Mine", "a": "b"}
    labels = image_names.labels_of(
        RELEASE, Dists(files=()), own, site="https://github.com/", base="python:3.11@sha256:" + "0" * 64
    )
    assert {name.removeprefix(image_names.LABELS): value for name, value in labels.items()} == {
        "version": "1.0",
        "revision": RELEASE.commit,
        "created": "2023-11-14T22:13:20Z",
        "source": "https://github.com/Acme/Demo",
        "title": "Mine",
        "base.name": "python:3.11",
        "base.digest": "sha256:" + "0" * 64,
        "a": "b",
    }
    assert not [
        name for name in image_names.labels_of(RELEASE, Dists(files=()), {}, site="x", base="scratch") if "base" in name
    ]
