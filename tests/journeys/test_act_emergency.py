"""An emergency by a dispatch on the tag, run by act: only what was waived is let through, and the release says so."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.support.act import Event
from tests.support.act_release import PUSH, REPOSITORY, TAG, ActRelease, release_text, start_act_release
from tests.support.systems import linux

pytestmark = [linux, pytest.mark.journey, pytest.mark.timeout(500)]

REASON = "A security fix, and the tests need a server that is down"


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[ActRelease]:
    """A project whose tests fail."""
    files = {"tests/check.py": "raise SystemExit('the server is down')\n"}
    with start_act_release(tmp_path, {"release.yml": release_text()}, files) as release:
        yield release


def dispatch(**inputs: str) -> Event:
    """A dispatch on the tag."""
    return Event(name="workflow_dispatch", ref=PUSH.ref, inputs=inputs)


def test_an_emergency_waives_what_it_names(broken: ActRelease) -> None:
    """Failing tests stop the release although there is a reason; waived, everything else of it happens."""
    run = broken.runs.run(dispatch(emergency="true", reason=REASON))
    assert "hold" not in run.ended, run.words()
    assert broken.writes() == []
    run = broken.runs.run(dispatch(emergency="true", reason=REASON, waive="tests"))
    assert all(run.ended.values()), run.words()
    assert "publish" in run.ended
    left = broken.surfaces()
    assert set(left.pypi) == set(left.testpypi) <= set(left.public)
    api = tomllib.loads(broken.world.world_file.read_text())["forge"]["api"]
    published = requests.get(f"{api}/repos/{REPOSITORY}/releases/tags/{TAG}", timeout=20).json()
    assert REASON in published["body"]
    (asset,) = [each for each in published["assets"] if each["name"] == "manifest.json"]
    manifest = json.loads(requests.get(asset["browser_download_url"], timeout=20).content)
    assert manifest["emergency"]["reason"] == REASON
