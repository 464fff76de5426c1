"""The stage ``images`` builds from the commit and the built wheels; later runs find the images by digest."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest
from tests.stages.conftest import RELEASE, StageInputs
from tests.support import sample_projects
from tests.support.engines import TestEngine, engine, runnable_image  # noqa: F401 - fixtures

from unmoor.adapters.engine import DockerEngine
from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings, TargetSettings
from unmoor.core.stage import Output
from unmoor.errors import BuildFailed, ConfigError, Conflict, Refused, ToolMissing, UnmoorError
from unmoor.images import image_names, image_record, oci_documents
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import Dists, Image, Images, Subject
from unmoor.stages.images import BuildImages
from unmoor.util.secret import Secret
from unmoor.util.values import replace

DISTS: Output[Dists] = Output("dists")
NAME = "ghcr.io/acme/demo"
SIMPLE = "FROM scratch AS base\nARG WHEEL\nARG VERSION\nCOPY dist/${WHEEL} /\nFROM base AS final\nCOPY own.py /\n"

MakeInputs = Callable[..., StageInputs]


def stage(at: StageInputs, *settings: ImageSettings, at_engine: TestEngine | None = None, **more: Any) -> BuildImages:
    """The stage over these inputs; without an engine, no engine answers."""
    host = at_engine.environ if at_engine is not None else {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    return BuildImages(
        name="images",
        release=RELEASE,
        dists=DISTS,
        git=at.git,
        engine=DockerEngine(shell=at.shell, processes=at.shell.processes, environ={**os.environ, **host}),
        folder=at.folder,
        settings=settings or (ImageSettings(),),
        repository=at.release.repository,
        **more,
    )


def local(at: StageInputs, suffix: str = "") -> str:
    """The name of an image in the engine."""
    return image_names.local_name(NAME, at.release, suffix, "linux/amd64")


def with_dockerfile(text: str = SIMPLE, others: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """A small project with a Dockerfile."""
    return {**sample_projects.files(), "Dockerfile": text, **others}


@pytest.mark.journey
def test_make_then_find(make_inputs: MakeInputs, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """Every target has the commit's labels; built images are found, equal, until the engine loses them."""
    at = make_inputs(with_dockerfile())
    settings = ImageSettings(targets={"final": "", "base": TargetSettings(suffix="-base")}, labels={"a": "b"})
    building = stage(at, settings, at_engine=engine)
    context = at.context(dists=at.dists())
    before = at.repo.state()
    assert "final, base" in building.plan()
    assert building.find(context) is None
    assert at.repo.state() == before
    made = building.make(context)
    assert [(image.name, image.target, image.platform) for image in made.images] == [
        (NAME, "final", "linux/amd64"),
        (NAME, "base", "linux/amd64"),
    ]
    docker = building.engine
    facts = docker.inspect(local(at, "-base"))
    assert facts.id == made.images[1].id
    assert facts.labels == {
        "a": "b",
        "org.opencontainers.image.version": "1.0",
        "org.opencontainers.image.revision": at.release.commit,
        "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
        "org.opencontainers.image.source": "https://github.com/acme/demo",
        "org.opencontainers.image.title": "small-one",
    }
    contents = docker.contents([image.id for image in made.images])
    assert [member.path for member in contents[made.images[0].id]] == ["small_one-1.0-py3-none-any.whl", "own.py"]
    assert building.find(context) == made
    start = time.monotonic()
    assert building.make(context) == made
    assert time.monotonic() - start < 2
    docker.remove([local(at)])
    assert building.find(context) is None
    docker.remove([local(at, "-base")])


@pytest.mark.journey
def test_another_image_under_the_name_is_a_conflict(
    make_inputs: MakeInputs,
    engine: TestEngine,  # noqa: F811
    runnable_image: str,  # noqa: F811
) -> None:
    """An unrecorded image of the same name is neither used nor replaced; the error has both ids."""
    at = make_inputs(with_dockerfile())
    building = stage(at, at_engine=engine)
    context = at.context(dists=at.dists())
    made = building.make(context)
    engine.docker("tag", runnable_image, local(at))
    with pytest.raises(Conflict) as caught:
        building.find(context)
    assert made.images[0].id in str(caught.value)
    building.engine.remove([local(at)])


@pytest.mark.journey
def test_other_wheels_or_another_commit_are_built_again(make_inputs: MakeInputs, engine: TestEngine) -> None:  # noqa: F811
    """The record of another commit or other wheels is ignored."""
    at = make_inputs(with_dockerfile())
    building = stage(at, at_engine=engine)
    dists = at.dists()
    building.make(at.context(dists=dists))
    other = Dists(files=(replace(dists.files[0], sha256="0" * 64), dists.files[1]))
    assert building.find(at.context(dists=other)) is None
    name = local(at)
    at.release = replace(at.release, commit="1" * 40)
    assert building.find(at.context(dists=dists)) is None
    building.engine.remove([name])


@pytest.mark.journey
def test_a_build_holds_its_own_files(make_inputs: MakeInputs, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """A build contains its own files, not those of an earlier one with the same names, sizes and times."""
    own = uuid.uuid4().hex
    at = make_inputs(with_dockerfile())
    for text in (f"one {own}", f"two {own}"):
        files = {"Dockerfile": f"FROM scratch\nCOPY text /\nLABEL said='{text}'\n", "text": text}
        at.release = replace(at.release, commit=at.repo.commit(files))
        at.repo.git("tag", "--force", at.release.tag)
        building = stage(at, at_engine=engine)
        (made,) = building.make(at.context(dists=at.dists())).images
        facts = building.engine.inspect(made.id)
        archive = at.folder.path / "image.tar"
        building.engine.save([local(at)], archive)
        building.engine.remove([local(at)])
        assert facts.labels["said"] == text
        assert text.encode() in archive.read_bytes()


@pytest.mark.journey
def test_what_a_build_is_given(make_inputs: MakeInputs, engine: TestEngine, runnable_image: str) -> None:  # noqa: F811
    """A build gets version, wheel, commit time and configured arguments; secrets only by mount; no history."""
    text = (
        f"FROM {runnable_image}\nARG VERSION\nARG WHEEL\nARG SOURCE_DATE_EPOCH\nARG MINE\nCOPY . /src\n"
        "RUN --mount=type=secret,id=INDEX_PASSWORD cat /run/secrets/INDEX_PASSWORD >/dev/null && "
        'echo "$VERSION $WHEEL $SOURCE_DATE_EPOCH $MINE" >/given\n'
    )
    at = make_inputs(with_dockerfile(text, {".dockerignore": "dist\n", "dist/stale.whl": "x"}))
    dists = at.dists()
    at.repo.write({"own.py": "changed, and not committed\n"})
    settings = ImageSettings(args={"MINE": "my own", "VERSION": "no"}, secrets=("INDEX_PASSWORD",))
    building = stage(at, settings, at_engine=engine, environ={"INDEX_PASSWORD": Secret("hunter2")})
    (image,) = building.make(at.context(dists=dists)).images
    ran = building.engine.run(image.id, ["cat", "/given", "/src/own.py"], entrypoint="")
    assert ran.out.startswith("1.0 small_one-1.0-py3-none-any.whl 1700000000 my own\n")
    assert "not committed" not in ran.out
    paths = [member.path for member in building.engine.contents([image.id])[image.id]]
    assert "src/dist/small_one-1.0-py3-none-any.whl" in paths
    assert "src/dist/stale.whl" not in paths
    assert not [path for path in paths if "/.git/" in path]
    assert any(".dockerignore hides dist/" in warning for warning in at.warned)
    assert any("RUN --mount" in text for text in at.messages)
    assert "hunter2" not in "\n".join([*at.messages, *at.warned])
    building.engine.remove([local(at)])


@pytest.mark.journey
def test_a_failing_dockerfile_names_its_line(make_inputs: MakeInputs, engine: TestEngine, runnable_image: str) -> None:  # noqa: F811
    """The error has file and line; nothing is recorded, and the other target is not left half built."""
    at = make_inputs(with_dockerfile(f"FROM {runnable_image} AS good\n\nFROM good AS bad\nRUN exit 7\n"))
    building = stage(at, ImageSettings(targets={"bad": "", "good": "-good"}), at_engine=engine)
    context = at.context(dists=at.dists())
    with pytest.raises(BuildFailed) as caught:
        building.make(context)
    assert (caught.value.file, caught.value.line) == ("Dockerfile", 4)
    assert building.find(context) is None
    building.engine.remove([local(at, "-good")])


@pytest.mark.journey
def test_a_dockerfile_in_the_folder_of_a_project(
    make_inputs: MakeInputs,
    engine: TestEngine,  # noqa: F811
    runnable_image: str,  # noqa: F811
) -> None:
    """The project's folder is the build context; an error names the file relative to the repository."""
    good = "FROM scratch AS good\nARG WHEEL\nCOPY dist/${WHEEL} here.txt /\n"
    own = {"pkg/Dockerfile": f"{good}FROM {runnable_image} AS bad\nCOPY own.py /\n", "pkg/here.txt": "here"}
    at = make_inputs(with_dockerfile("FROM nothing-of-the-kind\n", own))
    at.release = replace(at.release, path="pkg")
    context = at.context(dists=at.dists())
    for target, fine in (("good", True), ("bad", False)):
        building = replace(stage(at, ImageSettings(targets={target: ""}), at_engine=engine), git=at.git.at("pkg"))
        if fine:
            made = building.make(context)
            assert building.find(context) == made
            building.engine.remove([local(at)])
            continue
        with pytest.raises(BuildFailed, match=r"own\.py") as caught:
            building.make(context)
        assert (caught.value.file, caught.value.line) == ("pkg/Dockerfile", 5)


@pytest.mark.journey
def test_a_build_of_the_project_itself_is_a_warning(
    make_inputs: MakeInputs,
    engine: TestEngine,  # noqa: F811
    runnable_image: str,  # noqa: F811
) -> None:
    """A Dockerfile that builds the project again gets the history, and causes a warning with its line."""
    at = make_inputs(with_dockerfile(f"FROM {runnable_image}\nCOPY . /src\nRUN cat /src/.git/HEAD || pip install .\n"))
    building = stage(at, at_engine=engine)
    building.make(at.context(dists=at.dists()))
    assert [each for each in at.warned if each.startswith("Dockerfile:3: this builds the project a second time")]
    building.engine.remove([local(at)])


@pytest.mark.journey
def test_two_platforms(make_inputs: MakeInputs, engine: TestEngine) -> None:  # noqa: F811
    """Each platform is its own image; a leg builds only its platform; an unsupported one is an error."""
    at = make_inputs(with_dockerfile())
    both = ImageSettings(platforms=("linux/amd64", "linux/386"))
    building = stage(at, both, at_engine=engine)
    if "linux/386" not in building.engine.facts().platforms:
        pytest.skip("this engine's builder has one platform")
    context = at.context(dists=at.dists())
    made = building.make(context)
    assert [image.platform for image in made.images] == ["linux/amd64", "linux/386"]
    assert len({image.id for image in made.images}) == 2
    assert building.find(context) == made
    one = stage(at, both, at_engine=engine, platforms=("linux/386",))
    assert [image.platform for image in one.make(context).images] == ["linux/386"]
    for settings, platforms, kind, message in (
        (both, ("linux/s390x",), ConfigError, "no image is configured for linux/s390x"),
        (ImageSettings(platforms=("linux/s390x",)), (), ToolMissing, "cannot build for linux/s390x"),
    ):
        with pytest.raises(kind, match=message):
            stage(at, settings, at_engine=engine, platforms=platforms).make(context)
    building.engine.remove([local(at), image_names.local_name(NAME, at.release, "", "linux/386")])


@pytest.mark.parametrize(
    ("content", "settings", "kind", "message"),
    [
        ({"Dockerfile": ""}, [ImageSettings()], ConfigError, "Dockerfile: the Dockerfile has no FROM"),
        ({}, [ImageSettings(dockerfile="docker/App")], ConfigError, "there is no docker/App at commit"),
        ({}, [ImageSettings(targets={"fnal": ""})], ConfigError, "no stage 'fnal'; did you mean \"final\"?"),
        ({}, [ImageSettings(), ImageSettings()], ConfigError, "two images would have the name ghcr.io/acme/demo:sha-"),
        ({}, [ImageSettings(args={"TOKEN": "x"})], Refused, "the build argument TOKEN looks like a secret"),
        ({}, [ImageSettings(args={"A": "ghp_" + "a" * 36})], Refused, "the build argument A holds a GitHub token"),
        ({}, [ImageSettings()], ToolMissing, "no container engine answers at unix:///nowhere/docker.sock"),
    ],
    ids=["no-stage", "no-file", "unknown-stage", "twice", "secret-name", "secret-value", "no-engine"],
)
def test_what_is_refused_before_anything_is_built(
    make_inputs: MakeInputs,
    content: dict[str, str],
    settings: list[ImageSettings],
    *,
    kind: type[UnmoorError],
    message: str,
) -> None:
    """Each fault is one clear error with a next step, and never shows a secret value."""
    at = make_inputs(with_dockerfile(others=content))
    with pytest.raises(kind) as caught:
        stage(at, *settings).make(at.context(dists=Dists(files=())))
    assert message in str(caught.value)
    assert caught.value.next_step
    assert "aaaa" not in str(caught.value)


@pytest.mark.journey
def test_what_is_refused_when_the_context_is_there(make_inputs: MakeInputs, engine: TestEngine) -> None:  # noqa: F811
    """A context above its limit and an unset secret are refused."""
    at = make_inputs(with_dockerfile(others={"data": "x" * 10_000}))
    context = at.context(dists=at.dists())
    with pytest.raises(ConfigError, match=r"the largest: data \(0.0 MB\)"):
        stage(at, ImageSettings(context_limit=5000), at_engine=engine).make(context)
    with pytest.raises(ConfigError, match="needs the secret INDEX_PASSWORD"):
        stage(at, ImageSettings(secrets=("INDEX_PASSWORD",)), at_engine=engine).make(context)


def manifest_of(config: str) -> OciManifest:
    """A manifest for a configuration."""
    descriptor = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": config, "size": 1}
    document = {"schemaVersion": 2, "mediaType": oci.DOCKER_MANIFEST, "config": descriptor, "layers": []}
    data = json.dumps(document).encode()
    return OciManifest(data=data, digest=oci.digest_of(data), media_type=oci.DOCKER_MANIFEST)


def index_of(manifest: OciManifest) -> OciManifest:
    """An index over one manifest."""
    leg = oci_documents.IndexEntry(
        platform="linux/amd64", digest=manifest.digest, media_type=manifest.media_type, size=len(manifest.data)
    )
    data, media_type = oci_documents.index_over([leg])
    return OciManifest(data=data, digest=oci.digest_of(data), media_type=media_type)


@dataclass(frozen=True)
class FakeRegistry:
    """The manifests of a registry by reference, with the one method that the stage uses."""

    manifests: Mapping[str, OciManifest]
    name: str = NAME

    def manifest(self, reference: str) -> OciManifest | None:
        """Return the manifest."""
        return self.manifests.get(reference)


@pytest.mark.parametrize("named_by", ["configuration", "manifest"])
@pytest.mark.parametrize("shape", ["image", "leg", "index", "versioned", "versioned leg", "other", "nothing"])
def test_a_later_machine_takes_what_was_pushed(make_inputs: MakeInputs, shape: str, named_by: str) -> None:
    """Without an engine, the registry's image is found by the digest of its configuration, or of its manifest.

    If another version of the commit was pushed first, the image has a tag with its version.
    """
    at = make_inputs(with_dockerfile())
    dists = at.dists()
    ours, other = manifest_of("sha256:" + "1" * 64), manifest_of("sha256:" + "2" * 64)
    known = ours.digest if named_by == "manifest" else "sha256:" + "1" * 64
    image = Image(name=NAME, target="", platform="linux/amd64", id=known, size=1)
    made = Images(images=(image,))
    wheels = tuple(Subject(name=wheel.name, sha256=wheel.sha256) for wheel in dists.wheels)
    image_record.write_build_record(at.folder, at.release.commit, wheels, made)
    tag = image_names.commit_tag(at.release)
    versioned = f"{tag}-{at.release.version}"
    held: dict[str, OciManifest] = {
        "image": {tag: ours},
        "leg": {f"{tag}-linux-amd64": ours},
        "index": {tag: index_of(ours), ours.digest: ours},
        "versioned": {tag: other, versioned: ours},
        "versioned leg": {tag: other, f"{versioned}-linux-amd64": ours},
        "other": {tag: other},
        "nothing": {},
    }[shape]
    registry = cast("Registry", FakeRegistry(held))
    building = stage(at, registries=(cast("Registry", FakeRegistry({tag: ours}, name="ghcr.io/other/name")), registry))
    expected = None if shape in {"other", "nothing"} else made
    assert building.find(at.context(dists=dists)) == expected
    with pytest.raises(ToolMissing):
        stage(at).find(at.context(dists=dists))


@pytest.mark.parametrize(
    ("name", "archives"), [("ghcr.io/local/rehearsal", True), (NAME, True), ("ghcr.io/a/b", False)]
)
def test_legs_of_other_images(make_inputs: MakeInputs, tmp_path: Path, name: str, *, archives: bool) -> None:
    """Images of other jobs that this release does not have are a conflict. Its own ones need an engine to load them."""
    at = make_inputs(with_dockerfile())
    dists = at.dists()
    image = Image(name=name, target="", platform="linux/amd64", id="sha256:" + "1" * 64, size=1)
    wheels = tuple(Subject(name=wheel.name, sha256=wheel.sha256) for wheel in dists.wheels)
    image_record.write_build_record(at.folder, at.release.commit, wheels, Images(images=(image,)))
    registry = cast("Registry", FakeRegistry({}))
    building = stage(at, registries=(registry,), archives=(tmp_path / "images.tar",) if archives else ())
    if archives and name != NAME:
        with pytest.raises(Conflict, match=f"images named {name}, but those of this release are named {NAME}"):
            building.find(at.context(dists=dists))
    elif archives:
        with pytest.raises(ToolMissing):
            building.find(at.context(dists=dists))
    else:
        assert building.find(at.context(dists=dists)) is None
