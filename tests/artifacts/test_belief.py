"""A document counts only if it is vouched for: by the user, because this account wrote it, or by a signature."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st
from tests.support.beliefs import SignatureList

from unmoor.artifacts.belief import Belief, ReadSignature, read_digest, require_vouched
from unmoor.artifacts.files import signature_beside
from unmoor.artifacts.run_dir import BUILT, IMAGES, RunFolder
from unmoor.errors import ConfigError, Denied, Refused, Unknown, UnmoorError
from unmoor.ports.signer import MAX_BUNDLE, Bundle, UnreadableSignature

DATA = b'{"schema": 2}\n'
DIGEST = hashlib.sha256(DATA).hexdigest()
BUNDLE = b"a signature"


@pytest.mark.parametrize(
    ("given", "written", "vouched"),
    [
        ((), False, False),
        ((DIGEST,), False, True),
        ((), True, True),
        (("0" * 64,), False, False),
        (("0" * 64, DIGEST), False, True),
    ],
    ids=["nothing", "given", "written", "another", "one of two"],
)
def test_what_vouches(given: tuple[str, ...], *, written: bool, vouched: bool) -> None:
    """The right digest vouches for a document, and so does having written it; a changed byte is another document."""
    belief = Belief(given=frozenset(given))
    if written:
        belief.remember(DATA, document="manifest.json")
    assert belief.vouches_for(DATA) is vouched
    assert not belief.vouches_for(DATA + b"\n")


@pytest.mark.parametrize(
    ("given", "met", "left"),
    [
        ((), (), ()),
        ((DIGEST,), (DATA,), ()),
        ((DIGEST,), (), (DIGEST,)),
        ((DIGEST, "f" * 64), (DATA, b"other"), ("f" * 64,)),
    ],
    ids=["none", "matched", "never met", "one of two"],
)
def test_a_digest_that_matches_nothing(given: tuple[str, ...], met: tuple[bytes, ...], left: tuple[str, ...]) -> None:
    """A digest that no document had is an error that names it: the document was lost, or the digest is wrong."""
    belief = Belief(given=frozenset(given))
    for data in met:
        belief.vouches_for(data)
    assert belief.unmatched() == left
    if not left:
        belief.require_matched("here")
        return
    with pytest.raises(Refused) as caught:
        belief.require_matched("here")
    assert all(digest in caught.value.what for digest in left)
    assert "step outputs" in caught.value.next_step


def test_a_document_that_was_handed_over() -> None:
    """Without its digest it is refused, and the error never offers the digest of what was found."""
    with pytest.raises(Refused, match="nothing vouches for this document") as caught:
        require_vouched(Belief(), DATA, where="leg/manifest.json")
    assert DIGEST not in f"{caught.value}{caught.value.next_step}"
    require_vouched(Belief(given=frozenset({DIGEST})), DATA, where="leg/manifest.json")


@pytest.mark.parametrize(
    "text",
    ["", " ", "x" * 64, "0" * 63, "0" * 65, f" {'0' * 64}", f"{'0' * 64}\n", f"sha256:{'0' * 64}", "\u0660" * 64],
    ids=["empty", "blank", "no hex", "short", "long", "padded", "newline", "prefix", "arabic"],
)
def test_what_is_no_digest(text: str) -> None:
    """Anything but 64 hexadecimal digits is refused, also what a missing job output looks like."""
    with pytest.raises(ValueError, match="is not a sha256"):
        read_digest(text)


@examples(st.binary(max_size=100))
def test_a_digest_in_either_case(data: bytes) -> None:
    """Upper-case digits mean the same."""
    digest = hashlib.sha256(data).hexdigest()
    assert read_digest(digest.upper()) == read_digest(digest) == digest


def reading(bundle: Bundle | UnmoorError | None) -> ReadSignature:
    """What reads a signature, or fails."""

    def read() -> Bundle | None:
        if isinstance(bundle, UnmoorError):
            raise bundle
        return bundle

    return read


@pytest.mark.parametrize(
    ("fault", "beside", "counts", "says"),
    [
        pytest.param("", BUNDLE, True, "", id="the release workflow's"),
        pytest.param("", None, False, "", id="none"),
        pytest.param("the workflow is ci.yml", BUNDLE, False, "the workflow is ci.yml", id="another workflow's"),
        pytest.param(UnreadableSignature("no JSON"), BUNDLE, False, "no JSON", id="garbage"),
        pytest.param("", UnreadableSignature("9 GB"), False, "9 GB", id="huge"),
    ],
)
def test_a_signature_vouches(
    fault: str | UnmoorError, beside: Bundle | UnmoorError | None, *, counts: bool, says: str
) -> None:
    """A signature of the release workflow is the third reason to believe a document; any other is named."""
    belief = Belief(signatures=SignatureList({BUNDLE: fault}))
    assert belief.vouches_for(DATA, reading(beside)) is counts
    assert belief.signature_fault(DATA, reading(beside)) == says
    if counts:
        require_vouched(belief, DATA, where="here", signature=reading(beside))
        return
    with pytest.raises(Refused, match=f"its signature does not count: {says}" if says else "counts$"):
        require_vouched(belief, DATA, where="here", signature=reading(beside))


@pytest.mark.parametrize("error", [Unknown("no trusted keys"), Denied("no ID token"), ConfigError("no such file")])
def test_what_cannot_be_judged_is_not_absent(error: UnmoorError) -> None:
    """Whether the signature cannot be read or not be judged: the error goes up, and the next look asks again."""
    for belief, beside in (
        (Belief(signatures=SignatureList({BUNDLE: error})), reading(BUNDLE)),
        (Belief(signatures=SignatureList({})), reading(error)),
    ):
        for _ in range(2):
            with pytest.raises(type(error), match=f"{error}; so whether the signature .* is not known") as caught:
                belief.vouches_for(DATA, beside)
            assert "--manifest-sha256 HEX" in caught.value.next_step
        counts, doubt = belief.assess(DATA, beside)
        assert not counts
        assert doubt.startswith(f"whether its signature counts is unknown: {error}")


def test_a_signature_is_looked_at_only_if_it_can_decide() -> None:
    """What was given or written needs no signature, and without a judge there is no look; each pair is judged once."""
    known = Belief(given=frozenset({DIGEST}), signatures=SignatureList({}))
    assert known.vouches_for(DATA, reading(AssertionError()))  # type: ignore[arg-type]
    assert not Belief().vouches_for(DATA, reading(Unknown("never read")))
    judge = SignatureList({BUNDLE: "", b"other": "it is of a branch"})
    belief = Belief(signatures=judge)
    for _ in range(3):
        assert belief.vouches_for(DATA, reading(BUNDLE))
        assert not belief.vouches_for(DATA, reading(b"other"))
    assert judge.judged == [BUNDLE, b"other"]


@pytest.mark.parametrize("where", ["", "signatures"])
def test_a_signature_in_a_folder(tmp_path: Path, where: str) -> None:
    """In a run folder of another account, a document counts for the signature beside it, and for no other."""
    folder = RunFolder(tmp_path / "v1.0", Belief(signatures=SignatureList({BUNDLE: "", b"bad": "it is of v0.9"})))
    (folder.path / where).mkdir(parents=True)
    for name, bundle in (("manifest.json", BUNDLE), (IMAGES, b"bad"), (BUILT, None)):
        (folder.path / name).write_bytes(DATA)
        if bundle is not None:
            (folder.path / where / f"{name}.sigstore.json").write_bytes(bundle)
    assert folder.read_document("manifest.json") == DATA
    assert folder.read_document(IMAGES) is None
    assert folder.unvouched() == (f"{IMAGES} (its signature does not count: it is of v0.9)",)


def test_a_huge_signature_is_not_read_whole(tmp_path: Path) -> None:
    """At most one byte more than a signature may have is read, which is enough to refuse it."""
    (tmp_path / "manifest.json.sigstore.json").write_bytes(b"x" * (2 * MAX_BUNDLE))
    assert len(signature_beside(tmp_path / "manifest.json")() or b"") == MAX_BUNDLE + 1
    assert signature_beside(tmp_path / "other.json")() is None
