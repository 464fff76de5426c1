"""The stage ``sign`` against the Sigstore and the forge of a local world."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.listed_index import FakeIndex
from tests.support.local_forge import DISTS, PROOF, RELEASE, DraftInputs, LocalForge, draft_inputs, start_forge
from tests.support.signers import SigningJob

from unmoor.adapters.sigstore.attestations import to_attestation, to_bundle
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, StageContext
from unmoor.errors import Conflict, Denied, Refused, Unknown, UnmoorError
from unmoor.ports.forge import Forge
from unmoor.ports.index import Holding, ListedFile
from unmoor.ports.world import Login
from unmoor.products import Access, Certainty, Finding, Image, Images, Proof, Provenance, Sboms, Signed
from unmoor.products.signatures import BY_HAND
from unmoor.provenance.build import build_provenance
from unmoor.provenance.names import bundle_name
from unmoor.provenance.statements import PROVENANCE as SLSA
from unmoor.publish.draft_text import how_to_verify
from unmoor.publish.release_assets import same_text
from unmoor.stages.sign import SignFiles
from unmoor.util.secret import Secret
from unmoor.util.values import replace

SIGNED: Output[Signed] = Output("sign")
IMAGES: Output[Images] = Output("images")
IMAGE_PROOF: Output[Proof] = Output("prove-images")
ACCESS: Output[Access] = Output("access")
SBOMS: Output[Sboms] = Output("sbom")
PROVENANCE: Output[Provenance] = Output("provenance")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("sign")) as running:
        yield running


@dataclass(frozen=True)
class Signing:
    """A release that is built and proven, in a job that signs."""

    at: LocalForge
    job: SigningJob
    inputs: DraftInputs
    index: FakeIndex = field(default_factory=lambda: FakeIndex(Holding(simple={}, json=None)))

    @property
    def context(self) -> StageContext:
        """The context of the stage."""
        made = build_provenance(self.inputs.release, self.inputs.dists)
        access = Access(findings=self.findings)
        return StageContext({**self.inputs.context.products, PROVENANCE.by: made, ACCESS.by: access})

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the stage ``access`` found of this release on the index."""
        held = self.index.holding("", "").names
        return (Finding(surface="pypi", certainty=Certainty.PROVEN, detail="", held=tuple(held)),) if held else ()

    def stage(self, folder: RunFolder | None = None, *, required: bool = False) -> SignFiles:
        """The stage, of a new job each time."""
        return SignFiles(
            release=RELEASE,
            dists=DISTS,
            access=ACCESS,
            provenance=PROVENANCE,
            proof=PROOF,
            signing=self.job.sigstore(),
            forge=self.at.forge(),
            index=self.index,
            git=self.at.git,
            folder=folder or self.inputs.stage.folder,
            required=required,
        )

    def draft(self, signed: Signed, *, public: bool = False) -> None:
        """Make the draft with these signatures, and publish it."""
        stage = replace(self.inputs.stage, signed=SIGNED)
        stage.make(StageContext({**self.context.products, SIGNED.by: signed}))
        if public:
            (made,) = self.at.forge().releases(self.inputs.release.tag)
            self.at.forge().publish(made, prerelease=False, latest=False)

    def stored(self) -> tuple[bytes, ...]:
        """The provenance that the forge stores about the first file."""
        return self.at.forge().attestations(self.inputs.dists.files[0].sha256, SLSA)

    def holding(self, made: Signed, *attested: str) -> Signing:
        """The same, with an index that has all files, and attestations of those whose name has one of these endings."""
        files = self.inputs.dists.files
        has = {file.name: bundle_of(made, file.name) for file in files if file.name.endswith(attested)}
        simple = {
            file.name: ListedFile(
                name=file.name, url="", sha256=file.sha256, provenance="there" if file.name in has else ""
            )
            for file in files
        }
        attestations = {name: (to_bundle(to_attestation(bundle)),) for name, bundle in has.items()}
        return replace(self, index=FakeIndex(Holding(simple=simple, json=None), attested=attestations))


@pytest.fixture
def it(at: LocalForge, tmp_path: Path) -> Iterator[Signing]:
    """A release of its own, in a job of its tag."""
    inputs = draft_inputs(at, tmp_path)
    job = SigningJob(world=at.running)
    ref = f"refs/tags/{inputs.release.tag}"
    workflow = f"{inputs.release.repository}/.github/workflows/release.yml@{ref}"
    with job.claims(ref=ref, sha=at.commit, workflow_ref=workflow, job_workflow_ref=workflow):
        yield Signing(at, job, inputs)


def bundle_of(made: Signed, file: str) -> bytes:
    """The signature of a file."""
    found = made.named(bundle_name(file))
    assert found is not None
    return found.path.read_bytes()


def names(signed: Signed | None) -> list[str]:
    """The names of the signatures."""
    assert signed is not None
    return [each.name for each in signed.bundles]


def test_signatures_are_found_equal_and_stay(it: Signing) -> None:
    """Every file, the provenance and both lists are signed once; undo leaves them."""
    assert it.stage().find(it.context) is None
    made = it.stage().make(it.context)
    version = it.inputs.release.version
    assert names(made) == [
        "SHA256SUMS.sigstore.json",
        f"demo-{version}-py3-none-any.whl.sigstore.json",
        f"demo-{version}.provenance.sigstore.json",
        f"demo-{version}.tar.gz.sigstore.json",
        "manifest.json.sigstore.json",
    ]
    assert (made.why_not, made.withheld) == ("", "")
    assert it.stage().find(it.context) == made
    assert isinstance(it.stage().undo(made), NotUndone)


def test_the_record_of_images_has_a_signature_of_its_own(it: Signing) -> None:
    """The manifest does not list the images. One that was lost and built again is signed again, and nothing else is."""
    signed = []
    for digit in "12":
        image = Image(name="ghcr.io/acme/demo", target="", platform="linux/amd64", id=f"sha256:{digit * 64}", size=1)
        more = {IMAGES.by: Images(images=(image,)), IMAGE_PROOF.by: Proof(name="prove-images", subjects=(), results=())}
        context = StageContext({**it.context.products, **more})
        stage = replace(it.stage(), images=IMAGES, image_proof=IMAGE_PROOF)
        before = it.job.requests("/api/v1/log/entries")
        made = {each.name: each.sha256 for each in stage.make(context).bundles}
        signed.append((it.job.requests("/api/v1/log/entries") - before, made))
    (first, one), (second, other) = signed
    assert (first, second) == (6, 1)
    assert {name for name in one if one[name] != other[name]} == {"images.json.sigstore.json"}


def test_what_was_made_by_hand_stays_unsigned(it: Signing) -> None:
    """The manifest says so, and it never changes; if signatures are required, that is a conflict."""
    by_hand = replace(it.inputs.dists, decisions=(BY_HAND,))
    context = StageContext({**it.context.products, DISTS.by: by_hand})
    found = it.stage().find(context)
    assert found is not None
    assert (found.bundles, found.why_not) == ((), f"the manifest says {BY_HAND!r}")
    with pytest.raises(Conflict, match="but attestations"):
        it.stage(required=True).find(context)


def test_a_bill_of_materials_is_signed_with_its_content(it: Signing) -> None:
    """The statement is about the wheel and holds the bill of materials; a signature of another one does not count."""
    wheel = it.inputs.dists.wheels[0]
    folder, name = it.inputs.stage.folder, f"{wheel.name}.cdx.json"
    stage = replace(it.stage(), sboms=SBOMS)

    def described(version: int) -> StageContext:
        sbom = folder.write_sbom(name, json.dumps({"bomFormat": "CycloneDX", "version": version}).encode())
        return StageContext({**it.context.products, SBOMS.by: Sboms(files=(sbom,))}, warn=said.append)

    said: list[str] = []
    made = stage.make(described(1))
    bundle = made.named(f"{name}.sigstore.json")
    assert bundle is not None
    statement = it.job.sigstore().verifier.statement(bundle.path.read_bytes())
    assert statement.predicate_type == "https://cyclonedx.org/bom"
    assert statement.predicate == {"bomFormat": "CycloneDX", "version": 1}
    assert [(each.name, each.sha256) for each in statement.subjects] == [(wheel.name, wheel.sha256)]
    assert stage.find(described(1)) == made
    assert stage.find(described(2)) is None
    assert any("it holds another SBOM" in line for line in said)


@pytest.mark.parametrize("made_before", range(6))
def test_a_killed_run_signs_only_what_is_missing(it: Signing, made_before: int) -> None:
    """Whenever it was killed, the other signatures are those of the first run, byte for byte, and a half is none."""
    made = it.stage().make(it.context)
    for lost in made.bundles[made_before:]:
        lost.path.rename(lost.path.with_name(f".{'0' * 16}.part"))
    before = it.job.requests("/api/v1/log/entries")
    found = it.stage().find(it.context)
    assert (found == made) is (made_before == 5)
    again = it.stage().make(it.context)
    assert it.job.requests("/api/v1/log/entries") == before + 5 - made_before
    assert again.bundles[:made_before] == made.bundles[:made_before]
    assert {each.sha256 for each in again.bundles[made_before:]}.isdisjoint(each.sha256 for each in made.bundles)
    assert len(it.stored()) == 1


def test_another_machine_takes_the_signatures_from_the_draft(it: Signing, tmp_path: Path) -> None:
    """They are not made again, and the draft stays as it is."""
    made = it.stage().make(it.context)
    it.draft(made)
    before = it.job.requests("/api/v1/log/entries")
    elsewhere = RunFolder(tmp_path / "elsewhere")
    assert it.stage(elsewhere).find(it.context) == made
    assert it.job.requests("/api/v1/log/entries") == before
    assert elsewhere.read_signature(made.bundles[0].name) == made.bundles[0].path.read_bytes()


@pytest.mark.parametrize("planted", ["garbage", "of other bytes", "of another workflow", "of another commit"])
def test_a_planted_signature_does_not_count(it: Signing, planted: str) -> None:
    """What is in the run folder counts only if it verifies, and is of these bytes and this release's workflow."""
    made = it.stage().make(it.context)
    path = made.bundles[1].path
    if planted == "garbage":
        path.write_bytes(b"{}")
    elif planted == "of other bytes":
        path.write_bytes(made.bundles[3].path.read_bytes())
    else:
        ref = f"refs/tags/{it.inputs.release.tag}"
        workflow = f"acme/demo/.github/workflows/{'evil' if 'workflow' in planted else 'release'}.yml@{ref}"
        sha = "b" * 40 if "commit" in planted else it.at.commit
        subject = it.stage()._search(it.context, None).needed[1]
        with it.job.claims(ref=ref, sha=sha, workflow_ref=workflow, job_workflow_ref=workflow):
            thief = it.job.sigstore().signer
            path.write_bytes(subject.sign(thief, thief.identity()))
    said: list[str] = []
    context = StageContext(it.context.products, warn=said.append)
    assert it.stage().find(context) is None
    assert said
    assert all(path.name in line for line in said)
    assert it.stage().make(it.context).bundles[1].sha256 != made.bundles[1].sha256


def test_a_draft_with_a_planted_signature_gets_ours(it: Signing) -> None:
    """A bundle of garbage on the draft is replaced, and the release has only signatures that verify."""
    made = it.stage().make(it.context)
    it.draft(made)
    (there,) = it.at.forge().releases(it.inputs.release.tag)
    asset = next(each for each in there.assets if each.name == made.bundles[0].name)
    it.at.forge().detach(asset)
    bad = it.inputs.stage.folder.path / "bad" / asset.name
    bad.parent.mkdir()
    bad.write_bytes(b"{}")
    it.at.forge().attach(there, replace(made.bundles[0], path=bad, sha256="", size=2))
    found = it.stage().find(it.context)
    assert found == made
    it.draft(made)
    (there,) = it.at.forge().releases(it.inputs.release.tag)
    assert {each.name: each.sha256 for each in there.assets}[asset.name] == made.bundles[0].sha256


@pytest.mark.parametrize("required", [True, False])
def test_a_public_release_without_signatures(it: Signing, *, required: bool) -> None:
    """Nothing can be attached to it: an error if signatures are required, else the release is as it is."""
    it.draft(Signed(), public=True)
    if required:
        with pytest.raises(Conflict, match="lacks the signatures SHA256SUMS"):
            it.stage(required=True).find(it.context)
        return
    found = it.stage().find(it.context)
    assert found is not None
    assert found.bundles == ()
    assert found.why_not.startswith("the release is public without")


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"repository_visibility": "private"}, "acme/demo is private, and the public log would name it"),
        ({"repository_visibility": None}, "acme/demo is perhaps private"),
        ({"ref": "refs/heads/main"}, "this run is of refs/heads/main"),
        ({"sha": "c" * 40}, f"at {'c' * 40}, and not of"),
    ],
)
def test_nothing_is_signed_that_would_say_too_much_or_something_else(
    it: Signing, claims: dict[str, str | None], why: str
) -> None:
    """A private repository is named in the public log only by consent, and a signature names this tag and commit."""
    ref = f"refs/tags/{it.inputs.release.tag}"
    workflow = f"acme/demo/.github/workflows/release.yml@{ref}"
    usual = {"ref": ref, "sha": it.at.commit, "workflow_ref": workflow, "job_workflow_ref": workflow}
    before = it.job.requests("/api/v1/log/entries")
    with it.job.claims(**(usual | claims)):
        found = it.stage().find(it.context)
        assert found is not None
        assert why in found.why_not
        assert it.stage().make(it.context).why_not == found.why_not
        if "sha" in claims or "ref" in claims:
            with pytest.raises(Denied, match="would not name this release"):
                it.stage(required=True).make(it.context)
        else:
            assert it.stage(required=True).find(it.context) is None
    assert it.job.requests("/api/v1/log/entries") == before


def test_a_run_of_a_branch_uses_what_the_run_of_the_tag_signed(it: Signing, tmp_path: Path) -> None:
    """It cannot sign for the tag, but whoever continues by hand on a branch keeps the signatures of the draft."""
    made = it.stage().make(it.context)
    it.draft(made)
    branch = "acme/demo/.github/workflows/release.yml@refs/heads/main"
    with it.job.claims(ref="refs/heads/main", sha="d" * 40, workflow_ref=branch, job_workflow_ref=branch):
        assert it.stage(RunFolder(tmp_path / "elsewhere"), required=True).find(it.context) == replace(
            made, required=True
        )


def test_a_reusable_workflow_is_signed_and_sent_to_no_index(it: Signing) -> None:
    """Its certificate names the called file as the job's, and another as the run's: an index would refuse it."""
    ref = f"refs/tags/{it.inputs.release.tag}"
    called = f"acme/demo/.github/workflows/publish.yml@{ref}"
    caller = f"acme/demo/.github/workflows/release.yml@{ref}"
    with it.job.claims(ref=ref, sha=it.at.commit, workflow_ref=caller, job_workflow_ref=called):
        made = it.stage().make(it.context)
    assert len(made.bundles) == 5
    assert "reusable workflow" in made.withheld


def test_a_moved_tag_stops_before_anything_is_signed(it: Signing) -> None:
    """The log is public: nothing enters it for a tag that names another commit now."""
    it.at.repo.git("tag", "--force", it.inputs.release.tag, it.at.repo.commit({"more": it.inputs.release.tag}))
    before = it.job.requests("/api/v1/log/entries")
    with pytest.raises(Refused, match="was tested"):
        it.stage().make(it.context)
    assert it.job.requests("/api/v1/log/entries") == before


def test_a_log_that_is_down_stops_the_release(it: Signing) -> None:
    """A signature is made before the draft or never, so even an optional one is not left out silently."""
    with it.job.failing("down", "POST /api/v1/log/entries"), pytest.raises(Unknown):
        it.stage().make(it.context)
    assert it.at.forge().releases(it.inputs.release.tag) == ()
    assert len(it.stage().make(it.context).bundles) == 5


def test_the_forge_stores_the_provenance_once(it: Signing, tmp_path: Path) -> None:
    """Anybody finds it by the digest of each file. Neither another run nor another machine stores it again."""
    assert it.stored() == ()
    made = it.stage().make(it.context)
    assert made.stored
    (stored,) = it.stored()
    name = next(each for each in names(made) if ".provenance." in each)
    found = made.named(name)
    assert found is not None
    verifier = it.job.sigstore().verifier
    assert verifier.statement(stored) == verifier.statement(found.path.read_bytes())
    for file in it.inputs.dists.files:
        assert len(it.at.forge().attestations(file.sha256, SLSA)) == 1
    assert it.stage().find(it.context) == made
    assert it.stage().make(it.context) == made
    it.draft(made)
    assert it.stage(RunFolder(tmp_path / "elsewhere")).find(it.context) == made
    # A run that was killed after it stored the provenance signs again, and does not store a second one.
    assert it.stage(RunFolder(tmp_path / "third")).make(it.context).stored
    assert len(it.stored()) == 1


@pytest.mark.parametrize("required", [True, False])
def test_without_the_permission_the_provenance_is_only_an_asset(it: Signing, *, required: bool) -> None:
    """That is a warning with the line to add to the workflow. A later run that may store it does."""
    said: list[str] = []
    context = StageContext(it.context.products, warn=said.append)
    switch = it.at.world / "forge" / "no-attestations"
    switch.touch()
    try:
        made = it.stage(required=required).make(context)
    finally:
        switch.unlink()
    assert len(made.bundles) == 5
    assert not made.stored
    (line,) = said
    assert "the forge does not store the provenance" in line
    assert "'attestations: write'" in line
    assert it.stored() == ()
    assert it.stage(required=required).find(it.context) is None
    assert it.stage(required=required).make(it.context) == replace(made, stored=True)
    assert len(it.stored()) == 1


class Lossy:
    """A forge whose answers about attestations get lost: of the request that stores one, or of every one."""

    def __init__(self, forge: Forge, *, reads: bool) -> None:
        self._forge = forge
        self._reads = reads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forge, name)

    def attest(self, bundle: bytes) -> None:
        """Store it, and lose the answer."""
        self._forge.attest(bundle)
        raise Unknown("no answer")

    def attestations(self, sha256: str, predicate_type: str) -> tuple[bytes, ...]:
        """List them, or lose the answer."""
        if not self._reads:
            raise Unknown("no answer")
        return self._forge.attestations(sha256, predicate_type)


@pytest.mark.parametrize("reads", [True, False])
def test_a_lost_answer_of_the_forge_stores_nothing_twice(it: Signing, *, reads: bool) -> None:
    """What was stored is found. What cannot be seen is not stored blindly, and holds no release up."""
    said: list[str] = []
    context = StageContext(it.context.products, warn=said.append)
    stage = it.stage()
    made = replace(stage, forge=cast("Forge", Lossy(stage.forge, reads=reads))).make(context)
    assert made.stored is reads
    assert bool(said) is not reads
    assert all("cannot see whether the forge stores" in line for line in said)
    assert len(it.stored()) == int(reads)


def test_the_signatures_of_files_come_back_from_the_index(it: Signing, tmp_path: Path) -> None:
    """On a new machine without a draft, those of the files are the index's own; only the others are made."""
    made = it.stage().make(it.context)
    held = it.holding(made, ".whl", ".tar.gz")
    folder = RunFolder(tmp_path / "elsewhere")
    before = it.job.requests("/api/v1/log/entries")
    assert held.stage(folder).find(held.context) is None
    again = held.stage(folder).make(held.context)
    assert it.job.requests("/api/v1/log/entries") == before + 3
    verifier = it.job.sigstore().verifier
    for file in it.inputs.dists.files:
        assert verifier.statement(bundle_of(again, file.name)) == verifier.statement(bundle_of(made, file.name))
    assert names(again) == names(made)


@pytest.mark.parametrize(
    ("attested", "lacking"),
    [((".whl", ".tar.gz"), []), ((".whl",), ["tar.gz"]), ((".tar.gz",), ["whl"]), ((".none",), ["whl", "tar.gz"])],
    ids=["all", "the wheel", "the sdist", "none"],
)
def test_a_file_that_is_out_without_an_attestation_stays_so(
    it: Signing, tmp_path: Path, attested: tuple[str, ...], lacking: list[str]
) -> None:
    """If signatures are required, only a new version can have them; else the release goes on with a warning."""
    made = it.stage().make(it.context)
    held = it.holding(made, *attested)
    said: list[str] = []
    context = StageContext(held.context.products, warn=said.append)
    for folder in (None, RunFolder(tmp_path / "elsewhere")):
        if lacking:
            with pytest.raises(Conflict, match="without an attestation of this workflow, and none can be") as caught:
                held.stage(folder, required=True).find(context)
            assert "release a new version" in caught.value.next_step
            assert all(each in caught.value.what for each in lacking)
        said.clear()
        held.stage(folder).find(context)
        assert len(said) == bool(lacking)
        assert all(each in line for each in lacking for line in said)


@pytest.mark.parametrize("what", ["another workflow", "other bytes", "another type", "garbage"])
def test_a_foreign_attestation_on_the_index_does_not_count(it: Signing, tmp_path: Path, what: str) -> None:
    """It is not taken, and says why; the file is out without one of this workflow."""
    made = it.stage().make(it.context)
    held = it.holding(made, ".whl", ".tar.gz")
    wheel, sdist = it.inputs.dists.files
    ref = f"refs/tags/{it.inputs.release.tag}"
    workflow = f"acme/demo/.github/workflows/evil.yml@{ref}"
    with it.job.claims(ref=ref, sha=it.at.commit, workflow_ref=workflow, job_workflow_ref=workflow):
        thief = it.job.sigstore().signer
        needed = {each.name: each for each in it.stage()._search(it.context, None).needed}
        foreign = {
            "another workflow": needed[bundle_name(wheel.name)].sign(thief, thief.identity()),
            "other bytes": bundle_of(made, sdist.name),
            "another type": it.stored()[0],
            "garbage": b"{}",
        }[what]
    index = replace(held.index, attested={**held.index.attested, wheel.name: (foreign,)})
    held = replace(held, index=index)
    said: list[str] = []
    context = StageContext(held.context.products, warn=said.append)
    folder = RunFolder(tmp_path / "elsewhere")
    assert held.stage(folder).find(context) is None
    assert f"{bundle_name(wheel.name)} in pypi does not count" in said[0]
    assert f"pypi has {wheel.name} without an attestation" in said[1]
    assert folder.read_signature(bundle_name(wheel.name)) is None
    with pytest.raises(Conflict):
        held.stage(folder, required=True).find(context)


@pytest.mark.parametrize("error", [Unknown("the index is down"), Denied("no access")])
def test_an_index_that_cannot_be_read_is_not_one_without_attestations(
    it: Signing, tmp_path: Path, error: UnmoorError
) -> None:
    """That is unknown: it stops a release whose signatures are required, and nothing is concluded from it."""
    held = it.holding(it.stage().make(it.context), ".whl", ".tar.gz")
    said: list[str] = []
    context = StageContext(held.context.products, warn=said.append)
    down = replace(held, index=FakeIndex(error))
    assert down.stage(RunFolder(tmp_path / "elsewhere")).find(context) is None
    assert "cannot see what pypi has of the signatures" in said[0]
    with pytest.raises(type(error)):
        down.stage(RunFolder(tmp_path / "third"), required=True).find(context)


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("lost", [None, "SHA256SUMS.sigstore.json"])
def test_a_run_without_an_identity_finishes_what_is_signed(
    it: Signing, tmp_path: Path, lost: str | None, *, public: bool
) -> None:
    """Whose signatures count is the repository's, by its number, and one workflow of it. It makes none itself."""
    made = it.stage().make(it.context)
    kept = replace(made, bundles=tuple(each for each in made.bundles if each.name != lost))
    it.draft(kept, public=public)
    nobody = Login(username="", secret=Secret(""), origin="nobody gave a token")
    stage = replace(it.stage(RunFolder(tmp_path / "elsewhere"), required=True), signing=it.job.sigstore(token=nobody))
    if lost:
        with pytest.raises(Denied, match="nothing can be signed: nobody gave a token"):
            stage.find(it.context)
    else:
        assert stage.find(it.context) == replace(made, required=True)
        named = replace(stage, workflow=".github/workflows/release.yml")
        assert named.find(it.context) == replace(made, required=True)
        with pytest.raises(Denied, match="nothing can be signed"):
            replace(stage, workflow=".github/workflows/other.yml").find(it.context)
    empty = replace(stage, folder=RunFolder(tmp_path / "third"), forge=it.at.forge())
    it_without = replace(it, inputs=draft_inputs(it.at, tmp_path / "other"))
    with pytest.raises(Denied, match="nothing can be signed"):
        empty.find(it_without.context)


def test_a_run_without_an_identity_believes_no_other_repository(it: Signing, tmp_path: Path) -> None:
    """A repository that was given the name has another number."""
    ref = f"refs/tags/{it.inputs.release.tag}"
    workflow = f"acme/demo/.github/workflows/release.yml@{ref}"
    with it.job.claims(repository_id="66", ref=ref, sha=it.at.commit, workflow_ref=workflow, job_workflow_ref=workflow):
        it.draft(it.stage().make(it.context))
    nobody = Login(username="", secret=Secret(""), origin="nobody gave a token")
    stage = replace(it.stage(RunFolder(tmp_path / "elsewhere"), required=True), signing=it.job.sigstore(token=nobody))
    with pytest.raises(Denied, match="nothing can be signed"):
        stage.find(it.context)


def test_a_signed_run_continues_the_draft_of_an_unsigned_one(it: Signing) -> None:
    """The notes get their ending with the signatures, and another unsigned run leaves both."""
    it.draft(Signed())
    (plain,) = it.at.forge().releases(it.inputs.release.tag)
    made = it.stage().make(it.context)
    it.draft(made)
    (signed,) = it.at.forge().releases(it.inputs.release.tag)
    assert same_text(plain.body, it.inputs.notes.body)
    assert signed.body.startswith(plain.body.rstrip())
    assert signed.body.endswith(how_to_verify(it.inputs.release, stored=True))
    unsigned = it.inputs.stage
    assert unsigned.find(it.inputs.context) is not None
    unsigned.make(it.inputs.context)
    assert it.at.forge().releases(it.inputs.release.tag) == (signed,)


@pytest.mark.parametrize("public", [True, False])
def test_a_second_workflow_signs_for_itself(it: Signing, tmp_path: Path, *, public: bool) -> None:
    """Signatures of another file of the same repository do not count for it: a draft gets new ones, a release none."""
    made = it.stage().make(it.context)
    it.draft(made, public=public)
    ref = f"refs/tags/{it.inputs.release.tag}"
    workflow = f"acme/demo/.github/workflows/second.yml@{ref}"
    said: list[str] = []
    context = StageContext(it.context.products, warn=said.append)
    with it.job.claims(ref=ref, sha=it.at.commit, workflow_ref=workflow, job_workflow_ref=workflow):
        stage = it.stage(RunFolder(tmp_path / "elsewhere"), required=True)
        if public:
            with pytest.raises(Conflict, match="the public release lacks the signatures"):
                stage.find(context)
        else:
            assert stage.find(context) is None
            again = stage.make(context)
            assert names(again) == names(made)
            it.draft(again)
            (there,) = it.at.forge().releases(it.inputs.release.tag)
            digests = {each.name: each.sha256 for each in there.assets}
            assert all(digests[each.name] == each.sha256 for each in again.bundles)
    assert len(said) == 5
    both = "the workflow is .github/workflows/release.yml, expected .github/workflows/second.yml"
    assert all(both in line for line in said)
