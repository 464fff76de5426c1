"""The tree of a log: roots and proofs are those of RFC 6962, at every size."""

from __future__ import annotations

import hashlib

import pytest

from unmoor.rehearsal.sigstore.merkle import MerkleTree, leaf_hash


def root_of(entries: list[bytes]) -> bytes:
    """The definition in section 2.1."""
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    left = 1
    while left * 2 < len(entries):
        left *= 2
    return hashlib.sha256(b"\1" + root_of(entries[:left]) + root_of(entries[left:])).digest()


def root_from(path: list[bytes], index: int, size: int, leaf: bytes) -> bytes:
    """What a verifier computes from a proof (RFC 9162, section 2.1.3.2)."""
    last = size - 1
    for each in path:
        assert last
        if index % 2 or index == last:
            leaf = hashlib.sha256(b"\1" + each + leaf).digest()
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            leaf = hashlib.sha256(b"\1" + leaf + each).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return leaf


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100])
def test_roots_and_proofs(size: int) -> None:
    """Every entry of a tree of any size is proven to be in it, and the root is that of the definition."""
    entries = [b"entry %d" % number for number in range(size)]
    tree = MerkleTree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    assert (len(tree), tree.root()) == (size, root_of(entries))
    for index, entry in enumerate(entries):
        assert root_from(tree.path(index), index, size, leaf_hash(entry)) == tree.root()
