"""The stage ``sign`` against the Sigstore and the forge of a local world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.local_forge import DISTS, PROOF, RELEASE, DraftInputs, LocalForge, draft_inputs, start_forge
from tests.support.signers import SigningJob

from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, StageContext
from unmoor.errors import Conflict, Denied, Refused, Unknown
from unmoor.products import Image, Images, Proof, Provenance, Signed
from unmoor.provenance.build import build_provenance
from unmoor.stages.sign import SignFiles
from unmoor.util.values import replace

SIGNED: Output[Signed] = Output("sign")
IMAGES: Output[Images] = Output("images")
IMAGE_PROOF: Output[Proof] = Output("prove-images")
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

    @property
    def context(self) -> StageContext:
        """The context of the stage."""
        made = build_provenance(self.inputs.release, self.inputs.dists)
        return StageContext({**self.inputs.context.products, PROVENANCE.by: made})

    def stage(self, folder: RunFolder | None = None, *, required: bool = False) -> SignFiles:
        """The stage, of a new job each time."""
        return SignFiles(
            release=RELEASE,
            dists=DISTS,
            provenance=PROVENANCE,
            proof=PROOF,
            signing=self.job.sigstore(),
            forge=self.at.forge(),
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


@pytest.fixture
def it(at: LocalForge, tmp_path: Path) -> Iterator[Signing]:
    """A release of its own, in a job of its tag."""
    inputs = draft_inputs(at, tmp_path)
    job = SigningJob(world=at.running)
    ref = f"refs/tags/{inputs.release.tag}"
    workflow = f"{inputs.release.repository}/.github/workflows/release.yml@{ref}"
    with job.claims(ref=ref, sha=at.commit, workflow_ref=workflow, job_workflow_ref=workflow):
        yield Signing(at, job, inputs)


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


def test_a_killed_run_signs_only_what_is_missing(it: Signing) -> None:
    """The other signatures are those of the first run, byte for byte."""
    made = it.stage().make(it.context)
    made.bundles[0].path.unlink()
    before = it.job.requests("/api/v1/log/entries")
    assert it.stage().find(it.context) is None
    again = it.stage().make(it.context)
    assert it.job.requests("/api/v1/log/entries") == before + 1
    assert again.bundles[1:] == made.bundles[1:]
    assert again.bundles[0].sha256 != made.bundles[0].sha256


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
        subject = it.stage()._needed(it.context)[1]
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
    with it.job.control("faults/down", "/api/v1/log/entries"), pytest.raises(Unknown):
        it.stage().make(it.context)
    assert it.at.forge().releases(it.inputs.release.tag) == ()
    assert len(it.stage().make(it.context).bundles) == 5
