"""The advice of a failed rehearsal, followed word by word through the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease
from tests.support.sample_projects import files

pytestmark = pytest.mark.journey


def test_from_a_failing_suite_to_a_rehearsal_that_passes(tmp_path: Path) -> None:
    """A setting that is pasted counts once it is committed, and the advice says so; then the rehearsal passes."""
    content = files(more='optional-dependencies = {test = ["pytest"]}\n')
    content |= {"tests/test_one.py": "def test_one():\n    import small_one\n    assert 0\n"}
    repo = Repo.new(tmp_path / "small", content)
    repo.git("tag", "v1.0")
    place = LocalRelease(repo=repo, world=tmp_path)

    def rehearse(*tag: str) -> tuple[dict[str, Any], str]:
        done = place.unmoor("rehearse", "--without-images", "--json", *tag)
        document = json.loads(done.stdout)
        failed = [stage for stage in document["stages"] if stage["state"] == "failed"]
        return (failed or [{}])[0], done.stderr

    first, printed = rehearse("v1.0")
    assert "turn-tests-off" in first["advice"], first
    assert "commit-changes" not in first["advice"]
    # The tag will still be on the old commit.
    assert "then:  unmoor rehearse --without-images\n" in printed
    found = re.search(r'set (tests = "off") under (\[tool\.unmoor\])', first["next_step"])
    assert found, first
    setting = f"{found[2]}\n{found[1]}\n"
    repo.write({"pyproject.toml": content["pyproject.toml"] + setting})
    second, _ = rehearse()
    assert second["advice"][0] == "commit-changes"
    assert "pyproject.toml" in second["next_step"]
    repo.commit({})
    third, printed = rehearse()
    assert third == {}, printed
