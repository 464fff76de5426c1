"""The Merkle tree of a log (RFC 6962, section 2.1): its root, and the proof that an entry is in it.

Why no library: pymerkle stores the entries itself and serialises proofs in a form of its own; the rest only verify.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two below ``size``: how many leaves are in the left subtree."""
    return 1 << ((size - 1).bit_length() - 1)


@dataclass
class MerkleTree:
    """A tree that only grows. ``_levels[n]`` has the roots of all whole subtrees with ``2**n`` leaves."""

    _levels: list[list[bytes]] = field(default_factory=lambda: [[]])

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add the hash of an entry."""
        height = 0
        self._levels[0].append(leaf)
        while len(self._levels[height]) % 2 == 0:
            if height + 1 == len(self._levels):
                self._levels.append([])
            self._levels[height + 1].append(_node(*self._levels[height][-2:]))
            height += 1

    def root(self) -> bytes:
        """Return the hash of the whole tree, which must have a leaf."""
        return self._subtree(0, len(self))

    def path(self, index: int) -> list[bytes]:
        """Return the hashes with which the root follows from the leaf at ``index``, the lowest first."""
        found: list[bytes] = []
        start, size = 0, len(self)
        while size > 1:
            left = _split(size)
            if index - start < left:
                found.append(self._subtree(start + left, size - left))
                size = left
            else:
                found.append(self._subtree(start, left))
                start, size = start + left, size - left
        return found[::-1]

    def _subtree(self, start: int, size: int) -> bytes:
        height = size.bit_length() - 1
        if size == 1 << height:
            return self._levels[height][start >> height]
        left = _split(size)
        return _node(self._subtree(start, left), self._subtree(start + left, size - left))
