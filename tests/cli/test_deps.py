"""``unmoor deps update`` as a user types it, with the real uv against a local index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.dated_index import NEW, Released, dated_index
from tests.support.locked_projects import LockedProject

from unmoor.cli import app

PACKAGES = {
    "aa": [Released("1.0"), Released("1.1"), Released("1.2", uploaded=NEW)],
    "bb": [Released("1.0"), Released("1.1")],
    "cc": [Released("1.0"), Released("1.1", ["dd>=2", "nn"])],
    "dd": [Released("1.0"), Released("1.5"), Released("2.0"), Released("2.1", uploaded=NEW)],
    "ee": [Released("1.0"), Released("1.1")],
    "ff": [Released("1.0"), Released("1.1")],
    "gg": [Released("1.0"), Released("1.1"), Released("2.0")],
    "nn": [Released("1.0"), Released("1.1", uploaded=NEW)],
    "recent": [Released("1.0"), Released("1.1", uploaded=NEW)],
}
FIRST = {name: "1.0" for name in PACKAGES if name != "nn"} | {"recent": "1.1"}


def run(project: LockedProject, *words: str) -> int:
    """Run the command in the project."""
    return app.run(["deps", "update", "--directory", str(project.repo.path), *words])


@pytest.mark.journey
def test_the_good_ones_of_a_batch_land(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two culprits, of which one flakes: one is left out, the other one stays, and nothing escapes the cool-down."""
    requires = ["aa", "bb", "cc", "dd<2", "ee", "ff", "gg", "recent>=1.1"]
    with dated_index(PACKAGES) as index:
        project = LockedProject.new(
            tmp_path,
            index,
            requires,
            FIRST,
            broken=[("bb", "1.1")],
            flaky={"ff": ("1.1", 1)},
        )
        result = tmp_path / "result.json"
        assert run(project, "--minor", "--major", "--cool-down", "7d", "--result", str(result)) == 0
        project.uv("lock", "--check")
    shown = capsys.readouterr()
    versions = project.versions()
    assert versions == FIRST | {"aa": "1.1", "dd": "1.5", "ee": "1.1", "ff": "1.1", "gg": "2.0"}, shown
    assert b"exclude-newer" not in project.lock
    found = json.loads(result.read_bytes())
    assert [each["update"]["name"] for each in found["left_out"]] == ["bb"], found
    assert "bb 1.1 is broken" in found["left_out"][0]["why"]
    assert [each["name"] for each in found["flaky"]] == ["ff"]
    assert "held back: dd 2.0 is available, and dd<2 holds it at 1.0" in shown.err
    assert found["groups"][-1]["lock"].encode() == project.lock
    assert found["runs"] <= 3 + 2 * 3 + 2 + 3
