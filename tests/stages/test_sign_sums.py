"""The stage ``sign-sums`` signs the list of checksums once, with a key, and never replaces a good signature."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.local_forge import DISTS, RELEASE, DraftInputs, LocalForge, draft_inputs, start_forge

from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Output, Undone
from unmoor.errors import BadSignature, Denied
from unmoor.products import SumsSignature
from unmoor.stages.sign_sums import SignSums
from unmoor.util.values import replace

SUMS: Output[SumsSignature] = Output("sign-sums")
NAME = "SHA256SUMS.asc"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One forge for this module; every test has its own tag."""
    with start_forge(tmp_path_factory.mktemp("sums")) as running:
        yield running


@pytest.fixture
def inputs(at: LocalForge, tmp_path: Path) -> DraftInputs:
    """A release that is built and proven."""
    return draft_inputs(at, tmp_path)


@dataclass
class Key:
    """A key whose signatures differ each time, as those of gpg do."""

    name: str = "one"
    key: str = "gpg:one"
    suffix: str = ".asc"
    made: list[bytes] = field(default_factory=list)
    broken: bool = False

    def sign(self, data: bytes) -> bytes:
        """Sign."""
        self.made.append(f"{self.name} {len(self.made)} {hashlib.sha256(data).hexdigest()}".encode())
        return self.made[-1]

    def fault(self, data: bytes, signature: bytes) -> str:
        """Verify."""
        words = signature.decode(errors="replace").split()
        good = words[:1] == [self.name] and words[2:] == [hashlib.sha256(data).hexdigest()]
        return "" if good and not self.broken else "it is by another key"


def stage(at: LocalForge, inputs: DraftInputs, key: Key, folder: RunFolder | None = None) -> SignSums:
    """The stage."""
    folder = folder or inputs.stage.folder
    return SignSums(release=RELEASE, dists=DISTS, signer=key, forge=at.forge(), git=at.git, folder=folder)


def draft(inputs: DraftInputs, made: SumsSignature) -> None:
    """Make the draft with a signature."""
    context = replace(inputs.context, products={**inputs.context.products, SUMS.by: made})
    replace(inputs.stage, sums=SUMS).make(context)


def test_signed_once(at: LocalForge, inputs: DraftInputs, tmp_path: Path) -> None:
    """It is made, found in the run folder, attached to the draft, and taken from there on another machine."""
    key = Key()
    first = stage(at, inputs, key)
    assert "gpg:one" in first.plan()
    assert first.find(inputs.context) is None
    made = first.make(inputs.context)
    assert made.summary == f"{NAME} by gpg:one"
    assert first.find(inputs.context) == made
    draft(inputs, made)
    (there,) = at.forge().releases(inputs.release.tag)
    assert {NAME, "SHA256SUMS"} <= {asset.name for asset in there.assets}
    elsewhere = stage(at, inputs, key, RunFolder(tmp_path / "elsewhere" / "run"))
    assert elsewhere.find(inputs.context) == made
    assert elsewhere.folder.read_signature(NAME) == key.made[0]
    assert len(key.made) == 1
    assert isinstance(first.undo(made), Undone)


@pytest.mark.parametrize("where", ["run folder", "draft"])
def test_a_signature_that_does_not_count(at: LocalForge, inputs: DraftInputs, where: str) -> None:
    """One by another key is replaced, in the run folder and on the draft, with a warning."""
    other, key = Key(name="other"), Key()
    bad = stage(at, inputs, other).make(inputs.context)
    if where == "draft":
        draft(inputs, bad)
    warned: list[str] = []
    mine = stage(at, inputs, key)
    assert mine.find(replace(inputs.context, warn=warned.append)) is None
    assert any(f"{NAME} in the" in line and "another key" in line for line in warned)
    made = mine.make(inputs.context)
    draft(inputs, made)
    assert mine.find(inputs.context) == made
    (there,) = at.forge().releases(inputs.release.tag)
    assert [asset.sha256 for asset in there.assets if asset.name == NAME] == [hashlib.sha256(key.made[0]).hexdigest()]


def test_a_public_release_stays_without(at: LocalForge, inputs: DraftInputs) -> None:
    """Nothing is added to a public release; the product says so, and has no file."""
    inputs.stage.make(inputs.context)
    (there,) = at.forge().releases(inputs.release.tag)
    at.forge().publish(there, prerelease=False, latest=False)
    found = stage(at, inputs, Key()).find(inputs.context)
    assert found is not None
    assert found.files == ()
    assert found.summary == f"the release is public without a good {NAME}"


def test_a_signature_that_does_not_verify(at: LocalForge, inputs: DraftInputs) -> None:
    """What is signed is verified at once, and not kept if it does not verify."""
    broken = stage(at, inputs, Key(broken=True))
    with pytest.raises(BadSignature, match="another key") as raised:
        broken.make(inputs.context)
    assert raised.value.advice_ids == ("check-signing-key",)
    assert inputs.stage.folder.read_signature(NAME) is None


def test_a_missing_key_stops(at: LocalForge, inputs: DraftInputs) -> None:
    """The error of the key is that of the stage."""

    class Missing(Key):
        """A key that is not there."""

        def sign(self, data: bytes) -> bytes:
            """Fail."""
            del data
            raise Denied("no key")

    with pytest.raises(Denied, match="no key"):
        stage(at, inputs, Missing()).make(inputs.context)
