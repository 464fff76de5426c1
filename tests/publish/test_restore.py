"""What a release object says about its files counts if its manifest is vouched for; here by a signature beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.beliefs import SignatureList
from tests.support.listed_index import FakeIndex
from tests.support.local_forge import LocalForge, draft_inputs, start_forge

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.run_dir import IMAGES
from unmoor.core.stage import StageContext
from unmoor.errors import Unknown, UnmoorError
from unmoor.ports.index import Holding
from unmoor.ports.signer import MAX_BUNDLE, UnreadableSignature
from unmoor.publish.restore import Surfaces
from unmoor.util.values import replace

GOOD, BAD, GARBAGE, UNKNOWN = b"good", b"of a branch", b"garbage", b"no trusted keys"
HUGE = b"x" * (MAX_BUNDLE + 1)
FAULTS: dict[bytes, str | UnmoorError] = {
    GOOD: "",
    BAD: "the ref is refs/heads/main",
    GARBAGE: UnreadableSignature("no JSON"),
    UNKNOWN: Unknown("no keys"),
}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; every test has its own tags."""
    with start_forge(tmp_path_factory.mktemp("restore")) as running:
        yield running


class Drafted:
    """A draft with a manifest, a record of images, and what somebody put beside them."""

    def __init__(self, at: LocalForge, folder: Path, signatures: dict[str, bytes], *, public: bool = False) -> None:
        self.one = draft_inputs(at, folder)
        self.one.stage.make(self.one.context)
        self.forge = at.forge()
        (made,) = self.forge.releases(self.one.release.tag)
        for name, data in {IMAGES: b"{}", **signatures}.items():
            (folder / name).write_bytes(data)
            self.forge.attach(made, describe_file(folder / name))
        if public:
            (made,) = self.forge.releases(self.one.release.tag)
            self.forge.publish(made, prerelease=False, latest=False)
        self.said: list[str] = []

    def find(self, belief: Belief | None = None) -> tuple[bool, bytes | None] | None:
        """Whether the manifest counts, and the record of images if that does; ``None`` if nothing is taken."""
        surfaces = Surfaces(forge=self.forge, index=FakeIndex(Holding(simple={}, json=None)), staging=None)
        belief = belief or Belief(signatures=SignatureList(FAULTS))
        context = StageContext(self.one.context.products, warn=self.said.append)
        found = surfaces.find_release(self.one.release, belief, context)
        return (found.vouched, found.record) if found is not None else None


@pytest.mark.parametrize("public", [False, True], ids=["draft", "public"])
@pytest.mark.parametrize(
    ("bundle", "says"),
    [
        (GOOD, None),
        (None, "nothing vouches for its manifest. To continue it"),
        (BAD, "; its signature does not count: the ref is refs/heads/main. To continue it"),
        (GARBAGE, "; its signature does not count: no JSON. To continue it"),
        (HUGE, f"does not count: manifest.json.sigstore.json has {MAX_BUNDLE + 1} bytes"),
    ],
    ids=["good", "none", "bad", "garbage", "huge"],
)
def test_a_signed_manifest_counts(
    at: LocalForge, tmp_path: Path, bundle: bytes | None, says: str | None, *, public: bool
) -> None:
    """Another machine takes what the release workflow signed; anything else is ignored with the reason."""
    signatures = {} if bundle is None else {f"{manifests.NAME}.sigstore.json": bundle}
    drafted = Drafted(at, tmp_path, signatures, public=public)
    if says is None:
        assert drafted.find() == (True, None)
        (line,) = drafted.said  # the record has no signature
        assert line.startswith("images.json of http")
        return
    assert drafted.find() is None
    (line,) = drafted.said
    assert says in line


def test_what_is_unknown_stops(at: LocalForge, tmp_path: Path) -> None:
    """A signature that cannot be judged, or not be downloaded, is neither good nor bad."""
    drafted = Drafted(at, tmp_path, {f"{manifests.NAME}.sigstore.json": UNKNOWN})
    with pytest.raises(Unknown, match="no keys"):
        drafted.find()
    # Without a judge, such as with signatures switched off, it is not looked at.
    assert drafted.find(Belief()) is None
    assert drafted.said[-1].count("signature") == 0


@pytest.mark.parametrize(("bundle", "taken"), [(GOOD, b"{}"), (BAD, None), (None, None)])
def test_the_record_of_images_has_its_own_signature(
    at: LocalForge, tmp_path: Path, bundle: bytes | None, taken: bytes | None
) -> None:
    """A good manifest does not vouch for the record beside it, which it does not name."""
    signatures = {f"{manifests.NAME}.sigstore.json": GOOD}
    signatures |= {} if bundle is None else {f"{IMAGES}.sigstore.json": bundle}
    drafted = Drafted(at, tmp_path, signatures)
    assert drafted.find() == (True, taken)
    assert len(drafted.said) == (0 if taken else 1)
    assert all(("refs/heads/main" in line) is (bundle == BAD) for line in drafted.said)


@pytest.mark.parametrize("same", [True, False], ids=["the same files", "other files"])
def test_a_run_that_cannot_sign_keeps_what_still_fits(at: LocalForge, tmp_path: Path, *, same: bool) -> None:
    """Signatures in a draft stay as long as the files that they sign do; those of replaced files go with them."""
    first = draft_inputs(at, tmp_path / "first")
    version = first.release.version
    dists = [f"demo-{version}-py3-none-any.whl", f"demo-{version}.tar.gz"]
    signed = [*(f"{name}.sigstore.json" for name in (*dists, "SHA256SUMS", manifests.NAME, "other.txt"))]
    signed.append(f"demo-{version}.provenance.sigstore.json")
    first.stage.make(first.context)
    forge = at.forge()
    (made,) = forge.releases(first.release.tag)
    for name in signed:
        (tmp_path / name).write_bytes(GOOD)
        forge.attach(made, describe_file(tmp_path / name))
    again = draft_inputs(at, tmp_path / "again", first.release, salt="" if same else "other")
    stage = replace(again.stage, clock=at.clock)
    # Even for the same files: the text of a draft with signatures says how to verify them.
    assert stage.find(again.context) is None
    stage.make(again.context)
    assert stage.find(again.context) is not None
    (there,) = forge.releases(first.release.tag)
    left = {asset.name for asset in there.assets if asset.name.endswith(".sigstore.json")}
    assert left == (set(signed) if same else {"other.txt.sigstore.json"})
