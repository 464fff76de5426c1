"""``unmoor clean images`` on the registries of a local world. skopeo then pulls every remaining tag, all platforms."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.rehearsal.registry.oci_client import RegistryClient, digest_of
from tests.support.git_repos import Repo
from tests.support.real_registries import BuiltImage, index_of, make_image

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry import OciRegistry
from unmoor.artifacts import oci
from unmoor.cli.app import run
from unmoor.config.worlds import read_world
from unmoor.images.attestations import put_bundle, read_bundle
from unmoor.ports.registry import OciManifest
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.registry import process, registries

PLAIN = "docker.io"
NOW = ("--older-than", "0s", "--keep", "0")

_NUMBERS = itertools.count(1)

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """A world with a stand-in for GHCR and a plain registry."""
    if process.find_program() is None:
        pytest.skip(registries.MISSING)
    folder = tmp_path_factory.mktemp("clean") / "world"
    with local.start(folder, repository="acme/demo", checkout=None, registry=True, hosts=("ghcr.io", PLAIN)) as running:
        yield running


@dataclass(frozen=True)
class CleanedRegistry:
    """A repository of images. Tests put images there by plain HTTP."""

    world: LocalWorld
    host: str
    repository: str

    @property
    def name(self) -> str:
        """The name of the image, as users write it."""
        return f"{self.host}/{self.repository}"

    @property
    def client(self) -> RegistryClient:
        """A client with write access."""
        known = json.loads((self.world.folder / "credentials.json").read_text())
        folder = self.world.folder / "registry" / self.host
        return RegistryClient(base=self.world.registries[self.host], folder=folder, password=known["registry"])

    def put(self, manifest: OciManifest, *tags: str) -> str:
        """Put a manifest under tags, or by its digest if there are none."""
        for reference in tags or (manifest.digest,):
            headers = {"Content-Type": manifest.media_type}
            path = f"{self.repository}/manifests/{reference}"
            answer = self.client.call("PUT", path, data=manifest.data, headers=headers)
            assert answer.status_code == 201, answer.text
        return manifest.digest

    def blobs(self, built: BuiltImage) -> None:
        """Put the configuration and the layers of an image."""
        for blob in (built.config, *built.layers):
            self.client.blob(self.repository, blob)

    def image(self, built: BuiltImage, *tags: str) -> str:
        """Put an image."""
        self.blobs(built)
        return self.put(built.manifest, *tags)

    def index(self, legs: Sequence[tuple[str, BuiltImage]], *tags: str) -> str:
        """Put an index and its images, which get no tags of their own."""
        for _, built in legs:
            self.image(built)
        return self.put(index_of(legs), *tags)

    def about(self, subject: str, content: str, *tags: str) -> str:
        """Put a referrer of a digest, such as a signature or an attestation."""
        built = make_image(content)
        self.blobs(built)
        document = json.loads(built.manifest.data)
        size = len(self.client.pull(self.repository, subject).content)
        document["subject"] = {"mediaType": oci.OCI_MANIFEST, "digest": subject, "size": size}
        data = json.dumps(document).encode()
        self.put(OciManifest(data=data, digest=digest_of(data), media_type=oci.OCI_MANIFEST), *tags)
        return digest_of(data)

    def tags(self) -> set[str]:
        """Return every tag."""
        return set(self.client.call("GET", f"{self.repository}/tags/list").json().get("tags") or ())

    def has(self, digest: str) -> bool:
        """Whether the registry serves a digest."""
        return self.client.pull(self.repository, digest).status_code == 200

    def pull_all_platforms(self, tag: str, into: Path) -> None:
        """Pull a tag with every platform, with skopeo."""
        known = json.loads((self.world.folder / "credentials.json").read_text())
        address = self.world.registries[self.host].removeprefix("http://")
        ran = subprocess.run(
            [
                *("skopeo", "--insecure-policy", "copy", "--all", "--src-tls-verify=false"),
                *("--src-creds", f"anybody:{known['registry']}"),
                *(f"docker://{address}/{self.repository}:{tag}", f"dir:{into / tag}"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr

    def clean(self, *args: str, folder: Path, code: int = 0) -> int:
        """Run the command."""
        world = ("--world", str(self.world.world_file))
        answer = run(["clean", "images", *world, "--directory", str(folder), "--image", self.name, *args])
        assert answer == code
        return answer


@pytest.fixture(params=["ghcr.io", PLAIN])
def registry(request: pytest.FixtureRequest, world: LocalWorld) -> CleanedRegistry:
    """A repository that no other test uses, on each registry."""
    return CleanedRegistry(world, request.param, f"acme/demo{next(_NUMBERS)}")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without images, so that the command line must name them."""
    return Repo.new(tmp_path / "checkout").path


def legs(salt: str) -> list[tuple[str, BuiltImage]]:
    """Make an image for two platforms."""
    return [
        (platform, make_image(f"{salt} {platform}", platform=platform)) for platform in ("linux/amd64", "linux/386")
    ]


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Read the JSON document on stdout."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_unneeded_manifests_are_deleted_and_every_tag_still_pulls(
    registry: CleanedRegistry, checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run deletes nothing. Then indexes and their own children go; shared children and referrers stay."""
    one = legs("one")
    released = registry.index(one, "v1.0", "latest", "sha-111111111111")
    signed = registry.about(one[0][1].manifest.digest, "attestation")
    signature = registry.about(released, "signature", released.replace(":", "-") + ".sig")
    # An image of an unreleased commit: one platform is its own, the other is also that of the release.
    stale = registry.index([one[0], legs("two")[1]], "sha-222222222222")
    own = legs("two")[1][1].manifest.digest
    opened = registry.image(make_image("pull request"), "pr-7")
    branch = registry.image(make_image("branch"), "main")
    everything = registry.tags()

    registry.clean(*NOW, "--json", folder=checkout)
    plan = document(capsys)
    assert plan["applied"] is False
    (mine,) = plan["images"]
    goes = {each["digest"]: each["tags"] for each in mine["goes"]}
    assert goes == {stale: ["sha-222222222222"], own: [], opened: ["pr-7"]}
    assert list(goes).index(stale) < list(goes).index(own)
    assert registry.tags() == everything

    registry.clean(*NOW, "--apply", folder=checkout)
    assert registry.tags() == everything - {"sha-222222222222", "pr-7"}
    assert [registry.has(each) for each in (stale, own, opened)] == [False, False, False]
    kept = (released, *(built.manifest.digest for _, built in one), signed, signature, branch)
    assert all(map(registry.has, kept))
    for tag in registry.tags():
        registry.pull_all_platforms(tag, tmp_path)

    capsys.readouterr()
    registry.clean(*NOW, "--apply", folder=checkout)
    assert "0 manifests" in capsys.readouterr().err


@pytest.mark.parametrize("has_api", [True, False])
def test_signatures_stay_and_go_with_their_image(
    registry: CleanedRegistry, checkout: Path, capsys: pytest.CaptureFixture[str], *, has_api: bool
) -> None:
    """Those of an image that stays are listed and read as before, also somebody else's; those of another go with it."""
    if not has_api:
        registry.client.control("no-referrers")
    released = registry.index(legs("one"), "v1.0", "sha-111111111111")
    stale = registry.image(make_image("stale"), "sha-222222222222")
    other = registry.about(released, "an SBOM of somebody else")
    place = next(each for each in read_world(registry.world.world_file, {}).registries if each.host == registry.host)
    with BoundedSession() as http:
        adapter = OciRegistry(place, registry.repository, http)
        mine, gone = (put_bundle(adapter, each, b"{1}", "a/b", created=1) for each in (released, stale))
        second = put_bundle(adapter, stale, b"{2}", "a/b", created=1)
        lists = {oci.referrers_tag(each) for each in (released, stale)} & registry.tags()
        before = adapter.referrers(released)
        registry.clean(*NOW, "--apply", folder=checkout)
        assert adapter.referrers(released) == before
        assert read_bundle(adapter, released, mine) == b"{1}"
    assert registry.has(other)
    assert [registry.has(each) for each in (stale, gone.digest, second.digest)] == [False, False, False]
    assert registry.tags() == {"v1.0", "sha-111111111111"} | (lists & {oci.referrers_tag(released)})
    assert bool(lists) is (registry.host == "ghcr.io" or not has_api)
    (registry.client.folder / "no-referrers").unlink(missing_ok=True)
    capsys.readouterr()


def test_protected_young_and_newest_images_stay(registry: CleanedRegistry, checkout: Path) -> None:
    """Each of the three rules keeps images by itself."""
    for number in range(4):
        created = f"2026-01-0{number + 1}T00:00:00Z"
        registry.image(make_image(f"number {number}", created=created), f"pr-{number}")
    registry.clean("--older-than", "0s", "--keep", "4", "--apply", folder=checkout)
    registry.clean("--older-than", "5000d", "--keep", "0", "--apply", folder=checkout)
    registry.clean(*NOW, "--protect", "pr-*", "--apply", folder=checkout)
    assert len(registry.tags()) == 4
    registry.clean("--older-than", "0s", "--keep", "1", "--protect", "pr-0", "--apply", folder=checkout)
    assert registry.tags() == {"pr-0", "pr-3"}


def test_tags_of_other_kinds_go_only_when_they_are_named(registry: CleanedRegistry, checkout: Path) -> None:
    """A nightly build stays unless ``--also`` names its tag."""
    registry.image(make_image("nightly"), "nightly-20260101")
    registry.image(make_image("branch"), "main")
    registry.clean(*NOW, "--apply", folder=checkout)
    assert registry.tags() == {"nightly-20260101", "main"}
    registry.clean(*NOW, "--also", "nightly-*", "--apply", folder=checkout)
    assert registry.tags() == {"main"}


def test_an_index_without_one_of_its_parts_keeps_the_rest(
    registry: CleanedRegistry, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An image that cannot be read is not deleted, and an image that was broken before is not an error."""
    some = legs("broken")
    broken = registry.index(some, "sha-333333333333")
    tagged = registry.index([*some, ("linux/arm64", make_image("arm", platform="linux/arm64"))], "v9")
    kept, lost = (built.manifest.digest for _, built in some)
    remove_from_disk(registry, lost)
    registry.clean(*NOW, "--apply", folder=checkout)
    assert all(map(registry.has, (broken, tagged, kept)))
    assert "0 manifests" in capsys.readouterr().err


def remove_from_disk(registry: CleanedRegistry, digest: str) -> None:
    """Remove a manifest from the registry's storage, as some cleanup tools do."""
    hexadecimal = digest.removeprefix("sha256:")
    (link,) = registry.client.folder.rglob(f"*/_manifests/revisions/sha256/{hexadecimal}/link")
    link.unlink()


def test_a_version_that_the_forge_will_not_delete_is_spared(
    world: LocalWorld, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A version with more than 5,000 downloads stays with its parts. The others are deleted anyway."""
    registry = CleanedRegistry(world, "ghcr.io", "acme/popular")
    popular = registry.index(legs("popular"), "pr-1")
    other = registry.image(make_image("not so popular"), "pr-2")
    control = registry.client.control("popular", popular)
    try:
        registry.clean(*NOW, "--apply", "--json", folder=checkout)
    finally:
        control.unlink()
    (mine,) = document(capsys)["images"]
    spared = {each["digest"]: each["spared"] for each in mine["goes"] if each["spared"]}
    assert "5,000 downloads" in spared.pop(popular)
    assert set(spared) == {built.manifest.digest for _, built in legs("popular")}
    assert registry.tags() == {"pr-1"}
    assert not registry.has(other)
    assert all(map(registry.has, spared))


def test_without_permission_nothing_is_deleted(
    world: LocalWorld, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error quotes the forge, and the exit code is that of a denial."""
    registry = CleanedRegistry(world, "ghcr.io", "acme/foreign")
    registry.image(make_image("foreign"), "pr-1")
    control = registry.client.control("no-admin", registry.repository)
    try:
        registry.clean(*NOW, "--apply", folder=checkout, code=5)
    finally:
        control.unlink()
    assert "admin" in capsys.readouterr().err
    assert registry.tags() == {"pr-1"}


def test_a_repository_that_is_not_there_has_nothing_to_clean(
    world: LocalWorld, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing repository is not an error."""
    CleanedRegistry(world, "ghcr.io", "acme/never").clean("--apply", folder=checkout)
    assert "0 manifests" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--image", "not a name"), 3),
        (("--image", "quay.io/acme/demo"), 3),
        ((), 3),
        (("--older-than", "soon"), 2),
        (("--keep", "-1"), 2),
    ],
    ids=["invalid name", "unknown registry", "no images", "invalid duration", "negative count"],
)
def test_wrong_options_are_refused(world: LocalWorld, checkout: Path, args: tuple[str, ...], code: int) -> None:
    """The exit code is that of wrong settings or of wrong usage."""
    where = ("--world", str(world.world_file), "--directory", str(checkout))
    assert run(["clean", "images", *where, *args]) == code
