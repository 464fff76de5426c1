"""The local registry reads its own tokens, and no others."""

from __future__ import annotations

import time
from collections.abc import Callable

import jwt
import pytest

from unmoor.rehearsal.registry import tokens
from unmoor.rehearsal.registry.tokens import Access, Claims, Signer

ACCESS = Access("repository", "acme/demo", ("pull", "push"))


def test_a_token_has_subject_and_access() -> None:
    """A signed token can be read, and is valid for five minutes."""
    signer = Signer.make()
    before = int(time.time())
    claims = signer.read(signer.token("writer", "ghcr.io", [ACCESS]))
    assert claims is not None
    assert (claims.sub, claims.aud, claims.access) == ("writer", "ghcr.io", (ACCESS,))
    assert 0 <= claims.exp - before - tokens.LIFE <= 60


def _signed(signer: Signer, **changes: object) -> str:
    claims = {"sub": "writer", "aud": "ghcr.io", "exp": int(time.time()) + 60, "access": []}
    return jwt.encode(claims | changes, signer.key, algorithm="ES256")


_NOT_OURS: dict[str, Callable[[Signer], str]] = {
    "of another key": lambda _: _signed(Signer.make()),
    "over": lambda signer: _signed(signer, exp=int(time.time()) - 1),
    "not yet": lambda signer: _signed(signer, nbf=int(time.time()) + 60),
    "of another shape": lambda signer: _signed(signer, access="all"),
    "without a signature": lambda signer: _signed(signer).rpartition(".")[0] + ".",
    "of no algorithm": lambda _: jwt.encode(
        {"sub": "writer", "aud": "ghcr.io", "exp": 1 << 33, "access": []}, "", "none"
    ),
    "cut off": lambda signer: _signed(signer)[:-20],
    "of two parts": lambda signer: _signed(signer).rpartition(".")[0],
    "text": lambda _: "no token, and ünlike one",
    "empty": lambda _: "",
}


@pytest.mark.parametrize("made", _NOT_OURS.values(), ids=_NOT_OURS)
def test_no_other_token_is_read(made: Callable[[Signer], str]) -> None:
    """A token is not read if another key signed it, or if it is expired, not valid yet, or broken."""
    signer = Signer.make()
    assert signer.read(made(signer)) is None


def test_a_changed_token_is_not_read() -> None:
    """The signature covers the claims."""
    signer = Signer.make()
    one, two = (signer.token(who, "ghcr.io", [ACCESS]).split(".") for who in ("writer", "reader"))
    assert signer.read(".".join((one[0], two[1], one[2]))) is None
    assert isinstance(signer.read(".".join(two)), Claims)
