"""The log of requests, as the judge reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.rehearsal.invariants.request_log import LoggedRequest, read_log

LINE = b'{"server":"pypi","method":"POST","path":"/legacy/","status":200,"at":1.5,"other":{"a":1}}\n'


def test_lines_and_where_they_begin(tmp_path: Path) -> None:
    """A line that is not complete is left out; facts that no invariant needs are passed over."""
    (tmp_path / "requests.jsonl").write_bytes(LINE + LINE + LINE[:-9])
    assert [(each.start, each.at, each.writes) for each in read_log(tmp_path)] == [
        (0, 1.5, True),
        (len(LINE), 1.5, True),
    ]


def test_no_log(tmp_path: Path) -> None:
    """A world that nobody asked has no requests."""
    assert read_log(tmp_path) == ()


@pytest.mark.parametrize("line", [b"{}\n", b"nonsense\n", b'{"server":1,"method":"GET","path":"/","status":200}\n'])
def test_a_broken_log(tmp_path: Path, line: bytes) -> None:
    """What is no request is never passed over."""
    (tmp_path / "requests.jsonl").write_bytes(LINE + line)
    with pytest.raises(ValueError, match=r"\S"):
        read_log(tmp_path)


@pytest.mark.parametrize(
    ("status", "outcome", "done"),
    [
        (200, "stored", True),
        (200, "refused", False),
        (201, "", True),
        (302, "", False),
        (499, "", False),
        (503, "", False),
    ],
)
def test_whether_the_server_did_it(status: int, outcome: str, *, done: bool) -> None:
    """By its status, unless it noted that it refused."""
    request = LoggedRequest(server="pypi", method="POST", path="/legacy/", status=status, outcome=outcome)
    assert request.done is done


def test_a_manifest() -> None:
    """Its name may have several parts, and is one of a registry only."""
    request = LoggedRequest(server="registry", method="PUT", path="/v2/a/b/c/manifests/v1", status=201)
    assert request.manifest == ("a/b/c", "v1")
    assert LoggedRequest(server="forge", method="PUT", path="/v2/a/manifests/v1", status=201).manifest is None
