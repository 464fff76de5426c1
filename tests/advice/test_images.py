"""Every advice about images, their Dockerfiles and the machines that build them leads to images that are built."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.images.test_archive_names import OURS, archive, saved
from tests.images.test_legs import PLATFORMS, RELEASE, WHEEL, image, proof_of, record_of
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.cli.image_selection import ImageSelection, require_platforms
from unmoor.config.images import ImageSettings
from unmoor.core.stage import Output, StageContext
from unmoor.images import image_record, legs
from unmoor.images.archive_names import require_local_names
from unmoor.images.dockerfile import Dockerfile
from unmoor.ports.engine import EngineFacts, ImageFacts, Recipe
from unmoor.products import Dists, Image, Images, Release, Subject
from unmoor.stages.images import BuildImages
from unmoor.util.secret import Secret
from unmoor.util.values import replace

TAG: Output[Release] = Output("tag")
DISTS: Output[Dists] = Output("dists")
SCRATCH = {"Dockerfile": "FROM scratch\nCOPY . /\n", "data": "x" * 10_000}
ARM = image(PLATFORMS[1])
BUILT = f"sha256:{'1' * 64}"


@dataclass
class OneImageEngine:
    """An engine that builds every image as the same one, with the labels of the recipe unless it ``forgets`` them."""

    platforms: tuple[str, ...] = ("linux/amd64",)
    forgets: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    holds: str = ""

    def facts(self) -> EngineFacts:
        """Describe the engine."""
        return EngineFacts(version="1", builder="buildx", platforms=self.platforms)

    def build(self, recipe: Recipe, *, hear: object = None) -> str:
        """Build."""
        del hear
        self.labels = {} if self.forgets else dict(recipe.labels)
        return BUILT

    def look(self, name: str) -> ImageFacts | None:
        """Describe an image, if the engine has one."""
        return self.inspect(name) if self.holds else None

    def inspect(self, name: str) -> ImageFacts:
        """Describe the image."""
        del name
        values: dict[str, Any] = dict.fromkeys(("entrypoint", "command", "env", "history"), ())
        return ImageFacts(id=self.holds or BUILT, size=1, platform="", user="", labels=self.labels, **values)


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def project(files: dict[str, str] | None = None, **settings: object) -> Callable[[Place], None]:
    """Begin with a project that has a Dockerfile, and one image with these settings."""

    def begin(place: Place) -> None:
        place.new_repo(files or SCRATCH)
        place.kept |= {"settings": [settings], "engine": OneImageEngine(), "run": RunFolder(place.folder / "run")}

    return begin


def stage(place: Place) -> tuple[BuildImages, StageContext]:
    """The stage ``images`` for the commit, and its context."""
    kept = place.kept
    release = replace(RELEASE, commit=place.repo.git("rev-parse", "HEAD"), repository="acme/demo")
    building = BuildImages(
        name="images",
        release=TAG,
        dists=DISTS,
        git=GitCheckout(place.repo.path, place.shell),
        engine=kept["engine"],
        folder=kept["run"],
        settings=tuple(ImageSettings(**each) for each in kept["settings"]),
        repository=kept.get("repository", release.repository),
        platforms=kept.get("platforms", ()),
        environ={name: Secret(value) for name, value in kept.get("environ", {}).items()},
        archives=kept.get("archives", ()),
    )
    dists = Dists(files=(), vouched=kept.get("vouched", True))
    return building, StageContext({TAG.by: release, DISTS.by: dists}, say=print, warn=print)


def _make(place: Place) -> object:
    building, context = stage(place)
    return building.make(context)


def _find(place: Place) -> object:
    building, context = stage(place)
    return building.find(context)


def change(**settings: object) -> Callable[..., object]:
    """Change the settings of the image."""
    return lambda place, *_: place.kept.update(settings=[place.kept["settings"][0] | settings])


def commit(**files: str) -> Callable[..., object]:
    """Commit files."""
    return lambda place, *_: place.repo.commit({name.replace("__", "."): text for name, text in files.items()})


def _as_secret(place: Place, text: str) -> None:
    """Remove the argument, and list the variable in the setting that the advice writes."""
    found = re.search(r'remove it from args, .* secrets = \["(\w+)"\].*(--mount=type=secret,id=\w+)', text)
    assert found, text
    commit(Dockerfile=f"FROM scratch\nRUN {found[2]} true\n")(place)
    place.kept |= {"settings": [{"secrets": (found[1],)}], "environ": {found[1]: "x"}}


def _set_variables(place: Place, text: str) -> None:
    names = text.removeprefix("set ").partition(",")[0].split(" and ")
    place.kept["environ"] = dict.fromkeys(names, "x")


def _recorded(name: str) -> Callable[[Place], None]:
    """An earlier run recorded an image of this name."""

    def begin(place: Place) -> None:
        project()(place)
        there = Image(name=name, target="", platform="linux/amd64", id=BUILT, size=1)
        head = place.repo.git("rev-parse", "HEAD")
        image_record.write_build_record(place.kept["run"], head, (), Images(images=(there,)))
        place.kept["archives"] = (place.folder / "images.tar",)

    return begin


def _remove_record(place: Place, text: str) -> None:
    """Remove the image and its record, and build again."""
    assert "remove that image and its record in .unmoor/TAG" in text
    place.kept["engine"].holds = ""
    for path in (place.folder / "run").iterdir():
        path.unlink()


STAGE: dict[str, Walk] = {
    "commit-dockerfile": Walk(begin=project({"a": ""}), act=_make, follow=commit(Dockerfile="FROM scratch\n")),
    "commit-dockerfile named": Walk(
        begin=project(dockerfile="docker/App"), act=_make, follow=change(dockerfile="Dockerfile")
    ),
    "name-a-platform": Walk(
        begin=also(project(), keep(platforms=("linux/arm64",))), act=_make, follow=keep(platforms=("linux/amd64",))
    ),
    "name-images-apart": Walk(
        begin=also(project(), lambda place: place.kept["settings"].append({})),
        act=_make,
        follow=lambda place, _: place.kept["settings"][1].update(name="ghcr.io/acme/other"),
    ),
    "name-the-image": Walk(
        begin=also(project(), keep(repository="acme/de mo")), act=_make, follow=change(name="ghcr.io/acme/demo")
    ),
    "build-platform-elsewhere": Walk(
        begin=project(platforms=("linux/amd64", "linux/arm64")),
        act=_make,
        follow=lambda place, _: setattr(place.kept["engine"], "platforms", PLATFORMS),
    ),
    "shrink-context": Walk(begin=project(context_limit=5000), act=_make, follow=commit(__dockerignore="data\n")),
    "shrink-context by the setting": Walk(
        begin=project(context_limit=5000), act=_make, follow=change(context_limit=50_000)
    ),
    "set-secrets": Walk(begin=project(secrets=("ONE", "TWO")), act=_make, follow=_set_variables),
    "pass-as-secret": Walk(begin=project(args={"TOKEN": "x"}), act=_make, follow=_as_secret),
    "check-the-builder": Walk(
        begin=also(project(), lambda place: setattr(place.kept["engine"], "forgets", True)),
        act=_make,
        follow=lambda place, _: setattr(place.kept["engine"], "forgets", False),
    ),
    "remove-image-and-record": Walk(
        begin=also(_recorded("ghcr.io/acme/demo"), lambda place: setattr(place.kept["engine"], "holds", OURS)),
        act=_find,
        follow=_remove_record,
    ),
    # With the sha256 on the command line, the files are vouched for.
    "pass-sha256-of-manifest": Walk(begin=also(project(), keep(vouched=False)), act=_find, follow=keep(vouched=True)),
    "pass-own-legs": Walk(
        begin=_recorded("ghcr.io/local/rehearsal"), act=_find, follow=keep(repository="local/rehearsal")
    ),
}


def _run_folder(place: Place, *, files: bool = True) -> None:
    """A run folder with a wheel, and its manifest unless the files are missing."""
    place.kept["here"] = here = RunFolder(place.folder / ".unmoor" / "v1.0")
    here.dists.mkdir(parents=True)
    (here.dists / WHEEL).write_bytes(b"wheel")
    if files:
        _hand_files(place)


def _hand_files(place: Place, *_: str) -> None:
    here = place.kept["here"]
    here.write_manifest(Manifest.of(RELEASE, Dists(files=(describe_file(here.dists / WHEEL),))))


def leg(place: Place, built: Image = ARM, *, commit: str = RELEASE.commit, proven: bool = True) -> None:
    """Add a leg: what another machine built and, unless said otherwise, proved."""
    here, path = place.kept["here"], place.folder / "legs" / f"{len(place.kept.setdefault('legs', []))}"
    wheel = describe_file(here.dists / WHEEL)
    proofs = (proof_of(built),) if proven else ()
    record = record_of(built, commit, (Subject(name=wheel.name, sha256=wheel.sha256),), *proofs)
    folder = RunFolder(path, here.belief)
    folder.write_document(IMAGES, image_record.encode(record))
    image_record.images_archive(folder).write_bytes(b"archive")
    place.kept["legs"].append(path)


def begin_leg(**more: Any) -> Callable[[Place], None]:
    """A run folder, and one leg."""
    return also(_run_folder, lambda place: leg(place, **more))


def _without_record(place: Place) -> None:
    begin_leg()(place)
    (place.kept["legs"][0] / IMAGES).unlink()


def _build_there(place: Place, text: str) -> None:
    """Build the leg again on its machine, with the options that the advice names."""
    assert not text.startswith("run there") or {"--platform", "--keep-images"} <= set(text.split())
    place.kept["legs"] = []
    leg(place)


def _joined(place: Place) -> object:
    legs.join(place.kept["here"], place.kept["legs"])
    return None


def _archived(place: Place) -> object:
    require_local_names(place.folder / "images.tar")
    return None


def save(*names: str) -> Callable[..., object]:
    """Write an archive of images with these names."""
    return lambda place, *_: archive(place.folder / "images.tar", ("manifest.json", saved(*names)))


LEGS: dict[str, Walk] = {
    "build-leg-again": Walk(begin=begin_leg(commit="b" * 40), act=_joined, follow=_build_there),
    "build-leg-there": Walk(begin=_without_record, act=_joined, follow=_build_there),
    "build-leg-there proven": Walk(begin=begin_leg(proven=False), act=_joined, follow=_build_there),
    "one-leg-per-platform": Walk(
        begin=also(begin_leg(), lambda place: leg(place, replace(image(PLATFORMS[1]), id=BUILT))),
        act=_joined,
        follow=lambda place, _: place.kept["legs"].pop(),
    ),
    "pass-files": Walk(begin=also(lambda place: _run_folder(place, files=False), leg), act=_joined, follow=_hand_files),
    "find-who-changed-archive": Walk(begin=save(OURS, "python:3.13-slim"), act=_archived, follow=save(OURS)),
    "hand-over-archive": Walk(
        begin=lambda place: (place.folder / "images.tar").write_bytes(b"x"), act=_archived, follow=save(OURS)
    ),
}


def _parsed(place: Place) -> object:
    return Dockerfile.parse(place.kept["text"].encode(), "Dockerfile")


def _platforms(place: Place) -> object:
    """The option ``--platform`` of a command."""
    selection = ImageSelection(images=(ImageSettings(platforms=place.kept["known"]),))
    return require_platforms(selection, ("linux/arm64",))


PURE: dict[str, Walk] = {
    "shorten-arg": Walk(
        begin=keep(text=f"ARG A={'x' * 5000}\nFROM ${{A}}{'${A}' * 40}\n"),
        act=_parsed,
        follow=keep(text="ARG A=x\nFROM ${A}\n"),
    ),
    "name-a-platform on the command line": Walk(
        begin=keep(known=("linux/amd64",)), act=_platforms, follow=keep(known=PLATFORMS)
    ),
}
WALKS = STAGE | LEGS | PURE


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """With the file, the setting or the leg that the advice names, the same stage succeeds."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell))
