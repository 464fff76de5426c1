"""The stage ``sign-images`` against the Sigstore of a local world and a real registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.local_forge import DISTS, RELEASE, LocalForge, start_forge
from tests.support.real_registries import RealRegistry, make_image, put_image, put_manifest, run_registry
from tests.support.signers import SigningJob
from tests.support.syft import REPORT

from unmoor.adapters.registry import OciRegistry
from unmoor.advice import NextStep
from unmoor.artifacts import oci
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, StageContext
from unmoor.errors import Denied, Incomplete, Rejected, Unknown, UnmoorError
from unmoor.images import oci_documents
from unmoor.images.attestations import put_bundle, read_bundle
from unmoor.images.image_plan import read_remote
from unmoor.ports.registry import OciManifest, Registry
from unmoor.ports.signer import Signing as SigningPort
from unmoor.ports.world import Login
from unmoor.products import Dists, File, Image, ImageSbom, ImageSboms, Pushed, PushedImage, Release, SignedImages
from unmoor.provenance.names import image_bundle_name, image_sbom_name
from unmoor.provenance.statements import CYCLONEDX, PROVENANCE, image_provenance, publish_statement, sbom_statement
from unmoor.publish.image_signatures import ImageStatement
from unmoor.sbom.image import write
from unmoor.stages.sign_images import SignImages
from unmoor.util.secret import Secret
from unmoor.util.values import replace

PUSHED: Output[Pushed] = Output("registry")
SBOMS: Output[ImageSboms] = Output("sbom-images")
ENTRIES = "/api/v1/log/entries"
WORKFLOW = "acme/demo/.github/workflows/release.yml"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tag."""
    with start_forge(tmp_path_factory.mktemp("sign-images")) as running:
        yield running


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry without the referrers API; every test has its own images."""
    with run_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@dataclass(frozen=True)
class Refusing:
    """A registry that does not take signatures: it raises this error instead."""

    real: OciRegistry
    error: UnmoorError

    def put_referrer(self, *_: object) -> None:
        """Raise the error."""
        raise self.error

    def __getattr__(self, name: str) -> Any:
        """Do everything else as the real one."""
        return getattr(self.real, name)


@dataclass(frozen=True)
class Signing:
    """A release with two images on one registry, in a job that signs."""

    at: LocalForge
    there: RealRegistry
    job: SigningJob
    folder: RunFolder
    release: Release
    images: tuple[PushedImage, ...]
    sboms: list[ImageSbom] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def registry(self) -> OciRegistry:
        """The repository of the images."""
        return self.there.open("acme/demo", self.at.http, self.at.clock)

    @property
    def context(self) -> StageContext:
        """The context of the stage."""
        wheel = File(name="demo-1.0-py3-none-any.whl", sha256="a" * 64, size=1, path=Path("wheel"))
        products = {RELEASE.by: self.release, DISTS.by: Dists(files=(wheel,)), PUSHED.by: Pushed(images=self.images)}
        products |= {SBOMS.by: ImageSboms(sboms=tuple(self.sboms), why_not="syft is not installed")}
        return StageContext(products, warn=self.warnings.append)

    def stage(
        self,
        registry: object = None,
        *,
        folder: RunFolder | None = None,
        required: bool = False,
        described: bool = False,
        sbom_required: bool = False,
        signing: SigningPort | None = None,
    ) -> SignImages:
        """The stage, of a new job each time."""
        return SignImages(
            release=RELEASE,
            dists=DISTS,
            pushed=PUSHED,
            sboms=SBOMS if described else None,
            signing=signing or self.job.sigstore(),
            registries=(cast("Registry", registry or self.registry),),
            forge=self.at.forge(),
            git=self.at.git,
            folder=folder or self.folder,
            required=required,
            sbom_required=sbom_required,
        )

    def entries(self) -> int:
        """How many signatures were asked of the log."""
        return self.job.requests(ENTRIES)

    def claims(self, **claims: str | None) -> dict[str, str | None]:
        """The claims of the job that releases this tag, or of another one."""
        ref = f"refs/tags/{self.release.tag}"
        file = f"{claims.pop('workflow', WORKFLOW)}@{ref}"
        return {"ref": ref, "sha": self.at.commit, "workflow_ref": file, "job_workflow_ref": file} | claims

    def plant(self, image: PushedImage, bundle: bytes, kind: str = PROVENANCE) -> str:
        """Put a bundle of somebody else beside an image, and return its digest."""
        return put_bundle(self.registry, image.digest, bundle, kind, created=1).digest


@pytest.fixture
def it(at: LocalForge, there: RealRegistry, tmp_path: Path) -> Iterator[Signing]:
    """A release of its own, in a job of its tag."""
    release = at.release()
    registry = there.open("acme/demo", at.http)
    images = []
    for target in ("server", "worker"):
        built = make_image(f"{release.tag} {target}")
        put_image(there, "acme/demo", built, f"sha-{release.version}-{target}")
        images.append(
            PushedImage(
                name=registry.name,
                target=target,
                tag=f"sha-{release.version}-{target}",
                digest=built.manifest.digest,
                platforms=(("linux/amd64", built.manifest.digest),),
            )
        )
    running = Signing(at, there, SigningJob(world=at.running), RunFolder(tmp_path / "run"), release, tuple(images))
    with running.job.claims(**running.claims()):
        yield running


def test_images_are_signed_once_and_found_equal(it: Signing, tmp_path: Path) -> None:
    """Each image gets one signature, which every machine finds; undo leaves it."""
    assert it.stage().find(it.context) is None
    before = it.entries()
    made = it.stage().make(it.context)
    assert [(each.name, each.digest) for each in made.images] == [(each.name, each.digest) for each in it.images]
    assert made.why_not == ""
    elsewhere = RunFolder(tmp_path / "elsewhere")
    assert it.stage(folder=elsewhere).find(it.context) == made
    assert it.stage().make(it.context) == made
    assert it.entries() == before + 2
    assert isinstance(it.stage().undo(made), NotUndone)
    assert not it.warnings


def test_what_a_signature_says(it: Signing) -> None:
    """The statement is provenance of the image's digest, by the run, and a plain client finds it by the tag schema."""
    made = it.stage().make(it.context)
    image, signed = it.images[0], made.images[0]
    tag = oci.referrers_tag(image.digest)
    index = it.there.request("GET", f"/v2/acme/demo/manifests/{tag}", headers={"Accept": oci.OCI_INDEX}).json()
    (entry,) = index["manifests"]
    assert (entry["digest"], entry["artifactType"]) == (signed.referrer, oci_documents.BUNDLE)
    assert entry["annotations"]["dev.sigstore.bundle.predicateType"] == PROVENANCE
    path = f"/v2/acme/demo/manifests/{signed.referrer}"
    manifest = it.there.request("GET", path, headers={"Accept": oci.OCI_MANIFEST}).json()
    assert manifest["subject"]["digest"] == image.digest
    assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    (layer,) = manifest["layers"]
    bundle = it.there.request("GET", f"/v2/acme/demo/blobs/{layer['digest']}").content
    verified = it.job.sigstore().verifier.statement(bundle)
    assert verified.predicate_type == PROVENANCE
    assert [(each.name, each.sha256) for each in verified.subjects] == [(image.name, image.digest[7:])]
    build = verified.predicate["buildDefinition"]
    assert build["externalParameters"]["workflow"]["path"] == ".github/workflows/release.yml"
    assert {each["uri"] for each in build["resolvedDependencies"]} == {
        f"git+https://github.com/acme/demo@refs/tags/{it.release.tag}",
        "pkg:generic/demo-1.0-py3-none-any.whl",
    }


def _of_another_run(it: Signing, **claims: str | None) -> bytes:
    image = it.images[0]
    with it.job.claims(**it.claims(**claims)):
        thief = it.job.sigstore().signer
        return thief.sign_statement(image_provenance(image.name, image.digest, run=thief.identity()))


def _of_another_digest(it: Signing) -> bytes:
    signer = it.job.sigstore().signer
    return signer.sign_statement(image_provenance(it.images[0].name, it.images[1].digest, run=signer.identity()))


def _of_another_type(it: Signing) -> bytes:
    provenance = ImageStatement(name=it.images[0].name, digest=it.images[0].digest)
    return it.job.sigstore().signer.sign_statement(publish_statement(provenance.needed.subjects[0]))


def _tampered(it: Signing) -> bytes:
    signer = it.job.sigstore().signer
    image = it.images[0]
    bundle = json.loads(signer.sign_statement(image_provenance(image.name, image.digest, run=signer.identity())))
    payload = bundle["dsseEnvelope"]["payload"]
    bundle["dsseEnvelope"]["payload"] = payload[:-8] + payload[-8:].swapcase()
    return json.dumps(bundle).encode()


PLANTED: dict[str, tuple[Callable[[Signing], bytes], str]] = {
    "of another workflow": (
        lambda it: _of_another_run(it, workflow="acme/demo/.github/workflows/evil.yml"),
        "the workflow is .github/workflows/evil.yml",
    ),
    "of another commit": (lambda it: _of_another_run(it, sha="b" * 40), "the commit is bbbb"),
    "of another repository": (lambda it: _of_another_run(it, repository_id="666"), "the repository number is 666"),
    "of another image": (_of_another_digest, "it signs other files"),
    "of another type": (_of_another_type, "it is of the type"),
    "tampered": (_tampered, ""),
    "garbage": (lambda _: b"garbage", ""),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_signature_is_named_and_does_not_count(it: Signing, name: str) -> None:
    """Only a signature that verifies, is about this digest and made by this workflow counts; the others stay there."""
    make, why = PLANTED[name]
    planted = it.plant(it.images[0], make(it))
    assert it.stage().find(it.context) is None
    assert [planted in line and why in line for line in it.warnings] == [True]
    made = it.stage().make(it.context)
    assert it.stage().find(it.context) == made
    listed = {each.digest for each in it.registry.referrers(it.images[0].digest)}
    assert listed == {planted, made.images[0].referrer}


def test_a_second_good_signature_is_named(it: Signing) -> None:
    """Two signatures of one type: the first counts, the second is named, and no third is made."""
    made = it.stage().make(it.context)
    second = it.plant(it.images[0], _of_another_run(it))
    assert it.stage().find(it.context) == made
    assert [second in line and "says the same as" in line for line in it.warnings] == [True]


def test_a_list_that_lies_is_named(it: Signing) -> None:
    """An entry that names another image, or claims its signature for this one, does not count."""
    made = it.stage().make(it.context)
    mine, other = it.images
    entry = {
        "mediaType": oci.OCI_MANIFEST,
        "artifactType": oci_documents.BUNDLE,
        "annotations": {oci_documents.PREDICATE_TYPE: PROVENANCE},
        "size": 1,
    }
    lies = [entry | {"digest": made.images[1].referrer}, entry | {"digest": other.digest}]
    data = json.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": lies}).encode()
    index = OciManifest(data=data, digest=oci.digest_of(data), media_type=oci.OCI_INDEX)
    put_manifest(it.there, "acme/demo", index, oci.referrers_tag(mine.digest))
    assert it.stage().find(it.context) is None
    assert f"it is about {other.digest}, and not about {mine.digest}" in it.warnings[0]
    assert "and no Sigstore bundle" in it.warnings[1]
    # The signature itself is in the run folder, and is listed again beside what others wrote.
    before = it.entries()
    assert it.stage().make(it.context) == made
    assert it.entries() == before
    assert len(it.registry.referrers(mine.digest)) == 3


def test_the_statements_of_others_are_not_read(it: Signing) -> None:
    """A signature of another kind, such as cosign's, is no fault and stays."""
    planted = it.plant(it.images[0], b"whatever", kind="https://sigstore.dev/cosign/sign/v1")
    made = it.stage().make(it.context)
    assert not it.warnings
    listed = [each.digest for each in it.registry.referrers(it.images[0].digest)]
    assert listed == [planted, made.images[0].referrer]


@pytest.mark.parametrize("error", [Unknown("no answer"), Unknown("no answer", next_step=NextStep("wait"))])
def test_a_run_killed_between_signature_and_upload_signs_nothing_again(it: Signing, error: UnmoorError) -> None:
    """The signature in the run folder is put beside the image, byte for byte."""
    with pytest.raises(Unknown):
        it.stage(Refusing(it.registry, error)).make(it.context)
    before = it.entries()
    left = {each.digest: it.folder.read_signature(image_bundle_name(each.name, each.digest)) for each in it.images}
    made = it.stage().make(it.context)
    signed_again = sum(data is None for data in left.values())
    assert it.entries() == before + signed_again
    assert it.stage().find(it.context) == made


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("kind", [Rejected, Denied])
def test_a_registry_that_takes_no_signatures(it: Signing, kind: type[UnmoorError], *, required: bool) -> None:
    """It stops the release if signatures are required; else the images stay unsigned, with a warning."""
    refusing = Refusing(it.registry, kind("manifests with a subject are not allowed"))
    if required:
        with pytest.raises(kind):
            it.stage(refusing, required=True).make(it.context)
        return
    made = it.stage(refusing).make(it.context)
    assert made == SignedImages(why_not=f"{it.registry.name}: manifests with a subject are not allowed")
    assert "2 images not signed" in it.warnings[-1]


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"repository_visibility": "private"}, "acme/demo is private"),
        ({"ref": "refs/heads/main"}, "this run is of refs/heads/main"),
    ],
)
def test_what_this_run_cannot_sign(it: Signing, claims: dict[str, str | None], why: str) -> None:
    """A private repository is not named in the public log; a run of a branch cannot sign, and must not be needed to."""
    before = it.entries()
    with it.job.claims(**it.claims(**claims)):
        found = it.stage().find(it.context)
        assert found is not None
        assert why in found.why_not
        assert it.stage().make(it.context) == found
        assert it.entries() == before
        if "ref" in claims:
            with pytest.raises(Denied, match="would not name this release"):
                it.stage(required=True).make(it.context)


def test_a_run_without_an_identity_finishes_what_is_signed(it: Signing) -> None:
    """Signatures of this repository's workflows count, others do not, and it makes none."""
    nobody = it.job.sigstore(token=Login(username="", secret=Secret(""), origin="no token was given"))
    with pytest.raises(Denied, match="nothing can be signed"):
        it.stage(signing=nobody, required=True).find(it.context)
    planted = it.plant(it.images[0], _of_another_run(it, repository_id="666"))
    with pytest.raises(Denied, match="nothing can be signed"):
        it.stage(signing=nobody, required=True).find(it.context)
    assert planted in it.warnings[-1]
    made = it.stage(required=True).make(it.context)
    assert it.stage(signing=nobody, required=True).find(it.context) == made
    for path, counts in ((WORKFLOW.removeprefix("acme/demo/"), True), (".github/workflows/other.yml", False)):
        stage = replace(it.stage(signing=nobody, required=True), workflow=path)
        if counts:
            assert stage.find(it.context) == made
        else:
            with pytest.raises(Denied, match="nothing can be signed"):
                stage.find(it.context)


@pytest.mark.parametrize("fault", ["down", "busy"])
def test_a_log_that_fails_leaves_no_image_half_signed(it: Signing, fault: str) -> None:
    """Nothing is put beside an image, and the same command finishes."""
    with it.job.failing(fault, f"POST ={ENTRIES}"):
        try:
            it.stage().make(it.context)
        except Unknown:
            assert [it.registry.referrers(each.digest) for each in it.images] == [(), ()]
    assert it.stage().make(it.context).why_not == ""


def _describe(it: Signing, image: PushedImage, config: str = "") -> ImageSbom:
    """Write a bill of materials of the image whose configuration has this digest."""
    known = read_remote(it.registry, image.digest)
    assert known is not None
    built = Image(name=image.name, target=image.target, platform="linux/amd64", id=config or known.configs[0], size=1)
    data = write(json.dumps(REPORT), built, date=0, program="syft")
    return ImageSbom(image=built, file=it.folder.write_sbom(image_sbom_name(built.name, built.id), data))


def test_an_sbom_is_signed_once(it: Signing, tmp_path: Path) -> None:
    """It is beside the image as a second statement, about the same digest; another day's one is not added."""
    it.sboms.extend(_describe(it, each) for each in it.images)
    before = it.entries()
    made = it.stage(described=True).make(it.context)
    assert it.entries() == before + 4
    assert [each.digest for each in made.sboms] == [each.digest for each in made.images]
    assert made.summary == "2 signed images, 2 signed SBOMs of them"
    image = it.images[0]
    kinds = {each.annotations[oci_documents.PREDICATE_TYPE] for each in it.registry.referrers(image.digest)}
    assert kinds == {PROVENANCE, CYCLONEDX}
    (listed,) = (each for each in it.registry.referrers(image.digest) if each.digest == made.sboms[0].referrer)
    said = it.job.sigstore().verifier.statement(read_bundle(it.registry, image.digest, listed))
    assert said.predicate == json.loads(it.sboms[0].file.path.read_text())
    assert [(each.name, each.sha256) for each in said.subjects] == [(image.name, image.digest[7:])]
    # Another machine, with another bill of materials of the same image.
    elsewhere = it.stage(folder=RunFolder(tmp_path / "elsewhere"), described=True)
    changed = json.dumps(REPORT | {"components": REPORT["components"][:1]})
    it.sboms[0].file.path.write_bytes(write(changed, it.sboms[0].image, date=0, program="syft"))
    assert elsewhere.find(it.context) == made
    assert elsewhere.make(it.context) == made
    assert it.entries() == before + 4
    assert not it.warnings


def test_each_platform_has_its_own(it: Signing, there: RealRegistry) -> None:
    """An image for several platforms: each SBOM is about the digest of its platform, the provenance about the index."""
    built = {each: make_image(f"{it.release.tag} {each}", platform=each) for each in ("linux/amd64", "linux/arm64")}
    for platform, each in built.items():
        put_image(there, "acme/demo", each, f"{it.release.version}-{platform[6:]}")
    entries = [
        {
            "mediaType": each.manifest.media_type,
            "digest": each.manifest.digest,
            "size": len(each.manifest.data),
            "platform": {"os": "linux", "architecture": platform[6:]},
        }
        for platform, each in built.items()
    ]
    data = json.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": entries}).encode()
    index = OciManifest(data=data, digest=oci.digest_of(data), media_type=oci.OCI_INDEX)
    put_manifest(there, "acme/demo", index, it.release.version)
    image = PushedImage(
        name=it.registry.name,
        target="",
        tag=it.release.version,
        digest=index.digest,
        platforms=tuple((platform, each.manifest.digest) for platform, each in built.items()),
    )
    at = replace(it, images=(image,))
    for platform, each in built.items():
        config = oci.read_manifest(each.manifest.data, each.manifest.media_type, where="")
        assert isinstance(config, oci.ImageManifest)
        sbom = _describe(it, it.images[0], config.config.digest)
        at.sboms.append(replace(sbom, image=replace(sbom.image, platform=platform)))
    made = at.stage(described=True).make(at.context)
    assert [each.digest for each in made.images] == [index.digest]
    assert {each.digest for each in made.sboms} == {each.manifest.digest for each in built.values()}
    assert at.stage(described=True).find(at.context) == made


def test_an_sbom_that_is_not_of_the_image(it: Signing) -> None:
    """One of an image that is not on the registry is signed for none; without any, the provenance is signed alone."""
    it.sboms.append(_describe(it, it.images[0], f"sha256:{'f' * 64}"))
    made = it.stage(described=True).make(it.context)
    assert (len(made.images), made.sboms, made.why_not) == (2, (), "")
    assert it.stage(described=True).find(it.context) == made
    assert not it.warnings


def test_a_required_sbom_that_is_missing(it: Signing) -> None:
    """Nothing is signed before every image has one; the error says why there is none."""
    it.sboms.append(_describe(it, it.images[0]))
    before = it.entries()
    with pytest.raises(Incomplete, match=r"an SBOM of .*syft is not installed"):
        it.stage(described=True, sbom_required=True).make(it.context)
    assert it.entries() == before
    it.sboms.append(_describe(it, it.images[1]))
    made = it.stage(described=True, sbom_required=True).make(it.context)
    it.sboms.clear()
    assert it.stage(described=True, sbom_required=True).find(it.context) == made


def _sbom_of(it: Signing, image: PushedImage, **claims: str | None) -> bytes:
    subject = ImageStatement(name=image.name, digest=image.digest, predicate_type=CYCLONEDX).needed.subjects[0]
    with it.job.claims(**it.claims(**claims)):
        return it.job.sigstore().signer.sign_statement(sbom_statement(subject, REPORT))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda it: _sbom_of(it, it.images[0], workflow="acme/demo/.github/workflows/evil.yml"), "evil.yml"),
        (lambda it: _sbom_of(it, it.images[1]), "it signs other files"),
        (_of_another_run, "it is of the type"),
        (lambda _: b"garbage", ""),
    ],
)
def test_a_planted_sbom_does_not_count(it: Signing, make: Callable[[Signing], bytes], why: str) -> None:
    """Only one about this digest, of this type, by this workflow counts; the others are named and stay."""
    planted = it.plant(it.images[0], make(it), CYCLONEDX)
    it.sboms.append(_describe(it, it.images[0]))
    made = it.stage(described=True).make(it.context)
    assert [planted in line and why in line for line in it.warnings] == [True]
    assert [each.digest for each in made.sboms] == [it.images[0].digest]
    assert made.sboms[0].referrer != planted


def test_a_run_that_cannot_sign_needs_no_sbom(it: Signing) -> None:
    """Who finishes a signed release by hand, with syft, does not stop for an SBOM that it could not sign."""
    made = it.stage(required=True).make(it.context)
    it.sboms.extend(_describe(it, each) for each in it.images)
    nobody = it.job.sigstore(token=Login(username="", secret=Secret(""), origin="no token was given"))
    assert it.stage(signing=nobody, required=True, described=True).find(it.context) == made
