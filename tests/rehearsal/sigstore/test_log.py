"""The log on disk: what it holds in memory, and what it knows when it is read again."""

from __future__ import annotations

import base64
import random
import tracemalloc
from pathlib import Path

import pytest

from unmoor.rehearsal.sigstore.authority import Authority, Key
from unmoor.rehearsal.sigstore.log import FIRST, Log


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """The key of a log."""
    return Authority.open(tmp_path_factory.mktemp("keys") / "keys.json").entries


def body_at(log: Log, index: int) -> bytes:
    """Return what the log answers for the entry at an index."""
    (answer,) = (log.at(index) or {}).values()
    return base64.b64decode(answer["body"])


def test_what_entries_say_is_not_in_memory(tmp_path: Path, key: Key) -> None:
    """A world that serves many releases would grow by all their signatures."""
    log, size, count = Log(tmp_path / "log.jsonl", key), 20_000, 30
    draw = random.Random(1)  # noqa: S311 - no secret
    log.add(draw.randbytes(size), 0)
    tracemalloc.start()
    try:
        for _ in range(count):
            log.add(draw.randbytes(size), 0)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < count * size / 10


def test_a_log_that_is_read_again(tmp_path: Path, key: Key) -> None:
    """It has the same entries and the same root, without an entry that was cut while it was written."""
    path, bodies = tmp_path / "log.jsonl", [b"{}", b"x" * 9000, "\N{LINE SEPARATOR}\r\n".encode()]
    before = Log(path, key)
    for body in bodies:
        before.add(body, 0)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"body":"')
    after = Log(path, key)
    assert path.read_bytes() == whole
    assert [body_at(after, index) for index in range(len(after))] == [FIRST, *bodies]
    assert after.state()["rootHash"] == before.state()["rootHash"]
    after.add(b"[]", 0)
    assert [body_at(after, index) for index in (3, 4)] == [bodies[-1], b"[]"]
