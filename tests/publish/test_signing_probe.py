"""Before anything is built, a run knows what will be signed, and which indexes get attestations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.support.listed_index import FakeIndex, listed_files
from tests.support.sample_values import sample_release
from tests.support.signers import SigningJob

from unmoor.adapters.sigstore import Sigstore
from unmoor.errors import Denied, Unknown, UnmoorError
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.ports.index import Holding
from unmoor.ports.world import Login
from unmoor.products import Certainty, Finding
from unmoor.publish.signing_probe import lacks_signatures, probe_key, probe_signing
from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld
from unmoor.util.secret import Secret
from unmoor.util.values import replace

RELEASE = replace(sample_release(repository="acme/demo"), tag="v1.0", commit="a" * 40)
INDEX = FakeIndex(Holding(simple={}, json=None))


def nothing() -> None:
    """The forge has no release of the tag."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """A world whose ID tokens are of v1.0 and a commit of only a's."""
    with local.start(tmp_path_factory.mktemp("world"), repository="acme/demo", checkout=None) as running:
        yield running


@pytest.mark.parametrize(
    ("claims", "index", "says"),
    [
        ({}, INDEX, ["the files will be signed as https://github.com/acme/demo/.github/workflows/release.yml@"]),
        (
            {},
            replace(INDEX, refuses="the login is from a file"),
            ["the files will be signed as", "gets the files without attestations: the login is from a file"],
        ),
        (
            {"workflow_ref": "acme/demo/.github/workflows/other.yml@refs/tags/v1.0"},
            INDEX,
            ["the files will be signed as", "without attestations: the job is in a reusable workflow"],
        ),
        ({"repository_visibility": "private"}, INDEX, ["nothing will be signed: acme/demo is private"]),
        ({"ref": "refs/heads/main"}, INDEX, ["nothing will be signed: this run is of refs/heads/main"]),
    ],
    ids=["signed", "an API token", "a reusable workflow", "private", "a branch"],
)
def test_what_will_be_signed(world: LocalWorld, claims: Mapping[str, Any], index: FakeIndex, says: list[str]) -> None:
    """What is missing is a finding; if signatures are required, it stops the run, except that private is consent."""
    job = SigningJob(world=world)
    with job.claims(**claims):
        found = probe_signing(job.sigstore(), [index], RELEASE, required=False, asks=True, there=nothing)
        assert len(found) == len(says)
        assert all(said in each.detail for said, each in zip(says, found, strict=True))
        if len(says) == 1 and "private" not in says[0] and "nothing" not in says[0]:
            assert probe_signing(job.sigstore(), [index], RELEASE, required=True, asks=True, there=nothing) == found
        elif "private" in says[0]:
            (one,) = probe_signing(job.sigstore(), [index], RELEASE, required=True, asks=True, there=nothing)
            assert one.detail.startswith("the files will be signed as")
        else:
            with pytest.raises(Denied, match=r"would refuse them|would not name this release"):
                probe_signing(job.sigstore(), [index], RELEASE, required=True, asks=True, there=nothing)


@pytest.mark.parametrize(
    ("signing", "why"),
    [(None, r"this world has no \[signing\]"), ("nobody", "no token was given")],
)
def test_nobody_to_sign_as(world: LocalWorld, signing: str | None, why: str) -> None:
    """Without an identity nothing is signed and nothing asked; that stops a run whose signatures are required."""
    login = Login(username="", secret=Secret(""), origin="no token was given")
    sigstore: Sigstore | None = None
    if signing is not None:
        sigstore = SigningJob(world=world).sigstore(token=login)
    (found,) = probe_signing(sigstore, [INDEX], RELEASE, required=False, asks=True, there=nothing)
    assert found.detail.startswith("nothing will be signed: ")
    with pytest.raises(Denied, match=why):
        probe_signing(sigstore, [INDEX], RELEASE, required=True, asks=True, there=nothing)


def test_images_are_named(world: LocalWorld) -> None:
    """What will be put beside which images is known before they are built, but only their push proves it."""
    images = ["ghcr.io/acme/demo", "docker.io/acme/demo"]
    sigstore = SigningJob(world=world).sigstore()
    found = probe_signing(sigstore, [], RELEASE, images=images, required=True, asks=True, there=nothing)
    assert [(each.detail.partition(" as ")[0], each.certainty, each.proven_by) for each in found] == [
        ("the files will be signed", Certainty.PROVEN, "sign"),
        (
            "a signature will be put beside each image on ghcr.io/acme/demo, docker.io/acme/demo",
            Certainty.UNPROVEN,
            "sign-images",
        ),
    ]


def test_a_plan_asks_for_no_token(world: LocalWorld) -> None:
    """An ID token is requested only by a run that may write."""
    job = SigningJob(world=world)
    before = job.requests("/token")
    (found,) = probe_signing(job.sigstore(), [INDEX], RELEASE, required=True, asks=False, there=nothing)
    assert found.certainty is Certainty.UNPROVEN
    assert job.requests("/token") == before


WHEEL = "small_one-1.0-py3-none-any.whl"
WHOLE = (
    *(WHEEL, f"{WHEEL}.sigstore.json", "SHA256SUMS", "SHA256SUMS.sigstore.json"),
    *("manifest.json", "manifest.json.sigstore.json", "small-one-1.0.provenance.sigstore.json"),
)
NOBODY = Login(username="", secret=Secret(""), origin="no token was given")
BRANCH = {"ref": "refs/heads/main"}
REUSED = {"workflow_ref": "acme/demo/.github/workflows/other.yml@refs/tags/v1.0"}


def released(*names: str) -> ForgeRelease:
    """A draft with these assets."""
    assets = (ForgeAsset(id=at, name=name, size=1, sha256=None, uploaded=True, url="") for at, name in enumerate(names))
    return ForgeRelease(
        id=1,
        tag="v1.0",
        target="",
        name="",
        body="",
        draft=True,
        prerelease=False,
        url="the draft",
        upload_url="",
        assets=tuple(assets),
    )


@pytest.mark.parametrize("claims", [None, BRANCH], ids=["no identity", "a branch"])
@pytest.mark.parametrize("lost", [None, *WHOLE])
def test_a_release_that_is_signed_is_finished_by_a_run_that_cannot_sign(
    world: LocalWorld, claims: dict[str, Any] | None, lost: str | None
) -> None:
    """Every signature has to be there, by its name; whether it is good is for the stage that verifies them."""
    job = SigningJob(world=world)
    sigstore = job.sigstore(token=NOBODY) if claims is None else job.sigstore()
    there = released(*(name for name in WHOLE if name != lost))
    with job.claims(**(claims or {})):
        if lost and lost not in {"SHA256SUMS", "manifest.json"}:
            with pytest.raises(Denied, match=r"nothing can be signed|would not name this release"):
                probe_signing(sigstore, [INDEX], RELEASE, required=True, asks=True, there=lambda: there)
            return
        (found,) = probe_signing(sigstore, [INDEX], RELEASE, required=True, asks=True, there=lambda: there)
    assert found.certainty is Certainty.UNPROVEN
    assert found.detail.startswith("the release at the draft has its signatures already, and this run makes none: ")


@pytest.mark.parametrize("more", ["small_one-1.0-py3-none-any.whl.cdx.json", "images.json"])
def test_everything_that_is_listed_is_signed(more: str) -> None:
    """A bill of materials and the record of images have signatures of their own."""
    assert not lacks_signatures(released(*WHOLE), RELEASE)
    assert lacks_signatures(released(*WHOLE, more), RELEASE)
    assert not lacks_signatures(released(*WHOLE, more, f"{more}.sigstore.json"), RELEASE)
    assert lacks_signatures(released(), RELEASE)


@pytest.mark.parametrize("error", [Unknown("no answer"), Denied("no access")])
def test_a_forge_that_does_not_answer_has_no_signatures(world: LocalWorld, error: UnmoorError) -> None:
    """What cannot be read does not let a run go on."""

    def there() -> ForgeRelease:
        raise error

    with pytest.raises(Denied, match="nothing can be signed"):
        probe_signing(
            SigningJob(world=world).sigstore(token=NOBODY), [INDEX], RELEASE, required=True, asks=True, there=there
        )


@pytest.mark.parametrize("claims", [{}, REUSED, BRANCH, None], ids=["signed", "reused", "a branch", "no identity"])
@pytest.mark.parametrize("held", [(), (WHEEL,), ("small_one-1.0.tar.gz",)])
def test_an_index_that_would_refuse_them_may_have_everything(
    world: LocalWorld, claims: dict[str, Any] | None, held: tuple[str, ...]
) -> None:
    """Required attestations cannot be sent with an API token; a release whose files are all there needs none."""
    job = SigningJob(world=world)
    sigstore = job.sigstore(token=NOBODY) if claims is None else job.sigstore()
    index = FakeIndex(Holding(simple=listed_files(dict.fromkeys(held, "a" * 64)), json=None), refuses="an API token")

    def probe() -> list[Finding]:
        there = released(*WHOLE)
        return probe_signing(sigstore, [index], RELEASE, required=True, asks=True, there=lambda: there)

    with job.claims(**(claims or {})):
        if held == (WHEEL,):
            assert "pypi gets the files without attestations" in probe()[-1].detail
        else:
            with pytest.raises(Denied, match="but pypi would refuse them"):
                probe()


def test_a_reusable_workflow_is_a_warning(world: LocalWorld) -> None:
    """An API token is a choice; that the index refuses the job's own signatures is not."""
    job = SigningJob(world=world)
    with job.claims(**REUSED):
        *_, last = probe_signing(job.sigstore(), [INDEX], RELEASE, required=False, asks=True, there=nothing)
    assert last.certainty is Certainty.DOUBTFUL
    tokens = [replace(INDEX, refuses="an API token")]
    *_, last = probe_signing(job.sigstore(), tokens, RELEASE, required=False, asks=True, there=nothing)
    assert last.certainty is Certainty.PROVEN


@pytest.mark.parametrize("required", [True, False])
def test_a_token_for_something_else_stops_before_the_build(world: LocalWorld, *, required: bool) -> None:
    """The authority would refuse it, once everything is built and tested."""
    job = SigningJob(world=world)
    with (
        job.claims(aud="pypi"),
        pytest.raises(Denied, match="the ID token is for pypi, and not for sigstore") as caught,
    ):
        probe_signing(job.sigstore(), [INDEX], RELEASE, required=required, asks=True, there=nothing)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("fault", "asks", "certainty"), [("", True, Certainty.PROVEN), ("", False, Certainty.UNPROVEN), ("no", True, None)]
)
def test_a_key_for_the_list_of_checksums(fault: str, certainty: Certainty | None, *, asks: bool) -> None:
    """It is proven by a trial in runs that send something; a trial that does not verify stops them."""
    signed: list[bytes] = []

    class Key:
        """A key."""

        key, suffix = "ssh:id", ".sig"

        def sign(self, data: bytes) -> bytes:
            """Sign."""
            signed.append(data)
            return b"signature"

        def fault(self, data: bytes, signature: bytes) -> str:
            """Verify."""
            assert (data, signature) == (signed[-1], b"signature")
            return fault

    if certainty is None:
        with pytest.raises(Denied, match="does not verify: no") as raised:
            probe_key(Key(), asks=asks)
        assert raised.value.advice_ids == ("check-signing-key",)
    else:
        (finding,) = probe_key(Key(), asks=asks)
        assert (finding.certainty, finding.proven_by, "ssh:id" in finding.detail) == (certainty, "sign-sums", True)
    assert bool(signed) is asks
