"""What the forge attests of an immutable release: the repository by number, the tag and its object, every asset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.immutable_releases import attested
from tests.support.published import WHEEL, PublishedRelease, found, sha256

from unmoor.adapters.sigstore.trust import TrustFiles
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.verification.checks import Mark
from unmoor.verification.immutable import NAME

Change = Callable[[PublishedRelease, Path], object]


def of(it: PublishedRelease, folder: Path, *, tag: str = "v1.0", sha: str = "b" * 40) -> None:
    """Let the forge attest the release as it is."""
    digests = {name: sha256(data) for name, data in it.forge.assets.items()}
    bundle, root = attested(folder, digests, tag=tag, sha=sha)
    it.forge.statements = (*it.forge.statements, bundle)
    it.roots = (root,)


def evil(it: PublishedRelease, folder: Path) -> None:
    """Replace a file after the forge attested the release."""
    of(it, folder)
    it.forge.assets[WHEEL] = b"evil"


def renumbered(it: PublishedRelease, folder: Path) -> None:
    """Let the repository be a new one of the same name."""
    of(it, folder)
    it.forge.number = 99


def untrusted(it: PublishedRelease, folder: Path) -> None:
    """Trust only Sigstore."""
    of(it, folder)
    it.roots = ()


CASES: dict[str, tuple[Change, Mark, str]] = {
    "as published": (of, Mark.OK, "the forge signed the tag's object and 9 assets"),
    "none": (lambda _it, _folder: None, Mark.MISSING, "the forge attests nothing of it"),
    "another file": (evil, Mark.WRONG, f"it says otherwise of {WHEEL}"),
    "another tag": (lambda it, folder: of(it, folder, tag="v2.0"), Mark.WRONG, "its tag is v2.0, expected v1.0"),
    "a moved tag": (lambda it, folder: of(it, folder, sha="c" * 40), Mark.WRONG, "it is not about the tag's object"),
    "another repository": (renumbered, Mark.WRONG, "its repository number is"),
    "unknown keys": (untrusted, Mark.UNKNOWN, "gh attestation trusted-root"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_immutable_release(released: PublishedRelease, tmp_path: Path, case: str) -> None:
    """One of the forge's statements has to be about this tag, its object and these assets."""
    change, mark, note = CASES[case]
    released.forge.immutable = True
    change(released, tmp_path / "forge")
    check = found(released.verify(tmp_path / "files"), "github", NAME)
    assert check.mark is mark, check
    assert note in check.note


def test_a_release_that_is_not_immutable(released: PublishedRelease, tmp_path: Path) -> None:
    """The forge attests only immutable ones, so nothing is missing."""
    assert NAME not in {each.name for each in released.verify(tmp_path).checks}


def test_a_root_of_the_forge_alone_checks_no_workflow(released: PublishedRelease, tmp_path: Path) -> None:
    """Its keys sign what the forge says, and nothing else."""
    of(released, tmp_path)
    released.verifier = SigstoreVerifier(trust=TrustFiles(paths=tuple(map(str, released.roots))))
    check = found(released.verify(tmp_path / "files"), "github", f"{WHEEL}.sigstore.json")
    assert (check.mark, "no trusted root has the keys of a log" in check.note) == (Mark.UNKNOWN, True)
