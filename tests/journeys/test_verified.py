"""A stranger with nothing but a name verifies what was rehearsed: an empty folder, an empty environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.local_release import UNMOOR, LocalRelease, start_release

pytestmark = pytest.mark.journey

WORKFLOW = "acme/small/.github/workflows/release.yml"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRelease]:
    """A signed, immutable release in a world that goes on."""
    with start_release(tmp_path_factory.mktemp("verified")) as running:
        (running.world / "forge").mkdir(exist_ok=True)
        (running.world / "forge" / "immutable").touch()
        ran = running.release()
        assert ran.returncode == 0, ran.stderr
        yield running


def verify(place: LocalRelease, here: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run ``unmoor verify`` as somebody who has only the addresses of the world."""
    here.mkdir(exist_ok=True)
    return subprocess.run(
        [str(UNMOOR), "verify", *args, "--from-world", str(place.world_file)],
        cwd=here,
        env={"PATH": os.environ["PATH"], "HOME": str(here)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def checks(ran: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], str]:
    """The result of each check by surface and name."""
    document: dict[str, Any] = json.loads(ran.stdout)
    return {(each["surface"], each["name"]): each["mark"] for each in document["checks"]}


def test_a_stranger_verifies_a_release(place: LocalRelease, tmp_path: Path) -> None:
    """By its tag and by its package, with the expected workflow, and from the one line of a table to its exit code."""
    seen, lines = len(place.requests()), [""]
    for target in ("v1.0", "acme/small@v1.0", "small-one==1.0"):
        ran = verify(place, tmp_path / "empty", target, "--identity", WORKFLOW)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        lines = ran.stdout.splitlines()
        named = "acme/small@v1.0 is verified" if "==" not in target else f"{target} is verified: released by acme/small"
        assert ran.stderr.strip() == named
    assert lines[0].split() == ["result", "where", "what"]
    assert {line.split()[0] for line in lines[1:]} == {"ok"}
    assert any("the forge's attestation" in line for line in lines)
    assert list((tmp_path / "empty").iterdir()) == []
    asked = place.requests()[seen:]
    assert {each["method"] for each in asked} == {"GET"}
    assert not [each for each in asked if each["server"] == "sigstore"]


def test_a_checkout_knows_its_tag(place: LocalRelease) -> None:
    """In a checkout the tag on the commit is the one to verify; nothing in the checkout counts."""
    ran = place.unmoor("verify", "--from-world", str(place.world_file))
    assert (ran.returncode, ran.stderr.strip()) == (0, "acme/small@v1.0 is verified")


def test_one_changed_byte(place: LocalRelease, tmp_path: Path) -> None:
    """Bytes that the forge itself changed are wrong, by its own list, by the signature and by its attestation."""
    stored = next(
        path
        for path in (place.world / "forge" / "assets").iterdir()
        if path.read_bytes() == next((place.repo.path / ".unmoor" / "v1.0" / "dists").glob("*.whl")).read_bytes()
    )
    before = stored.read_bytes()
    stored.write_bytes(before[:-1] + b"!")
    try:
        ran = verify(place, tmp_path / "empty", "v1.0", "--json")
    finally:
        stored.write_bytes(before)
    assert ran.returncode == 16, ran.stderr
    wheel = "small_one-1.0-py3-none-any.whl"
    results = checks(ran)
    assert results["github", wheel] == "wrong"
    assert results["pypi", wheel] == "ok"
    assert json.loads(ran.stdout)["answer"] == "wrong"
    assert "is WRONG: do not use it" in ran.stderr


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("v1.0", "--identity", "acme/other"), 16, "expected acme/other"),
        (("v2.0",), 12, "has no such tag"),
        (("other==1.0",), 12, "no file of this version"),
        (("evil/small@v1.0",), 10, "not found"),
        (("small-one==x",), 2, "is not a version"),
        (("--identity", "small", "v1.0"), 2, "neither a repository"),
        (("v1.0", "--trust-root", "nothing.json"), 3, "there is no such file"),
    ],
)
def test_what_does_not_pass(place: LocalRelease, tmp_path: Path, args: tuple[str, ...], code: int, says: str) -> None:
    """Each has its own exit code and a line that says why."""
    ran = verify(place, tmp_path / "empty", *args)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert says in ran.stdout + ran.stderr
