"""Other versions of the project that are released before a round begins: a higher one, and a low one that is broken.

They are sent as any client would send them, so the servers' logs have them before the first run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from packaging.version import InvalidVersion, Version

from unmoor.adapters.factory import create_services, open_http
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.registry import OciRegistry, open_registry
from unmoor.artifacts.files import describe_file
from unmoor.config.worlds import read_world
from unmoor.filesystem.temporary import temporary_folder
from unmoor.images.image_names import REVISION, VERSION
from unmoor.ports.index import Sent
from unmoor.ports.registry import Packages
from unmoor.ports.world import World
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.made_artifacts import MadeImage, make_image, make_index, make_wheel
from unmoor.rehearsal.chaos.run_git import run_git
from unmoor.rehearsal.invariants.evidence import Expected, ImageExpected
from unmoor.rehearsal.shared.worldfile import WORLD

_HIGHER = 1000
_LOW = Version("0.0.1")
_PLATFORM, _OTHER = "linux/amd64", "linux/arm64"


def higher_than(version: str) -> str:
    """Return a final version above this one that differs in the third number: it has the same floating tags.

    >>> higher_than("1.2"), higher_than("2.0.1rc1")
    ('1.2.1000', '2.0.1001')
    """
    major, minor, patch, *_ = (*Version(version).release, 0, 0)
    return f"{major}.{minor}.{patch + _HIGHER}"


def tag_of(tag: str, version: str, other: str) -> str:
    """Return the tag of another version, written as that of the first.

    >>> tag_of("demo-v1.0", "1.0", "1.0.1000")
    'demo-v1.0.1000'
    """
    starts = (at for at, char in enumerate(tag) if char.isdigit() and _is(tag[at:], version))
    return f"{tag[: next(starts, len(tag))]}{other}"


def _is(text: str, version: str) -> bool:
    try:
        return Version(text) == Version(version)
    except (InvalidVersion, ValueError):  # also a number of thousands of digits
        return False


def release_higher(folder: WorldFolder, expected: Expected) -> bool:
    """Release a higher final version of the next commit: to the index, the registries and the forge, as the latest."""
    version = higher_than(expected.version)
    tag = tag_of(expected.tag, expected.version, version)
    commit = _next_commit(folder, expected.commit)
    with _world(folder) as (world, processes), temporary_folder() as place:
        services = create_services(world, folder.checkout, processes)
        wheel = make_wheel(place, expected.project, version)
        if not isinstance(services.index.send(describe_file(wheel)), Sent):
            return False
        for image in expected.images:
            made = make_image(_PLATFORM, {VERSION: version, REVISION: commit})
            registry = _registry(image, world)
            _put(registry, made)
            for name in (*_tags(image, expected.version, version), *image.floating):
                registry.put(name, made.manifest)
        run_git(folder.remote, "update-ref", f"refs/tags/{tag}", commit)
        draft = services.forge.draft(tag=tag, target=commit, name=tag, body="It came later.", prerelease=False)
        services.forge.publish(draft, prerelease=False, latest=True)
    return True


def release_broken(folder: WorldFolder, expected: Expected) -> bool:
    """Push images of a low version, each an index over two platforms, and delete the image of one of these.

    Floating tags that name no version lead there, as after the release of that version.
    """
    if Version(expected.version) <= _LOW:
        return False
    low, done = str(_LOW), False
    with _world(folder) as (world, processes):
        services = create_services(world, folder.checkout, processes)
        for image in expected.images:
            made = [make_image(each, {VERSION: low, REVISION: expected.commit}) for each in (_PLATFORM, _OTHER)]
            registry, index = _registry(image, world), make_index(made)
            for each in made:
                _put(registry, each)
            floating = [name for name in image.floating if not name[0].isdigit()]
            for name in (*_tags(image, expected.version, low), *floating):
                registry.put(name, index)
                done = True
            _delete(registry, services.packages(registry.name), made[-1].manifest.digest)
    return done


@contextmanager
def _world(folder: WorldFolder) -> Iterator[tuple[World, Processes]]:
    with Processes() as processes:
        yield read_world(folder.path / WORLD, {}), processes


def _next_commit(folder: WorldFolder, commit: str) -> str:
    """Make a commit after this one in the remote, with the same files."""
    return run_git(folder.remote, "commit-tree", "-p", commit, "-m", "Something later", f"{commit}^{{tree}}")


def _tags(image: ImageExpected, version: str, other: str) -> tuple[str, ...]:
    """The own tags of an image as another version would have them."""
    return tuple(tag.replace(version, other, 1) for tag in image.tags if version in tag)


def _registry(image: ImageExpected, world: World) -> OciRegistry:
    return open_registry(f"{image.host}/{image.name}", world, open_http(world), None)


def _put(registry: OciRegistry, image: MadeImage) -> None:
    for blob in image.blobs:
        registry.put_blob(blob)
    registry.put(image.manifest.digest, image.manifest)


def _delete(registry: OciRegistry, packages: Packages | None, digest: str) -> None:
    """Delete a manifest: on GHCR as a version of a package, elsewhere by its digest."""
    if packages is None:
        registry.delete(digest)
        return
    for version in packages.versions():
        if version.digest == digest:
            packages.delete(version)
