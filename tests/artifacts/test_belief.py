"""A document counts only if its sha256 is vouched for: by the user, or because this account wrote it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from unmoor.artifacts.belief import Belief, read_digest, require_vouched
from unmoor.errors import Refused

DATA = b'{"schema": 2}\n'
DIGEST = hashlib.sha256(DATA).hexdigest()


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
