"""A signed release on a forge and an index in memory, for tests that change something of it and verify it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from packaging.version import Version
from tests.support.signers import SigningJob

from unmoor.adapters.sigstore.trust import TrustFiles
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts import oci
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.manifest import Artifact, Manifest
from unmoor.errors import Unknown, UnmoorError
from unmoor.ports.forge import ForgeAsset, ForgeRelease, ForgeRepository, ForgeTag
from unmoor.ports.index import AttestedBy, Holding, ListedFile, Publisher
from unmoor.ports.registry import OciManifest, Referrer
from unmoor.ports.signer import Identity
from unmoor.products import File, Subject
from unmoor.provenance.names import bundle_name, provenance_name
from unmoor.provenance.statements import publish_statement, release_provenance
from unmoor.publish.release_assets import SUMS
from unmoor.rehearsal import local
from unmoor.verification.checks import CheckedItem
from unmoor.verification.release import Verification, VerificationResult

REPOSITORY, PROJECT, VERSION, TAG = "acme/demo", "demo", "1.0", "v1.0"
WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"
PROVENANCE = provenance_name(PROJECT, VERSION)
SITE = "https://github.com"


def sha256(data: bytes) -> str:
    """The sha256 in hex."""
    return hashlib.sha256(data).hexdigest()


@dataclass(kw_only=True)
class FakeForge:
    """A forge with one release. ``assets`` are bytes by name; ``fails`` is raised by every call."""

    assets: dict[str, bytes]
    number: int
    commit: str
    object: str = "b" * 40
    tag: str = TAG
    immutable: bool = False
    said: dict[str, int] = field(default_factory=dict)
    statements: tuple[bytes, ...] = ()
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fails: UnmoorError | None = None
    gone: bool = False

    def repository(self) -> ForgeRepository:
        """The repository."""
        if self.fails:
            raise self.fails
        return ForgeRepository(
            full_name=REPOSITORY, private=False, archived=False, can_push=None, id=str(self.number or "")
        )

    def tagged(self, tag: str) -> ForgeTag | None:
        """The tag's object and commit."""
        return ForgeTag(object=self.object, commit=self.commit) if tag == self.tag and self.commit else None

    def public(self, tag: str) -> ForgeRelease | None:
        """The release, or an earlier one."""
        names = self.assets if tag == self.tag else self.earlier.get(tag)
        if names is None or self.gone:
            return None
        return ForgeRelease(
            id=1,
            tag=tag,
            target=self.commit,
            name="",
            body="",
            draft=False,
            prerelease=False,
            url="",
            upload_url="",
            immutable=self.immutable,
            assets=tuple(
                ForgeAsset(
                    id=n, name=name, size=self.said.get(name, 1), sha256=None, uploaded=True, url="", public=True
                )
                for n, name in enumerate(names, 1)
            ),
        )

    def released(self) -> tuple[str, ...]:
        """Every tag, the newest first."""
        return (self.tag, *self.earlier)

    def release_attestations(self, tag: ForgeTag) -> tuple[bytes, ...]:
        """Those in ``statements``."""
        del tag
        return self.statements

    def fetch(self, asset: ForgeAsset, into: Path) -> File:
        """Write an asset."""
        return write(into, asset.name, self.assets[asset.name])


def write(into: Path, name: str, data: bytes) -> File:
    """Write a file, as a download does."""
    into.mkdir(parents=True, exist_ok=True)
    (into / name).write_bytes(data)
    return File(name=name, sha256=sha256(data), size=len(data), path=into / name)


@dataclass(kw_only=True)
class FakeServedIndex:
    """An index with one version. ``files`` are bytes and ``bundles`` attestations by name."""

    files: dict[str, bytes]
    bundles: dict[str, tuple[bytes, ...]]
    publisher: Publisher = field(
        default_factory=lambda: Publisher(kind="GitHub", repository=REPOSITORY, workflow="release.yml")
    )
    earlier: Mapping[str, bool] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    fails: UnmoorError | None = None
    name: str = "pypi"

    def holding(self, project: str, version: str) -> Holding:
        """The files of the version; of an earlier one, a file that has attestations or not."""
        assert project == PROJECT
        if self.fails:
            raise self.fails
        if version in self.earlier:
            at = "https://example.org/p" if self.earlier[version] else ""
            return Holding(simple={"x": ListedFile(name="x", url="", sha256=None, provenance=at)}, json=None)
        listed = {
            name: ListedFile(name=name, url="", sha256=sha256(data), provenance="p" if name in self.bundles else "")
            for name, data in self.files.items()
        }
        return Holding(simple=listed if version == VERSION else {}, json=None)

    def provenance(self, listed: ListedFile) -> tuple[AttestedBy, ...]:
        """The attestations."""
        found = self.bundles.get(listed.name, ())
        return (AttestedBy(publisher=self.publisher, bundles=found),) if found else ()

    def links(self, project: str, version: str) -> Mapping[str, str]:
        """Those in ``addresses``."""
        del project, version
        return self.addresses

    def versions(self, project: str) -> Mapping[Version, bool]:
        """This and the earlier versions."""
        del project
        return {Version(each): False for each in (VERSION, *self.earlier)}

    def fetch(self, listed: ListedFile, into: Path) -> File:
        """Write a file."""
        return write(into, listed.name, self.files[listed.name])


@dataclass(kw_only=True)
class FakeRegistry:
    """A registry with manifests and blobs by digest, tags, and referrers by the digest that they are about."""

    manifests: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    about: dict[str, tuple[Referrer, ...]] = field(default_factory=dict)
    fails: UnmoorError | None = None
    name: str = "ghcr.io/acme/demo"

    def put(self, data: bytes) -> str:
        """Hold a manifest."""
        digest = f"sha256:{sha256(data)}"
        self.manifests[digest] = data
        return digest

    def manifest(self, reference: str, *, anonymous: bool = False) -> OciManifest | None:
        """A manifest by digest."""
        del anonymous
        if self.fails:
            raise self.fails
        data = self.manifests.get(reference)
        return OciManifest(data=data, digest=reference, media_type=oci.OCI_MANIFEST) if data is not None else None

    def head(self, reference: str) -> str | None:
        """The digest behind a tag."""
        return self.tags.get(reference)

    def referrers(self, digest: str) -> tuple[Referrer, ...]:
        """What is about a digest."""
        return self.about.get(digest, ())

    def blob(self, digest: str) -> bytes:
        """A blob by digest."""
        return self.blobs[digest]


@dataclass(kw_only=True)
class PublishedRelease:
    """The release, what signs in its name, and what it is verified against."""

    job: SigningJob
    trust: Path
    signer: Identity
    forge: FakeForge
    index: FakeServedIndex
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    roots: tuple[Path, ...] = ()
    verifier: SigstoreVerifier | None = None

    def statement(self, statement: bytes) -> bytes:
        """Sign a statement as the workflow of the release."""
        return self.job.sigstore().signer.sign_statement(statement)

    def file(self, data: bytes) -> bytes:
        """Sign a file as the workflow of the release."""
        return self.job.sigstore().signer.sign_file(sha256(data))

    def copy(self) -> PublishedRelease:
        """A release of the same bytes that can be changed."""
        forge, index = self.forge, self.index
        return PublishedRelease(
            job=self.job,
            trust=self.trust,
            signer=self.signer,
            forge=FakeForge(assets=dict(forge.assets), number=forge.number, commit=forge.commit),
            index=FakeServedIndex(files=dict(index.files), bundles=dict(index.bundles)),
        )

    def verify(
        self, folder: Path, *, package: bool = False, identity: str = "", trust: Path | None = None
    ) -> VerificationResult:
        """Verify it, as ``acme/demo@v1.0`` or as ``demo==1.0``."""
        verification = Verification(
            forge=lambda name: cast(
                "Any", self.forge if name == REPOSITORY else FakeForge(assets={}, number=9, commit="")
            ),
            index=cast("Any", self.index),
            registry=lambda _name: cast("Any", self.registry),
            verifier=self.verifier
            or SigstoreVerifier(trust=TrustFiles(paths=(str(trust or self.trust), *map(str, self.roots)))),
            folder=folder,
            surface="github",
            site=SITE,
            identity=identity,
        )
        return verification.package(PROJECT, VERSION) if package else verification.tag(REPOSITORY, TAG)


def manifest_of(files: Mapping[str, bytes], commit: str, **changed: Any) -> bytes:
    """The manifest of files."""
    artifacts = tuple(
        Artifact(name=name, kind="wheel" if name.endswith(".whl") else "sdist", sha256=sha256(data), size=len(data))
        for name, data in files.items()
    )
    fields: dict[str, Any] = {
        "project": PROJECT,
        "version": VERSION,
        "tag": TAG,
        "commit": commit,
        "repository": REPOSITORY,
        "prerelease": False,
        "artifacts": artifacts,
    }
    return manifests.encode(Manifest(**(fields | changed)))


def sums_of(files: Mapping[str, bytes]) -> bytes:
    """The checksums of files."""
    return checksum_lines(
        File(name=name, sha256=sha256(data), size=len(data), path=Path(name)) for name, data in files.items()
    )


def subjects_of(files: Mapping[str, bytes]) -> tuple[Subject, ...]:
    """The files as subjects."""
    return tuple(Subject(name=name, sha256=sha256(data)) for name, data in files.items())


@contextmanager
def publish(folder: Path) -> Iterator[PublishedRelease]:
    """Sign a release in a local world, which runs as long as more may be signed."""
    with local.start(folder / "world", repository=REPOSITORY, checkout=None, tag=TAG) as world:
        job = SigningJob(world=world)
        signer = job.sigstore().signer
        identity = signer.identity()
        files = {WHEEL: b"a wheel" * 100, SDIST: b"an sdist" * 100}
        assets = dict(files)
        assets[SUMS], assets[manifests.NAME] = sums_of(files), manifest_of(files, identity.commit)
        for name in (SUMS, manifests.NAME):
            assets[bundle_name(name)] = signer.sign_file(sha256(assets[name]))
        attested = {}
        for subject in subjects_of(files):
            attested[subject.name] = signer.sign_statement(publish_statement(subject))
            assets[bundle_name(subject.name)] = attested[subject.name]
        assets[PROVENANCE] = signer.sign_statement(release_provenance(subjects_of(files), run=identity))
        yield PublishedRelease(
            job=job,
            trust=world.folder / "trust.json",
            signer=identity,
            forge=FakeForge(assets=assets, number=int(identity.repository_id), commit=identity.commit),
            index=FakeServedIndex(files=dict(files), bundles={name: (each,) for name, each in attested.items()}),
        )


def found(verdict: VerificationResult, surface: str, name: str) -> CheckedItem:
    """The check of one thing."""
    return next(each for each in verdict.checks if (each.surface, each.name) == (surface, name))


def down() -> UnmoorError:
    """The error of a server that does not answer."""
    return Unknown("the server answered 502")


def edited(bundle: bytes, change: Callable[[Any], None]) -> bytes:
    """A signature with something changed."""
    document = json.loads(bundle)
    change(document)
    return json.dumps(document).encode()
