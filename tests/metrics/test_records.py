"""Records survive being written and read."""

from __future__ import annotations

import pytest
from tests.support.metric_records import EXAMPLES

from unmoor.metrics.records import KINDS, Record
from unmoor.metrics.store.lines import encode
from unmoor.util.decode import decode_json


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda each: each.folder)
def test_a_record_survives_its_line(record: Record) -> None:
    """A line is read back as the same record, by its kind alone."""
    assert decode_json(encode(record), Record) == record  # type: ignore[arg-type]


def test_there_is_an_example_of_each_kind() -> None:
    """The examples cover every kind, and no two kinds share a folder."""
    assert {type(each) for each in EXAMPLES} == set(KINDS)
    assert len({kind.folder for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"release","id":1,"tag":"v1","at":"2026-01-01T00:00:00","prerelease":false}',
        b'{"kind":"release","id":1,"tag":"v\\u001b[2J","at":"2026-01-01T00:00:00Z","prerelease":false}',
        b'{"kind":"release","id":-1,"tag":"v1","at":"2026-01-01T00:00:00Z","prerelease":false}',
        b'{"kind":"coverage","commit":"main","at":"2026-01-01T00:00:00Z","covered":1,"lines":2}',
        b'{"kind":"other"}',
        b"[]",
    ],
    ids=["no-zone", "escape", "negative", "no-commit", "unknown-kind", "a-list"],
)
def test_a_line_of_another_shape_is_refused(line: bytes) -> None:
    """A line with an impossible value is no record."""
    with pytest.raises(ValueError, match=r"Object|Expected|Invalid|array"):
        decode_json(line, Record)  # type: ignore[arg-type]
