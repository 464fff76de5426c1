"""I1 knows what was on the index before the first run, and holds the runs to what they sent themselves."""

from __future__ import annotations

import json
from hashlib import blake2b, sha256
from pathlib import Path

import pytest

from unmoor.rehearsal.invariants.evidence import Evidence, Expected, RunEvidence
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.indexes import untested_bytes
from unmoor.rehearsal.invariants.request_log import LoggedRequest
from unmoor.util.values import replace

NAME = "demo-1.0-py3-none-any.whl"
TESTED, OTHER, THIRD = (sha256(text).hexdigest() for text in (b"tested", b"other", b"third"))
RUN = RunEvidence(command=(), exit_code=0, output="", seconds=1.0, deadline=9.0, log_start=100, log_end=200)


def facts(world: Path, *sent: tuple[int, str], taken: str = "") -> Facts:
    """The evidence of one run, with uploads of the wheel that begin somewhere in the log."""
    expected = Expected(
        repository="acme/demo",
        project="demo",
        tag="v1.0",
        version="1.0",
        commit="c" * 40,
        files={NAME: TESTED},
        taken={NAME: taken} if taken else {},
    )
    log = [
        LoggedRequest(server="pypi", method="POST", path="/legacy/", status=200, start=start, file=NAME, sha256=digest)
        for start, digest in sent
    ]
    return Facts(Evidence(world=world, remote=world, expected=expected, runs=(RUN,)), log)


def hold(world: Path, data: bytes) -> None:
    """Put the wheel on the index."""
    digest = blake2b(data, digest_size=32).hexdigest()
    digests = {"sha256": sha256(data).hexdigest(), "blake2": digest, "size": len(data)}
    path = world / "pypi" / "files" / digest[:2] / digest[2:4] / digest[4:] / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    project = {"name": "demo", "files": [{"name": NAME, "version": "1.0", "digests": digests}]}
    (world / "pypi" / "projects").mkdir()
    (world / "pypi" / "projects" / "demo.json").write_text(json.dumps(project), encoding="utf-8")


@pytest.mark.parametrize(
    ("data", "taken", "count"),
    [(b"tested", "", 0), (b"other", "", 1), (b"other", OTHER, 0), (b"other", THIRD, 1), (b"tested", OTHER, 0)],
    ids=["tested", "other", "taken", "taken by a third", "taken no more"],
)
def test_a_name_that_was_taken(tmp_path: Path, data: bytes, taken: str, count: int) -> None:
    """Other bytes under a name of the release are fine only if the index had exactly these before."""
    hold(tmp_path, data)
    assert len(list(untested_bytes(facts(tmp_path, taken=taken)))) == count


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        ([(0, OTHER)], 0),
        ([(0, OTHER), (150, TESTED)], 0),
        ([(150, OTHER)], 1),
        ([(0, TESTED), (150, OTHER)], 1),
        ([(120, TESTED), (150, OTHER)], 1),
    ],
    ids=["before", "before, then tested", "other", "tested before, then other", "two contents"],
)
def test_what_was_sent_before_the_first_run(tmp_path: Path, sent: list[tuple[int, str]], count: int) -> None:
    """Whoever prepares a world may send what they like; from the first run on, only tested bytes may be sent."""
    assert len(list(untested_bytes(facts(tmp_path, *sent)))) == count


@pytest.mark.parametrize(
    ("server", "path", "start", "named"),
    [
        ("testpypi", "/simple/demo/", 150, ""),
        ("testpypi", "/packages/ab/cd/ef/demo-1.0-py3-none-any.whl.metadata", 150, ""),
        ("testpypi", "/simple/helper/", 150, "helper"),
        ("testpypi", "/pypi/helper/json", 150, "helper"),
        ("testpypi", "/packages/ab/cd/ef/helper-9999.0-py3-none-any.whl", 150, "helper-9999.0-py3-none-any.whl"),
        ("testpypi", "/simple/helper/", 0, ""),
        ("pypi", "/simple/helper/", 150, ""),
    ],
    ids=["own", "own file", "page", "json", "file", "before", "production"],
)
def test_the_staging_index_gives_no_dependencies(
    tmp_path: Path, server: str, path: str, start: int, named: str
) -> None:
    """A run asks it for the project alone: anybody can register the name of a dependency there."""
    found = replace(
        facts(tmp_path), log=[LoggedRequest(server=server, method="GET", path=path, status=404, start=start)]
    )
    said = [each.what for each in untested_bytes(found)]
    assert said == ([f"{named} was asked for, which is not of the project"] if named else [])
