"""Wheels with random bytes changed: the checks refuse what the index refuses, with separate code, and neither fails."""

from __future__ import annotations

import struct
import tempfile
import zipfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.dists.checks.packing import Tail, Wheel, member

from unmoor.artifacts.files import describe_file
from unmoor.dists.checks import Examiner
from unmoor.rehearsal.index import zip_framing

ZIP64 = struct.pack("<HHQQ", 1, 16, 11, 13)
NAME, *_ = Wheel(name="light-house").file()
BASES = [
    wheel.file()[1]
    for wheel in (
        Wheel(name="light-house"),
        Wheel(name="light-house", tail=Tail(zip64=True)),
        Wheel(name="light-house", tail=Tail(comment=b"words")),
        Wheel(name="light-house", change=member(extra=ZIP64)),
    )
]
Mutation = tuple[int, int, bytes]
MUTATIONS = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=3)


def mutate(data: bytes, mutations: list[Mutation]) -> bytes:
    """Replace bytes at some offsets."""
    out = bytearray(data)
    for at, count, new in mutations:
        place = at % len(out)
        out[place : place + count] = new
    return bytes(out)


def index_refuses(path: Path) -> str:
    """The index's message about the archive's framing, empty if it accepts it."""
    try:
        with zipfile.ZipFile(path) as archive:
            zip_framing.walk(archive)
    except zip_framing.FramingError as error:
        return str(error)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        return repr(error)
    return ""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(BASES), MUTATIONS)
def test_mutated_wheel(base: bytes, mutations: list[Mutation]) -> None:
    """A wheel whose framing the index refuses is refused. An accepted one reads the same for installers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, NAME)
        path.write_bytes(mutate(base, mutations))
        problems = [each for each in Examiner().examine(describe_file(path)).problems if not each.rule.warns]
        if refusal := index_refuses(path):
            assert problems, refusal
        if not problems:
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
                assert archive.read("lighthouse_module.py") == b"lit = True\n"
