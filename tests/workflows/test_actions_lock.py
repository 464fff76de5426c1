"""The lock of a repository's actions: which references it covers, and what is missing from it."""

from __future__ import annotations

import pytest

from unmoor.workflows.actions_lock import read_lock

LOCK = b"""\
# actions/cache@v5 is only named in this comment.
version: 'v0.0.2'
workflows:
    '.github/workflows/release.yml':
        - 'actions/checkout@v7'
        - 'github/codeql-action@v4'
        - 'actions/attest@v4'
dependencies:
    'actions/checkout@v7':
        ref: 'v7'
    'github/codeql-action@v4':
        ref: 'v4'
        uses:
            - 'actions/setup-python@v7'
    'actions/upload-artifact@v7':
        ref: 'v7'
"""


@pytest.mark.parametrize(
    ("file", "uses", "locked"),
    [
        ("release.yml", "actions/checkout@v7", True),
        ("release.yml", "Actions/Checkout@v7", True),
        ("release.yml", "github/codeql-action/init@v4", True),
        ("release.yml", "actions/checkout@v6", False),
        ("release.yml", "actions/checkout@V7", False),
        ("release.yml", "actions/attest@v4", False),
        ("release.yml", "actions/upload-artifact@v7", False),
        ("ci.yml", "actions/checkout@v7", False),
    ],
)
def test_which_references_are_locked(file: str, uses: str, *, locked: bool) -> None:
    """A reference is locked if the lock has it, and lists it for the file."""
    lock = read_lock("actions.lock", LOCK)
    assert lock is not None
    assert lock.locks(f".github/workflows/{file}", uses) is locked


def test_what_is_missing() -> None:
    """An action is missing if it has no entry of its own, whatever else names it."""
    lock = read_lock("actions.lock", LOCK)
    assert lock is not None
    wanted = {"actions/checkout", "actions/cache", "actions/setup-python", "actions/attest", "github/codeql-action"}
    assert lock.missing(wanted) == ("actions/attest", "actions/cache", "actions/setup-python")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{{{",
        b"\xff",
        b"[]",
        b"version: v9\nentries: []\n",
        b"dependencies: []\n",
        b"dependencies: {}\nworkflows: x\n",
    ],
)
def test_a_lock_that_is_not_understood(data: bytes) -> None:
    """A broken lock, and one of an unknown version, has no answer."""
    assert read_lock("actions.lock", data) is None
