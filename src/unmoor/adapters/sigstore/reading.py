"""Bundles and attestations from outside, read by sigstore and pypi-attestations, and what they cannot read."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.errors import BadSignature, Denied, UnmoorError
from unmoor.ports.signer import MAX_BUNDLE, UnreadableSignature
from unmoor.util.text import clean

if TYPE_CHECKING:
    from sigstore.hashes import Hashed
    from sigstore.models import Bundle

_LONGEST = 200
IN_TOTO = "application/vnd.in-toto+json"
"""The type of the payload of a signed statement."""


def read_bundle(data: bytes) -> Bundle:
    """Read a Sigstore bundle. Raises `UnreadableSignature`."""
    from sigstore.models import Bundle

    silence()
    with readable("the signature"):
        return Bundle.from_json(bounded(data))


def silence() -> None:
    """Keep the libraries from logging: a warning of theirs would appear among the output of a run."""
    for name in ("sigstore", "tuf"):
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def sha256_hash(digest: str) -> Hashed:
    """Return a sha256 in hex as sigstore takes it. Raises `ValueError` if it is not one."""
    from sigstore.hashes import Hashed

    return Hashed.model_validate({"algorithm": "SHA2_256", "digest": bytes.fromhex(digest)})


def bounded(data: bytes) -> bytes:
    """Return the bytes, unless there are too many for a signature. Raises `ValueError`."""
    if len(data) > MAX_BUNDLE:
        msg = f"it has {len(data)} bytes, and signatures at most {MAX_BUNDLE}"
        raise ValueError(msg)
    return data


def wrong(why: str) -> BadSignature:
    """Return the error for a signature that does not verify."""
    return BadSignature(f"the signature does not verify: {why}", next_step=advice.REJECT_SIGNATURE())


class Expired(Denied):
    """By this machine's clock, the certificate has expired, although it was in use for less than its life."""


@contextlib.contextmanager
def readable(what: str) -> Iterator[None]:
    """Raise `UnreadableSignature` for everything that the libraries raise for bytes that are not ``what``.

    Besides their own errors they let through those of the parsers that they use, of many kinds.
    """
    try:
        yield
    except UnmoorError:
        raise
    except Exception as error:
        # pydantic says on lines of their own where something is missing.
        why = clean(" ".join(str(error).split()), _LONGEST) or type(error).__name__
        raise UnreadableSignature(
            f"{what} cannot be read: {why}", next_step=advice.FETCH_SIGNATURE_AGAIN(), retryable=False
        ) from error
