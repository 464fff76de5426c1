"""Releases that were left in part: surfaces of a local world that a test fills piece by piece, without a release."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rehearsal.index import made_dists
from tests.rehearsal.registry.oci_client import RegistryClient
from tests.support.git_repos import Repo
from tests.support.real_registries import BuiltImage, index_of, make_image

from unmoor.adapters.factory import create_services
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines, describe_file
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.oci import leg_tag
from unmoor.cli.app import run
from unmoor.config.worlds import read_world
from unmoor.ports.forge import ForgeRelease
from unmoor.ports.index import Sent
from unmoor.ports.registry import OciManifest
from unmoor.ports.services import Services
from unmoor.products import Dists, File, Release
from unmoor.publish import push_record
from unmoor.publish.push_record import PushRecord
from unmoor.publish.release_assets import SUMS
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.values import replace

HOSTS = ("ghcr.io", "docker.io")
PLATFORMS = ("linux/amd64", "linux/arm64")
SETTINGS = """\
[build-system]
requires = []
build-backend = "own"

[project]
name = "part{number}"
version = "1.{number}"

[tool.unmoor]
repository = "acme/demo"
"""
IMAGE = """
[[tool.unmoor.image]]
name = "ghcr.io/acme/part{number}"
mirrors = ["docker.io/acme/part{number}"]
platforms = {platforms}
"""


@dataclass(frozen=True)
class Ran:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The JSON that it printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass(frozen=True, kw_only=True)
class PartWorld:
    """A running world, a checkout whose every tag is a release of its own, and services to fill the surfaces with."""

    running: LocalWorld
    repo: Repo
    services: Services
    folder: Path

    @property
    def remote(self) -> Path:
        """The folder of the git remote."""
        return self.running.folder / "remote.git"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A release of which nothing is anywhere at first. ``world_file`` may name other surfaces than those it fills."""

    at: PartWorld
    number: int
    world_file: Path
    files: tuple[File, ...]
    images: dict[str, BuiltImage] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version."""
        return f"1.{self.number}"

    @property
    def tag(self) -> str:
        """The tag."""
        return f"v{self.version}"

    @property
    def folder(self) -> Path:
        """The run folder of this machine."""
        return self.at.repo.path / ".unmoor" / self.tag

    @property
    def release(self) -> Release:
        """The release, at the commit of its tag when the world began."""
        return Release(
            repository="acme/demo",
            project=f"part{self.number}",
            tag=self.tag,
            version=self.version,
            commit=self.at.repo.git("rev-parse", f"refs/kept/{self.tag}"),
            date=1_700_000_000,
            prerelease=False,
            highest=True,
        )

    @property
    def manifest(self) -> Manifest:
        """The manifest."""
        return Manifest.of(self.release, Dists(files=self.files))

    def unmoor(self, *args: str) -> Ran:
        """Run a command of unmoor on the tag, in this process."""
        out, err = io.StringIO(), io.StringIO()
        target = ["--directory", str(self.at.repo.path), "--world", str(self.world_file), self.tag]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*args, *target])
        return Ran(code, out.getvalue(), err.getvalue())

    def upload(self, count: int, *, staging: bool = False) -> None:
        """Upload the first files to the index, or to the staging index."""
        index = self.at.services.staging if staging else self.at.services.index
        assert index is not None
        for file in self.files[:count]:
            assert isinstance(index.send(file), Sent)

    def upload_other(self, path: Path) -> None:
        """Upload the wheel of another build, which is written to a path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        _, data = made_dists.wheel(f"part{self.number}", self.version, source="OTHER = True\n")
        path.write_bytes(data)
        assert isinstance(self.at.services.index.send(describe_file(path)), Sent)

    def draft(self, count: int | None = None, *, record: PushRecord | None = None) -> ForgeRelease:
        """Make a draft with the first ``count`` assets, or a whole one, and with a record of the push. Return it."""
        forge, release = self.at.services.forge, self.release
        draft = forge.draft(tag=self.tag, target=release.commit, name=self.tag, body="- Something\n", prerelease=False)
        texts = {
            SUMS: checksum_lines(self.files),
            manifests.NAME: manifests.encode(self.manifest),
        }
        if record is not None:
            texts[push_record.NAME] = push_record.encode(record)
        folder = self.at.folder / f"assets-{draft.id}"
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_bytes(text)
        assets = [*self.files, *(describe_file(folder / name) for name in texts)]
        for file in assets[:count]:
            forge.attach(draft, file)
        return draft

    def publish(self, draft: ForgeRelease) -> None:
        """Publish a draft."""
        self.at.services.forge.publish(draft, prerelease=False, latest=False)

    def image(self, *tags: str, hosts: Sequence[str] = HOSTS, version: str = "") -> BuiltImage:
        """Put the image of the release under some tags. ``sha`` stands for the tag of the commit."""
        built = make_image(f"{self.tag} {version}", version=version or self.version)
        for host in hosts:
            registry = self.registry(host)
            for blob in (built.config, *built.layers):
                registry.blob(self._image_name, blob)
            for tag in tags:
                self._put(registry, built.manifest, self.tag_of(tag))
        return built

    def put(self, manifest: OciManifest, tag: str) -> None:
        """Put a manifest whose parts are there under a tag on every registry."""
        for host in HOSTS:
            self._put(self.registry(host), manifest, self.tag_of(tag))

    def legs(self, *, index: bool, hosts: Sequence[str] = HOSTS) -> None:
        """Put an image for each platform under its own tag, and the index over them if ``index``."""
        images = [(each, make_image(f"{self.tag} {each}", platform=each, version=self.version)) for each in PLATFORMS]
        for host in hosts:
            registry = self.registry(host)
            for platform, built in images:
                for blob in (built.config, *built.layers):
                    registry.blob(self._image_name, blob)
                self._put(registry, built.manifest, leg_tag(self.tag_of("sha"), platform))
            if index:
                self._put(registry, index_of(images), self.tag_of("sha"))

    def tag_of(self, tag: str) -> str:
        """The tag of the commit for ``sha``, and any other tag as it is."""
        return f"sha-{self.release.commit[:12]}" if tag == "sha" else tag

    def tags(self, host: str = HOSTS[0]) -> set[str]:
        """Every tag of the image on a registry."""
        return set(self.registry(host).call("GET", f"{self._image_name}/tags/list").json().get("tags") or ())

    def registry(self, host: str) -> RegistryClient:
        """A client of a registry, with write access."""
        known = json.loads((self.at.running.folder / "credentials.json").read_text())
        running = self.at.running
        return RegistryClient(
            base=running.registries[host], folder=running.folder / "registry" / host, password=known["registry"]
        )

    @property
    def _image_name(self) -> str:
        return f"acme/part{self.number}"

    def _put(self, registry: RegistryClient, manifest: OciManifest, tag: str) -> None:
        path, headers = f"{self._image_name}/manifests/{tag}", {"Content-Type": manifest.media_type}
        assert registry.call("PUT", path, data=manifest.data, headers=headers).status_code == 201

    def move_tag(self) -> str:
        """Move the tag to another commit, here and on the remote. Return that commit."""
        git = self.at.repo.git
        commit = git("commit-tree", f"{self.tag}^{{tree}}", "-m", f"after {self.tag}")
        git("tag", "--force", self.tag, commit)
        git("push", "--quiet", "--force", str(self.at.remote), f"refs/tags/{self.tag}")
        return commit

    def delete_tag(self, *, here: bool = False) -> None:
        """Delete the tag on the remote, and ``here`` too."""
        self.at.repo.git("push", "--quiet", str(self.at.remote), f":refs/tags/{self.tag}")
        if here:
            self.at.repo.git("checkout", "--quiet", "--detach", self.release.commit)
            self.at.repo.git("tag", "--delete", self.tag)

    def unreachable(self, old: str) -> Part:
        """Return the release in a world where the server with some text in its address does not answer."""
        text = self.world_file.read_text()
        assert old in text
        path = self.at.folder / f"broken-{self.number}.toml"
        path.write_text(text.replace(old, "http://127.0.0.1:9"))
        path.chmod(0o600)
        return replace(self, world_file=path)

    def surfaces(self) -> Mapping[str, object]:
        """What is on every surface, to compare before and after."""
        services, release = self.at.services, self.release
        assert services.staging is not None
        held = {
            each.name: sorted(each.holding(release.project, self.version).names)
            for each in (services.index, services.staging)
        }
        releases = [(each.id, each.draft, len(each.assets)) for each in services.forge.releases(self.tag)]
        return {**held, "forge": releases, **{host: self.tags(host) for host in HOSTS}}


@contextlib.contextmanager
def start_parts(folder: Path, images: Sequence[bool | None]) -> Iterator[tuple[Part, ...]]:
    """Start a world with a release for each item of ``images``: with an image, with one for two platforms, without.

    The items are true, ``None`` and false for these.
    """
    repo = Repo.new(folder / "checkout")
    for number, image in enumerate(images):
        platforms = json.dumps(list(PLATFORMS if image is None else PLATFORMS[:1]))
        more = IMAGE.format(number=number, platforms=platforms) if image is not False else ""
        commit = repo.commit(
            {"pyproject.toml": SETTINGS.format(number=number) + more, "Dockerfile": "FROM scratch\n"}
            if more
            else {"pyproject.toml": SETTINGS.format(number=number)}
        )
        repo.git("tag", f"v1.{number}")
        repo.git("update-ref", f"refs/kept/v1.{number}", commit)
    with (
        local.start(
            folder / "world", repository="acme/demo", checkout=repo.path, registry=True, hosts=HOSTS
        ) as running,
        Processes() as processes,
    ):
        world = read_world(running.world_file, os.environ)
        at = PartWorld(running=running, repo=repo, services=create_services(world, repo.path, processes), folder=folder)
        yield tuple(
            Part(at=at, number=number, world_file=running.world_file, files=_dists(folder, number))
            for number in range(len(images))
        )


def _dists(folder: Path, number: int) -> tuple[File, ...]:
    """Write a wheel and an sdist, the wheel first."""
    made = (each(f"part{number}", f"1.{number}") for each in (made_dists.wheel, made_dists.sdist))
    return tuple(describe_file(Path(path)) for path in made_dists.write(folder / f"dists-{number}", *made))
