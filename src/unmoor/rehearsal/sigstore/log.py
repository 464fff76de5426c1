"""Rekor's log: it grows by one entry at a time, and proves that each is in it.

On disk it is a file with one line of JSON for each entry; the tree is computed from them at the start. Only the tree is
in memory, and where each line is: a world that serves many releases does not hold what all their signatures say.
"""

from __future__ import annotations

import base64
import errno
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import rfc8785

from unmoor.filesystem.safe_folder import open_in_place, open_regular
from unmoor.rehearsal.sigstore.authority import Key
from unmoor.rehearsal.sigstore.merkle import MerkleTree, leaf_hash
from unmoor.util.decode import described

HOST = "127.0.0.1"
"""The log's name in its checkpoints. cosign and gh search it in the address that the trust root gives."""
FIRST = b'{"apiVersion":"0.0.1","kind":"rehearsal","spec":{}}'
"""The entry with which every log begins: clients take the index 0 for a missing one."""


class LogEntry(msgspec.Struct, frozen=True):
    """One entry: what the log keeps of it, and when it came, in Unix time."""

    body: bytes
    time: int


class _Line(NamedTuple):
    """Where the line of an entry is in the file, in bytes."""

    start: int
    size: int


class Known(Exception):
    """The log has this entry already; ``uuid`` names it."""

    def __init__(self, uuid: str) -> None:
        super().__init__(uuid)
        self.uuid = uuid


@dataclass
class Log:
    """A log in a file, signed with a key."""

    path: Path
    key: Key
    _lines: list[_Line] = field(default_factory=list)
    _index: dict[bytes, int] = field(default_factory=dict)
    _tree: MerkleTree = field(default_factory=MerkleTree)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Read the entries. One that was cut while it was written is dropped: nobody got an answer for it."""
        self._file = open_in_place(self.path, flags=os.O_RDWR | os.O_APPEND, mode=0o600)
        whole = 0
        with os.fdopen(os.dup(self._file), "rb") as stream:
            for line in stream:
                if line.endswith(b"\n"):
                    self._remember(_decoded(line), _Line(whole, len(line)))
                    whole += len(line)
        os.truncate(self._file, whole)
        if not self._lines:
            self._append(LogEntry(body=FIRST, time=0))

    @property
    def tree_id(self) -> int:
        """The number of the log's tree, which is as old as its key."""
        return int.from_bytes(self.key.id[:8]) >> 1

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, body: bytes, time: float) -> dict[str, Any]:
        """Add an entry, and return the log's answer. Raises `Known`."""
        with self._lock:
            leaf = leaf_hash(body)
            if leaf in self._index:
                raise Known(self._uuid(leaf))
            self._append(LogEntry(body=body, time=int(time)))
            return self._answer(len(self._lines) - 1)

    def at(self, index: int) -> dict[str, Any] | None:
        """Return the answer for the entry at an index; ``None`` if there is none."""
        with self._lock:
            return self._answer(index) if 0 <= index < len(self._lines) else None

    def named(self, uuid: str) -> dict[str, Any] | None:
        """Return the answer for the entry with a UUID: with the number of the tree before it, or without."""
        try:
            leaf = bytes.fromhex(uuid)[-32:]
        except ValueError:
            return None
        index = self._index.get(leaf)
        return None if index is None or uuid not in {self._uuid(leaf), leaf.hex()} else self.at(index)

    def state(self) -> dict[str, Any]:
        """Return what the log tells about itself."""
        with self._lock:
            return {
                "inactiveShards": [],
                "rootHash": self._tree.root().hex(),
                "signedTreeHead": self._checkpoint(),
                "treeID": str(self.tree_id),
                "treeSize": len(self._tree),
            }

    def _append(self, entry: LogEntry) -> None:
        """Write an entry, whole or not at all. Raises ``OSError`` if there is no room for it."""
        line, size = msgspec.json.encode(entry) + b"\n", os.fstat(self._file).st_size
        if os.write(self._file, line) < len(line):
            os.truncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._remember(entry, _Line(size, len(line)))

    def _remember(self, entry: LogEntry, line: _Line) -> None:
        leaf = leaf_hash(entry.body)
        self._index[leaf] = len(self._lines)
        self._lines.append(line)
        self._tree.append(leaf)

    def _entry(self, index: int) -> LogEntry:
        line = self._lines[index]
        with open_regular(self.path) as stream:
            stream.seek(line.start)
            return _decoded(stream.read(line.size))

    def _uuid(self, leaf: bytes) -> str:
        return f"{self.tree_id:016x}{leaf.hex()}"

    def _checkpoint(self) -> str:
        """Sign the tree's size and root as a note (https://c2sp.org/signed-note)."""
        root = base64.b64encode(self._tree.root()).decode()
        note = f"{HOST} - {self.tree_id}\n{len(self._tree)}\n{root}\n"
        signature = base64.b64encode(self.key.id[:4] + self.key.sign(note.encode())).decode()
        return f"{note}\n\N{EM DASH} {HOST} {signature}\n"

    def _answer(self, index: int) -> dict[str, Any]:
        entry = self._entry(index)
        signed: dict[str, Any] = {
            "body": base64.b64encode(entry.body).decode(),
            "integratedTime": entry.time,
            "logID": self.key.id.hex(),
            "logIndex": index,
        }
        proof = {
            "checkpoint": self._checkpoint(),
            "hashes": [each.hex() for each in self._tree.path(index)],
            "logIndex": index,
            "rootHash": self._tree.root().hex(),
            "treeSize": len(self._tree),
        }
        timestamp = base64.b64encode(self.key.sign(rfc8785.dumps(signed))).decode()
        verification = {"inclusionProof": proof, "signedEntryTimestamp": timestamp}
        return {self._uuid(leaf_hash(entry.body)): {**signed, "verification": verification}}


def _decoded(line: bytes) -> LogEntry:
    return msgspec.json.decode(line, type=described(LogEntry))
